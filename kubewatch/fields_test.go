package kubewatch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Objects have the fields that are asked for and no others, by whichever way they
// come.
func TestFields(t *testing.T) {
	for way, requests := range map[string]map[apiserver.Verb]int{
		"stream": {apiserver.VerbWatchList: 1},
		"list":   {apiserver.VerbWatchList: 1, apiserver.VerbList: 1, apiserver.VerbWatch: 1},
	} {
		t.Run(way, func(t *testing.T) {
			inCluster(t, nil, func(c *cluster) {
				if way == "list" {
					c.api.Inject(apiserver.NoStreaming())
				}
				put := func(name string) {
					o := replicaSet(name)
					o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "m"}}
					o.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Env: []corev1.EnvVar{{Name: "E"}}}}
					o.Status.Replicas = 2
					if err := c.store.Put(o); err != nil {
						t.Fatal(err)
					}
				}
				put("read")
				m := &memory{}
				c.watch(Watch{
					Table: kind.ReplicaSets, Store: m,
					Fields: []string{"metadata.{name,namespace,resourceVersion}", "spec.replicas", "spec.template.spec.containers.name"},
				})
				put("followed")
				synctest.Wait()
				m.want(t, "followed read")
				c.wantRequests(requests)
				for _, o := range m.objects {
					want := replicaSet(o.GetName())
					want.ResourceVersion = o.GetResourceVersion()
					want.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c"}}
					if diff := gocmp.Diff(want, o.(*appsv1.ReplicaSet)); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
				}
			})
		})
	}
}

func TestUnknownFields(t *testing.T) {
	_, err := NewGroup(&Client{}, []Watch{
		{Table: kind.Pods, Fields: []string{"spec.nodename"}},
		{Table: kind.Nodes, Namespace: "x", Fields: []string{"spec.podCIDR", "status.x"}},
		{Table: kind.Services, Fields: []string{"spec", "metadata.name", "metadata.labels"}},
		{Table: kind.Jobs, Fields: []string{"metadata"}},
	}, slog.New(slog.DiscardHandler))
	want := `watch pods: field "spec.nodename": v1.PodSpec has no field "nodename"
watch nodes: namespace "x" is given, but they are not in namespaces
watch nodes: field "status.x": v1.NodeStatus has no field "x"
watch services: fields: metadata.namespace, metadata.resourceVersion must be among them`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// planned returns a table with all families, and all labels and annotations.
func planned(t *testing.T, table *kind.Table) *kind.Table {
	t.Helper()
	p, err := table.Plan(kind.Options{
		Keep:   func(*metric.Desc) bool { return true },
		Labels: []string{"*"}, Annotations: []string{"*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Of a Secret neither an object nor any memory in which objects are kept until they
// are stored holds the content, nor its name.
func TestSecretsAreNotHeld(t *testing.T) {
	secret := func(name string) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"open": "label"}, Annotations: map[string]string{
				corev1.LastAppliedConfigAnnotation: `{"data":{"confidential":"confidential"}}`, "open": "annotation",
			}},
			Data:       map[string][]byte{"confidential": []byte("confidential")},
			StringData: map[string]string{"confidential": "confidential"},
			Type:       "Opaque",
		}
	}
	inCluster(t, nil, func(c *cluster) {
		put := func(name string) {
			if err := c.store.Put(secret(name)); err != nil {
				t.Fatal(err)
			}
		}
		put("read")
		m := &memory{}
		g, _ := c.watch(Watch{Table: kind.Secrets, Fields: kind.Reads(planned(t, kind.Secrets)), Store: m})
		put("followed")
		synctest.Wait()
		m.want(t, "followed read")
		for _, o := range m.objects {
			s := o.(*corev1.Secret)
			if s.Type != "Opaque" || s.Labels["open"] != "label" || s.Annotations["open"] != "annotation" {
				t.Errorf("object %v lacks something", s)
			}
			wantNothingConfidential(t, fmt.Appendf(nil, "%+v", s))
		}
		w := g.members[0].watcher
		b := w.workers.batches.Get().(*batch)
		for _, kept := range [][]byte{w.buf, b.data} {
			wantNothingConfidential(t, kept[:cap(kept)])
		}
		if len(w.buf) == 0 {
			t.Error("the object of the event is not where it is looked for")
		}
	})
}

// While a watch waits it keeps nothing of the events that came, each with all fields
// of its object.
func TestEventsAreNotHeld(t *testing.T) {
	for _, calm := range []bool{false, true} {
		body := &chunks{}
		for _, size := range []int{1, 100, 10, readBuffer / 2, 2 * readBuffer, 3} { // also more than is read at once
			content := bytes.Repeat([]byte("confidential"), size/12+1)
			f := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
			body.left = append(body.left, slices.Concat(f, f))
		}
		frames, ok := protobufCodec{}.frames(body).(*protobufFrames)
		if !ok {
			t.Fatal("frames of another type")
		}
		waits := 0
		body.wait = func() {
			waits++
			for _, kept := range [][]byte{frames.frame, frames.r.buf} {
				wantNothingConfidential(t, kept[:cap(kept)])
			}
		}
		if calm {
			frames.calm()
		}
		events := 0
		for ; ; events++ {
			if _, err := frames.next(); err != nil {
				break
			}
		}
		if events != 12 || waits != 7 {
			t.Errorf("%d events, waited %d times", events, waits)
		}
	}
}

// chunks is a body that comes chunk by chunk. It calls wait before each and before
// the end.
type chunks struct {
	left [][]byte
	now  []byte
	wait func()
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.now) == 0 {
		c.wait()
		if len(c.left) == 0 {
			return 0, io.EOF
		}
		c.now, c.left = c.left[0], c.left[1:]
	}
	n := copy(p, c.now)
	c.now = c.now[n:]
	return n, nil
}

func wantNothingConfidential(t *testing.T, text []byte) {
	t.Helper()
	if bytes.Contains(text, []byte("confidential")) {
		t.Errorf("something confidential is in %q", text)
	}
}

// accepts returns the Accept headers of all requests with a verb.
func (c *cluster) accepts(verb apiserver.Verb) []string {
	var all []string
	for _, r := range c.api.Requests() {
		if r.Verb == verb {
			all = append(all, r.Accept)
		}
	}
	return all
}

// refuseMetadata is a server that does not know metadata only.
func refuseMetadata(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "as=") {
			http.Error(w, "only the following media types are accepted", http.StatusNotAcceptable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ignoreMetadata is a server that sends whole objects all the same.
func ignoreMetadata(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wanted := strings.Split(r.Header.Get("Accept"), ",")
		r.Header.Set("Accept", strings.Join(wanted[1:], ","))
		next.ServeHTTP(w, r)
	})
}

// Where a store reads metadata only, the server is asked for no more, and what it
// sends all the same is no matter.
func TestMetadataOnly(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"sent": nil, "refused": refuseMetadata, "ignored": ignoreMetadata, "json": jsonOnly,
	} {
		for _, way := range []string{"stream", "list"} {
			t.Run(name+" "+way, func(t *testing.T) {
				inCluster(t, wrap, func(c *cluster) {
					if way == "list" {
						c.api.Inject(apiserver.NoStreaming())
					}
					testMetadataOnly(c, name == "sent")
				})
			})
		}
	}
}

func testMetadataOnly(c *cluster, wantMetadata bool) {
	t := c.t
	put := func(name string) {
		meta := metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "shop"}}
		for _, o := range []apiserver.Object{
			&corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"k": "v"}},
			&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{MinReadySeconds: 5}},
		} {
			if err := c.store.Put(o); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("read")
	maps, sets := &memory{}, &memory{}
	g, _ := c.watch(
		Watch{Table: kind.ConfigMaps, Fields: kind.Reads(planned(t, kind.ConfigMaps)), Store: maps},
		Watch{Table: kind.ReplicaSets, Fields: []string{"metadata.{name,namespace,resourceVersion}", "metadata.labels"}, Store: sets})
	put("followed")
	synctest.Wait()
	for _, m := range []*memory{maps, sets} {
		m.want(t, "followed read")
		for _, o := range m.objects {
			if o.GetLabels()["app"] != "shop" {
				t.Errorf("object %v has no labels", o)
			}
		}
	}
	if !g.Synced() || g.Statuses()[0].Counts.DecodeErrors != 0 || g.Statuses()[0].Counts.ListErrors != 0 {
		t.Errorf("status %+v", g.Statuses()[0])
	}
	if !wantMetadata {
		return
	}
	const watched = "application/vnd.kubernetes.protobuf;stream=watch;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
	const listed = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
	for verb, want := range map[apiserver.Verb]string{apiserver.VerbWatchList: watched, apiserver.VerbWatch: watched, apiserver.VerbList: listed} {
		for _, accept := range c.accepts(verb) {
			if !strings.HasPrefix(accept, want) {
				t.Errorf("%s asked for %q, want %q first", verb, accept, want)
			}
		}
	}
}

// Rows read more than metadata of most kinds, of which whole objects are asked for.
func TestWholeObjects(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		m := &memory{}
		c.watch(Watch{Table: kind.ReplicaSets, Fields: kind.Reads(kind.ReplicaSets), Store: m})
		m.want(t, "a")
		for _, accept := range c.accepts(apiserver.VerbWatchList) {
			if strings.Contains(accept, "as=") {
				t.Errorf("asked for %q", accept)
			}
		}
	})
}
