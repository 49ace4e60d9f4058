package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"

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
	f("YAML that ends with ...", a+"...\n"+b)
	f("YAML after null", "null\n---\n~\n---\n"+a+"---\n"+b)
	f("YAML with a byte order mark", "\ufeff"+a+"---\n"+b)
	f("YAML in flow style", "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: d}}\n---\n"+b)
	f("YAML with aliases", "apiVersion: v1\nkind: List\nitems:\n- &p {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: d}}\n- {<<: *p, metadata: {name: b, namespace: d}}\n")
	f("YAML with CRLF", strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"))
	f("YAML List", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a, namespace: d}\n- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: d}}\n")
	f("YAML typed list", "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a, namespace: d}\n- metadata: {name: b, namespace: d}\n")
	f("--- inside a block scalar", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: d\n  annotations:\n    x: |\n      ---\n      y\n---\n"+b)

	ja := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"d"}}`
	jb := strings.ReplaceAll(ja, `"a"`, `"b"`)
	f("JSON lines", ja+"\n"+jb+"\n")
	f("JSON lines with CRLF and null", "\ufeff"+ja+"\r\nnull\r\n"+jb+"\r\n")
	f("JSON documents", "\n "+strings.ReplaceAll(ja, ",", ",\n")+jb)
	f("JSON List", `{"kind":"List","items":[`+ja+`,`+jb+`],"apiVersion":"v1"}`)
	f("JSON List in a List", `{"items":[{"kind":"List","apiVersion":"v1","items":[`+ja+`]},`+jb+`],"apiVersion":"v1","kind":"List"}`)
	f("JSON array", "["+ja+","+jb+"]")
	f("JSON typed list", `{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[{"metadata":{"name":"a","namespace":"d"}},{"metadata":{"name":"b","namespace":"d"}}]}`)
}

// Versions that the API server no longer serves by default are read.
func TestOlderVersions(t *testing.T) {
	got, r, err := read(t, "apiVersion: resource.k8s.io/v1beta2\nkind: ResourceClaim\nmetadata: {name: a, namespace: d}\n")
	if err != nil || len(r.Unknown) != 0 || !cmp.Equal(got, []string{"ResourceClaim/d/a"}) {
		t.Errorf("got %v, %v, unknown %v", got, err, r.Unknown)
	}
}

func TestNothing(t *testing.T) {
	for _, data := range []string{"", "\n\n", "---\n", "# only a comment\n", "null", "---\nnull\n...\n", "\ufeff", "\r\n", `{"apiVersion":"v1","kind":"List","items":[]}`, `{"apiVersion":"v1","kind":"PodList","items":null}`} {
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

// Errors name file and line, all are reported, and the valid objects of the file are
// read.
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
	f(good+"---\na: b: c\n---\n"+good, 2, "f:5: malformed YAML: mapping values are not allowed")
	f(good+"---\nkind: Pod\n---\nx: [\n---\n"+good, 2, "f:7: malformed YAML", "f:5: not a Kubernetes object: apiVersion and kind must both be given")
	f("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  spec:\n    nodeName: m\n    containers: 5\n", 1,
		"f:11: malformed Pod: spec.containers: must be of type array, not number")
	f("apiVersion: v1\nkind: Pod\nmetadata: {}\n", 0, "f:3: malformed Pod: metadata.name must be given")
	f("apiVersion: v1\nkind: Pod\nmetadata: {name: ''}\n", 0, "f:3: malformed Pod: metadata.name must be given")
	f("just text\n", 0, "f:1: not a Kubernetes object: must be of type object, not string")
	f("kind: 5\napiVersion: [v1]\n", 0, "f:1: not a Kubernetes object: kind: must be of type string, not number", "f:2: not a Kubernetes object: apiVersion: must be of type string, not array")
	f("{\"apiVersion\":\"v1\",\n\"kind\":\"Pod\",\n\"metadata\":{\"name\":\"a\"}}\n{\n,}\n", 1, "f:5: malformed JSON: invalid character ','")
	f("{\"apiVersion\":\"v1\",\n\"kind\":\"Pod\",\n", 0, "f:3: malformed JSON")
	f("{\"apiVersion\":\"v1\",\n\"kind\":\"List\",\n\"items\":[\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\"metadata\":{\"name\":7}}]}", 1,
		"f:6: malformed Pod: metadata.name: must be of type string, not number")
	f("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\nnull]}", 0, "f:2: not a Kubernetes object: apiVersion and kind must both be given")
	f("\xff\xfea\x00", 0, "f:1: encoded as UTF-16: must be UTF-8")
	f("# JSON below\n"+`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`+"\n"+`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}`, 0,
		"f:1: malformed YAML: text after the end of the document; separate documents by ---")
	f("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  ? [a]\n  : b\n", 0, "f:5: malformed YAML: keys of maps must be strings, numbers or booleans")
	f("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {priority: .nan}\n", 0, "f:1: malformed YAML: numbers must be finite")
}

// All wrong fields of an object are reported, in terms of the API and without values,
// which may be secret.
func TestFieldErrors(t *testing.T) {
	_, _, err := read(t, `apiVersion: v1
kind: Pod
metadata:
  name: a
  creationTimestamp: hunter2
  annotations: {x: yes}
spec:
  priority: 1.5
  terminationGracePeriodSeconds: 99999999999999999999
  hostNetwork: "hunter2"
  containers:
  - name: c
  - name: [hunter2]
    resources:
      requests: {cpu: hunter2}
  nodeSelector: hunter2
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: [hunter2]
`)
	want := `f:5: malformed Pod: metadata.creationTimestamp: invalid time: must be as in 2026-01-02T15:04:05Z
f:6: malformed Pod: metadata.annotations.x: must be of type string, not boolean
f:8: malformed Pod: spec.priority: must be of type integer, not number
f:9: malformed Pod: spec.terminationGracePeriodSeconds: integer out of range
f:10: malformed Pod: spec.hostNetwork: must be of type boolean, not string
f:13: malformed Pod: spec.containers[1].name: must be of type string, not array
f:15: malformed Pod: spec.containers[1].resources.requests.cpu: invalid quantity: must be a number with or without a suffix, such as 2, 500m or 1Gi
f:16: malformed Pod: spec.nodeSelector: must be of type object, not string
f:21: malformed Secret: data: must be of type object, not array`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// YAML 1.1 scalars and keys are read as kubectl and Helm do.
func TestYAML11(t *testing.T) {
	for value, want := range map[string]bool{"yes": true, "on": true, "On": true, "YES": true, "true": true, "no": false, "off": false, "false": false} {
		var got *batchv1.CronJob
		r := manifest.NewReader(kind.All())
		err := r.Read("f", []byte("apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: c\n  annotations: {0o7: q, 010: r, 1.5: s, yes: t}\nspec: {suspend: "+value+"}\n"),
			func(_ *kind.Table, o kind.Object) { got, _ = o.(*batchv1.CronJob) })
		if err != nil || got == nil || got.Spec.Suspend == nil || *got.Spec.Suspend != want {
			t.Errorf("suspend: %s: got %+v, %v", value, got, err)
			continue
		}
		keys := map[string]string{"7": "q", "8": "r", "1.5": "s", "true": "t"}
		if diff := cmp.Diff(keys, got.Annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
	}
}

// Small documents that would take much memory or time are rejected.
func TestBounds(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
	deep := func(open, inner, end string) string {
		return strings.Repeat(open, 9000) + inner + strings.Repeat(end, 9000)
	}
	bomb := "a0: &a0 [" + strings.Repeat("x,", 9) + "]\n"
	for i := range 12 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9))
	}
	for name, c := range map[string]struct{ data, want string }{
		"JSON arrays":        {deep("[", "", "]"), "nested more than 512 deep"},
		"unclosed arrays":    {strings.Repeat("[", 20000), "nested more than 512 deep"},
		"JSON objects":       {deep(`{"a":`, "1", "}"), "nested more than 512 deep"},
		"JSON lists":         {deep(`{"kind":"List","apiVersion":"v1","items":[`, "", "]}"), "nested more than 512 deep"},
		"lists in lists":     {strings.Repeat("[", 40) + strings.Repeat("]", 40), "lists of objects are nested more than 16 deep"},
		"YAML flow arrays":   {head + "x: " + deep("[", "", "]"), "nested more than 512 deep"},
		"YAML flow maps":     {head + "x: " + deep("{a: ", "1", "}"), "nested more than 512 deep"},
		"YAML block arrays":  {head + "x:\n" + deep("- ", "1", ""), "nested more than 512 deep"},
		"YAML beyond parser": {head + "x: " + strings.Repeat("[", 20000), "max depth"},
		"YAML lists":         {"apiVersion: v1\nkind: List\nitems: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "lists of objects are nested more than 16 deep"},
		"aliases":            {head + bomb, "aliases expand the document to more than"},
		"alias of itself":    {head + "x: &x [*x]\n", "alias within the value of its own anchor"},
		"long alias":         {head + "x: &x " + strings.Repeat("y", 1<<20) + "\nz: [" + strings.Repeat("*x,", 200) + "]\n", "aliases expand the document to more than"},
	} {
		got, _, err := read(t, c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
			t.Errorf("%s: objects %v, error %.300v", name, got, err)
		}
	}
	r := manifest.NewReader(kind.All())
	r.MaxDocument = 10
	if err := r.Read("f", []byte(head), nil); err == nil || err.Error() != "f:1: YAML document of 45 bytes: must be at most 10; JSON may be larger" {
		t.Errorf("large document: %v", err)
	}
}

// Lines are counted as editors and grep do, by \n.
func TestLineOfMalformedYAML(t *testing.T) {
	for in, want := range map[string]string{
		"a: \n0": "f:2: malformed YAML: could not find expected ':'",
		"a: \r0": "f:1: malformed YAML: could not find expected ':'",
		"---\n---\na: \"\u2028 \u0085 \r \"\r\nb: \n0": "f:5: malformed YAML: could not find expected ':'",
		"a: \"\r\"\nmetadata: {? [x] : y}":             "f:2: malformed YAML: keys of maps must be strings, numbers or booleans",
	} {
		if err := manifest.NewReader(kind.All()).Read("f", []byte(in), nil); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{fmt.Sprintf(pod, "a"), `{"items":[{}],"kind":"List"}`, `[[{}]]`, "items: [[]]\nkind: List", "a: &a [*a]", "{\"items\":[null]}", "- 1", "{a: b}\n{c", "? [a]\n: b", "a: &a [x]\nb: {<<: *a}", "\ufeff---\n...\n", "kind: Pod\napiVersion: v1\nmetadata: {1: yes}\nspec: 7", "0: \r0", "a: 1\u2028\n0\nb: 2\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		r := manifest.NewReader(kind.All())
		objects := 0
		err := r.Read("f", []byte(data), func(_ *kind.Table, o kind.Object) {
			objects++
			if o.GetName() == "" {
				t.Error("object without a name")
			}
		})
		for _, n := range r.Unknown {
			objects += n
		}
		if err == nil && objects != r.Objects {
			t.Errorf("%d objects, counted %d", objects, r.Objects)
		}
		checkError(t, err, strings.Count(data, "\n")+1)
	})
}

// checkError checks that each line of an error names a line of the file, and no Go
// types.
func checkError(t *testing.T, err error, lines int) {
	t.Helper()
	if err == nil {
		return
	}
	for problem := range strings.SplitSeq(err.Error(), "\n") {
		var line int
		if n, _ := fmt.Sscanf(problem, "f:%d:", &line); n != 1 || line < 1 || line > lines {
			t.Errorf("error %q: no line of %d", problem, lines)
		}
		if strings.Contains(problem, "Go ") || strings.Contains(problem, "interface {}") || strings.Contains(problem, "map[") {
			t.Errorf("error %q: names a Go type", problem)
		}
	}
}
