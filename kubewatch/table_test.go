package kubewatch

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// refuseQuery is a server that does not know includeObject.
func refuseQuery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("includeObject") {
			http.Error(w, "unknown parameter", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// otherColumns is a server whose Tables have no column Type.
func otherColumns(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(renamer{w}, r)
	})
}

type renamer struct{ http.ResponseWriter }

func (r renamer) Write(p []byte) (int, error) {
	_, err := r.ResponseWriter.Write([]byte(strings.ReplaceAll(string(p), `"name":"Type"`, `"name":"Sort"`)))
	return len(p), err
}

func (r renamer) Unwrap() http.ResponseWriter { return r.ResponseWriter }
func (r renamer) Flush()                      { _ = http.NewResponseController(r.ResponseWriter).Flush() }

// What is read of Secrets is the same whether the server sends Tables or not, by
// streaming lists, pages and watches.
func TestSecretsAsTable(t *testing.T) {
	var want map[string]string
	for _, server := range []struct {
		name string
		wrap func(http.Handler) http.Handler
	}{
		{"refused", refuseMetadata}, // first: it says what is to be read
		{"sent", nil},
		{"ignored", ignoreMetadata},
		{"query refused", refuseQuery},
		{"other columns", otherColumns},
	} {
		for _, way := range []string{"stream", "list"} {
			t.Run(server.name+" "+way, func(t *testing.T) {
				inCluster(t, server.wrap, func(c *cluster) {
					if way == "list" {
						c.api.Inject(apiserver.NoStreaming())
					}
					got := c.readSecrets(server.name == "sent")
					if want == nil {
						want = got
					}
					if diff := gocmp.Diff(want, got); diff != "" || len(got) != pageSize+1 {
						t.Errorf("%d Secrets, -want +got:\n%s", len(got), diff)
					}
				})
			})
		}
	}
}

// readSecrets reads more Secrets than fit a page and follows changes. It returns what
// metrics say of them.
func (c *cluster) readSecrets(asTable bool) map[string]string {
	t := c.t
	put := func(name string, secretType corev1.SecretType) {
		controller := true
		if err := c.store.Put(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "default", Name: name, UID: "u", CreationTimestamp: metav1.Unix(1e9, 0),
				Labels: map[string]string{"app": "shop"}, Annotations: map[string]string{"a": `"b"`, corev1.LastAppliedConfigAnnotation: "confidential"},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n", UID: "n", Controller: &controller}},
				ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "confidential"}},
			},
			Type: secretType, Data: map[string][]byte{"k": []byte("confidential")},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range pageSize {
		put(fmt.Sprint("s", i), "Opaque")
	}
	put("gone", "Opaque")
	m := &memory{}
	g, _ := c.watch(Watch{Table: kind.Secrets, Fields: kind.Reads(planned(t, kind.Secrets)), Store: m})
	time.Sleep(time.Minute) // of the bubble: the second attempt, if the first found no columns
	put("followed", "kubernetes.io/tls")
	put("s1", "")
	if _, err := c.store.Delete("secrets", "default", "gone"); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	counts := g.Statuses()[0].Counts
	if !g.Synced() || counts.DecodeErrors != 0 || asTable && counts.ListErrors+counts.WatchErrors != 0 {
		t.Errorf("status %+v", g.Statuses()[0])
	}
	time.Sleep(2 * shortestWatch) // a bookmark, and the next watch
	put("followed", "kubernetes.io/dockercfg")
	synctest.Wait()
	for _, verb := range []apiserver.Verb{apiserver.VerbWatch, apiserver.VerbList} {
		for _, accept := range c.accepts(verb) {
			if asTable && !strings.HasPrefix(accept, mediaTable+",") {
				t.Errorf("%s asked for %q, want a Table first", verb, accept)
			}
		}
	}
	got := map[string]string{}
	for key, o := range m.objects {
		s := o.(*corev1.Secret)
		got[key] = fmt.Sprint(s.Name, s.Type, s.UID, s.Labels, s.Annotations["a"], s.OwnerReferences[0].Name, *s.OwnerReferences[0].Controller, s.CreationTimestamp.Unix(), s.ResourceVersion)
		if asTable {
			wantNothingConfidential(t, []byte(fmt.Sprintf("%+v", s)))
		}
	}
	return got
}

// Where nothing reads the type, metadata is enough.
func TestSecretsWithoutType(t *testing.T) {
	fields := []string{"metadata.{name,namespace,resourceVersion}"}
	if newRowFields(kind.Secrets, fields) != nil {
		t.Error("a Table is asked for though metadata is enough")
	}
	if newRowFields(kind.Secrets, append(fields, "type")) == nil {
		t.Error("no Table is asked for though it has all fields")
	}
	if newRowFields(kind.Secrets, append(fields, "type", "data")) != nil {
		t.Error("a Table is asked for though it lacks a field")
	}
}

// Tables that are wrong are errors or undecodable objects, not others' values.
func TestBrokenTables(t *testing.T) {
	const columns = `"columnDefinitions":[{"name":"Name"},{"name":"Type"}]`
	for _, test := range []struct{ frame, want string }{
		{`{"type":"ADDED","object":{"kind":"Table",` + columns + `,"rows":[{"cells":["a","Opaque"],"object":{"metadata":{"name":"a","uid":"u"}}}]}}`, `{"metadata":{"name":"a"},"type":"Opaque"}`},
		{`{"type":"ADDED","object":{"kind":"Table",` + columns + `,"rows":[{"cells":["a"],"object":{"metadata":{"name":"a"}}}]}}`, "event ADDED: a row with 1 cells, want more than 1"},
		{`{"type":"ADDED","object":{"kind":"Table","rows":[{"cells":["a","Opaque"],"object":{"metadata":{"name":"a"}}}]}}`, "event ADDED: a Table lacks a column: there are no columns"},
		{`{"type":"ADDED","object":{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[]}}`, `a Table lacks a column: "Type"`},
		{`{"type":"ADDED","object":{"kind":"Table",` + columns + `,"rows":[]}}`, "event ADDED: a Table with 0 rows, want 1"},
		{`{"type":"ADDED","object":{"kind":"Table",` + columns + `,"rows":[{"cells":["a","Opaque"],"object":null}]}}`, `{"metadata":{},"type":"Opaque"}`},
		{`{"type":"BOOKMARK","object":{"kind":"Table","metadata":{"resourceVersion":"7"},` + columns + `,"rows":[]}}`, `{"metadata":{"resourceVersion":"7"}}`},
		{`{"type":"BOOKMARK","object":{"kind":"Table",` + columns + `,"rows":[{"cells":[],"object":{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}]}}`, `{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}`},
		{`{"type":"ERROR","object":{"kind":"Status","code":410}}`, `{"kind":"Status","code":410}`},
		{`{"type":"ADDED","object":{"kind":"Secret","metadata":{"name":"a"},"type":"Opaque"}}`, `{"kind":"Secret","metadata":{"name":"a"},"type":"Opaque"}`},
	} {
		c := &tableCodec{fields: newRowFields(kind.Secrets, []string{"metadata.name", "type"})}
		e, err := c.event([]byte(test.frame))
		got := string(e.Object)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.frame, got, test.want)
		}
	}
}
