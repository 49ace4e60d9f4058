package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/kind"
)

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: d}\n"

// read returns the objects of a file as kind/namespace/name, and the error.
func read(t *testing.T, data string) ([]string, *manifest.Reader, error) {
	t.Helper()
	r := manifest.NewReader(kind.All())
	var got []string
	err := r.Read("f", []byte(data), func(table *kind.Table, o kind.Object) {
		got = append(got, table.Kind+"/"+o.GetNamespace()+"/"+o.GetName())
	})
	return got, r, err
}

func TestForms(t *testing.T) {
	want := []string{"Pod/d/a", "Pod/d/b"}
	f := func(name, data string) {
		t.Helper()
		got, r, err := read(t, data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if len(r.Unknown) != 0 {
			t.Errorf("%s: unknown kinds %v", name, r.Unknown)
		}
	}
	a, b := fmt.Sprintf(pod, "a"), fmt.Sprintf(pod, "b")
	f("YAML documents", a+"---\n"+b)
	f("YAML with comments and empty documents", "# comment\n---\n"+a+"--- # second\n---\n"+b+"...\n")
	f("YAML with CRLF", strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"))
	f("YAML List", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a, namespace: d}\n- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: d}}\n")
	f("YAML typed list", "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a, namespace: d}\n- metadata: {name: b, namespace: d}\n")
	f("--- inside a block scalar", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: d\n  annotations:\n    x: |\n      ---\n      y\n---\n"+b)

	ja := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"d"}}`
	jb := strings.ReplaceAll(ja, `"a"`, `"b"`)
	f("JSON lines", ja+"\n"+jb+"\n")
	f("JSON documents", "\n "+strings.ReplaceAll(ja, ",", ",\n")+jb)
	f("JSON List", `{"kind":"List","items":[`+ja+`,`+jb+`],"apiVersion":"v1"}`)
	f("JSON List in a List", `{"items":[{"kind":"List","apiVersion":"v1","items":[`+ja+`]},`+jb+`],"apiVersion":"v1","kind":"List"}`)
	f("JSON array", "["+ja+","+jb+"]")
	f("JSON typed list", `{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[{"metadata":{"name":"a","namespace":"d"}},{"metadata":{"name":"b","namespace":"d"}}]}`)
}

// TestOlderVersions reads an object of a version that the API server no longer
// serves by default.
func TestOlderVersions(t *testing.T) {
	got, r, err := read(t, "apiVersion: resource.k8s.io/v1beta2\nkind: ResourceClaim\nmetadata: {name: a, namespace: d}\n")
	if err != nil || len(r.Unknown) != 0 || !cmp.Equal(got, []string{"ResourceClaim/d/a"}) {
		t.Errorf("got %v, %v, unknown %v", got, err, r.Unknown)
	}
}

func TestNothing(t *testing.T) {
	for _, data := range []string{"", "\n\n", "---\n", "# only a comment\n", `{"apiVersion":"v1","kind":"List","items":[]}`} {
		if got, _, err := read(t, data); got != nil || err != nil {
			t.Errorf("%q: got %v, %v", data, got, err)
		}
	}
}

func TestUnknownKindsAreCounted(t *testing.T) {
	got, r, err := read(t, "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: x}\n---\n"+fmt.Sprintf(pod, "a")+
		"---\napiVersion: example.com/v1\nkind: Foo\nmetadata: {name: y}\n---\napiVersion: v2\nkind: Pod\nmetadata: {name: z}\n")
	if err != nil || !cmp.Equal(got, []string{"Pod/d/a"}) {
		t.Errorf("got %v, %v", got, err)
	}
	var counts []string
	for gvk, n := range r.Unknown {
		counts = append(counts, fmt.Sprintf("%s %s: %d", gvk.GroupVersion(), gvk.Kind, n))
	}
	if len(counts) != 2 || !strings.Contains(strings.Join(counts, ","), "example.com/v1 Foo: 2") {
		t.Errorf("unknown: %v", counts)
	}
}

// TestErrors checks that errors name file and line, that all are reported and
// that the good objects of the file are read.
func TestErrors(t *testing.T) {
	f := func(data string, wantObjects int, want ...string) {
		t.Helper()
		got, _, err := read(t, data)
		if err == nil {
			t.Fatalf("no error; objects %v", got)
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(want) || len(got) != wantObjects {
			t.Fatalf("%d errors and %d objects, want %d and %d:\n%v", len(lines), len(got), len(want), wantObjects, err)
		}
		for i := range want {
			if !strings.HasPrefix(lines[i], want[i]) {
				t.Errorf("error %q\nwant   %q…", lines[i], want[i])
			}
		}
	}
	good := fmt.Sprintf(pod, "a")
	f(good+"---\na: b: c\n---\n"+good, 2, "f:5: malformed YAML: yaml: mapping values are not allowed")
	f(good+"---\nkind: Pod\n---\nx: [\n---\n"+good, 2, "f:7: malformed YAML", "f:5: not a Kubernetes object: apiVersion and kind must both be given")
	f("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  spec: {containers: 5}\n", 1,
		"f:7: malformed Pod: json: cannot unmarshal number")
	f("apiVersion: v1\nkind: Pod\nmetadata: {}\n", 0, "f:1: malformed Pod: metadata.name must be given")
	f("just text\n", 0, "f:1: not a Kubernetes object")
	f("{\"apiVersion\":\"v1\",\n\"kind\":\"Pod\",\n\"metadata\":{\"name\":\"a\"}}\n{\n,}\n", 1, "f:5: malformed JSON: invalid character ','")
	f("{\"apiVersion\":\"v1\",\n\"kind\":\"Pod\",\n", 0, "f:3: malformed JSON")
	f("{\"apiVersion\":\"v1\",\n\"kind\":\"List\",\n\"items\":[\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":7}}]}", 1,
		"f:5: malformed Pod: json: cannot unmarshal number")
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{fmt.Sprintf(pod, "a"), `{"items":[{}],"kind":"List"}`, `[[{}]]`, "items: [[]]\nkind: List", "a: &a [*a]", "{\"items\":[null]}", "- 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		r := manifest.NewReader(kind.All())
		_ = r.Read("f", []byte(data), func(_ *kind.Table, o kind.Object) {
			if o.GetName() == "" {
				t.Error("an object without a name")
			}
		})
	})
}
