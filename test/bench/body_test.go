package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

const goodText = `# HELP kube_pod_info Of a pod.
# TYPE kube_pod_info gauge
kube_pod_info{pod="a",text="quote \" backslash \\ line \n end"} 1
kube_pod_info{pod="b"} 1
# HELP kube_empty Without series.
# TYPE kube_empty gauge
# HELP kube_total_seconds Of anything.
# TYPE kube_total_seconds counter
kube_total_seconds 1.5e+09
kube_total_seconds{a=""} NaN
`

func TestReadText(t *testing.T) {
	got, err := readText(strings.NewReader(goodText), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(families{"kube_pod_info": 2, "kube_empty": 0, "kube_total_seconds": 2}, got); diff != "" {
		t.Error(diff)
	}
	open := "# TYPE kube_pod info\nkube_pod_info{a=\"b\"} 1\n# TYPE kube_restarts counter\nkube_restarts_total 3\n# EOF\n"
	got, err = readText(strings.NewReader(open), true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(families{"kube_pod": 1, "kube_restarts": 1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadTextErrors(t *testing.T) {
	const header = "# TYPE a gauge\n"
	for _, body := range []string{
		"a 1\n",          // no header
		header + "b 1\n", // another family
		header + "a 1\n# TYPE b gauge\n" + header, // a second time
		header + "a\n", header + "a{ 1\n", header + "a{x=\"1} 1\n", header + "a{x=\"1\"\n", header + "a{x=\"1\"}1\n",
		header + "a{x=\"1\"y=\"2\"} 1\n", header + "a{x=\"1\",x=\"2\"} 1\n", header + `a{x="\q"} 1` + "\n", header + "a{=\"1\"} 1\n",
		header + "a one\n", header + "a 1 1700000000\n", header + "a-b 1\n", header + "\n",
	} {
		if got, err := readText(strings.NewReader(body), false); err == nil {
			t.Errorf("%q is read as %v, want an error", body, got)
		}
	}
	for _, body := range []string{header + "a 1\n", header + "# EOF\na 1\n", header + "a_sum 1\n# EOF\n"} {
		if got, err := readText(strings.NewReader(body), true); err == nil {
			t.Errorf("%q is read as %v, want an error", body, got)
		}
	}
}

func TestReadProtobuf(t *testing.T) {
	family := func(name string, metrics int) []byte {
		b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		for range metrics {
			b = protowire.AppendBytes(protowire.AppendTag(b, 4, protowire.BytesType), []byte("\x12\x00"))
		}
		return protowire.AppendBytes(nil, b)
	}
	body := string(family("a", 300)) + string(family("b", 0))
	got, err := readProtobuf(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(families{"a": 300, "b": 0}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{body[:len(body)-1], body[:1], body + string(family("a", 1)), goodText} {
		if got, err := readProtobuf(strings.NewReader(bad)); err == nil {
			t.Errorf("%.40q is read as %v, want an error", bad, got)
		}
	}
}

func TestCompareObjects(t *testing.T) {
	shown := families{"kube_pod_info": 3, "kube_node_info": 1}
	if err := compareObjects(shown, map[string]int{"pods": 3, "nodes": 1, "certificatesigningrequests": 0}); err != nil {
		t.Error(err)
	}
	for _, objects := range []map[string]int{{"pods": 2}, {"pods": 3, "nodes": 0}, {"unheard": 1}} {
		if compareObjects(shown, objects) == nil {
			t.Errorf("%v is taken for what is shown", objects)
		}
	}
}
