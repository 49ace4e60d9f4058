package kubestate_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// TestBodiesAreStrict serves hostile objects of every kind with every family and
// every label.
func TestBodiesAreStrict(t *testing.T) { checkHostileBodies(t, strings.Repeat("x", 2_000), "") }

// TestJoinedBodiesAreStrict adds every label that can be joined to every family.
func TestJoinedBodiesAreStrict(t *testing.T) {
	all := []string{"*"}
	checkHostileBodies(t, "long", `,node="worker-1",workload="p",workload_type="barepod"`, kubestate.Join{
		Families: "*", Labels: all, Annotations: all, Node: true, NodeLabels: all, NodeAnnotations: all,
		NamespaceLabels: all, NamespaceAnnotations: all, Workload: true,
	})
}

// checkHostileBodies serves objects whose strings are hostile, including long. tail has the
// labels that joins add to the lines of a Pod.
func checkHostileBodies(t *testing.T, long, tail string, joins ...kubestate.Join) {
	t.Helper()
	all := map[string][]string{kubestate.AllResources: {"*"}}
	x := newExporter(t, kubestate.Config{
		Kinds: kind.All(), Keep: func(*metric.Desc) bool { return true }, Labels: all, Annotations: all, Joins: joins,
	})
	for _, table := range x.Tables() {
		var objects []kind.Object
		for i, hostile := range []string{"plain", "", "a\"b\\c\nd", "\xff\xc3", "# EOF\n", "\x00\r\u2028", long} {
			o := table.New()
			o.SetNamespace(hostile)
			o.SetName(fmt.Sprint(i, hostile))
			o.SetUID("u")
			keys := map[string]string{hostile: hostile, hostile + "2": "", "a.b": "1", "a-b": "2", "aB": "3", "a_b": "4", "é": "5", "": "6"}
			o.SetLabels(keys)
			o.SetAnnotations(keys)
			objects = append(objects, o)
		}
		feed(t, x, table.Name, objects...)
	}
	feed(t, x, "pods", pod("p"), pod("q"))
	for _, format := range formats {
		body := write(t, x, format, kubestate.Selection{})
		if err := check(body, format); err != nil {
			t.Errorf("format %d: %.500v", format, err)
		}
		want := `# TYPE kube_pod_container_status_restarts counter` + "\n"
		if format == exposition.Text {
			want = `# TYPE kube_pod_container_status_restarts_total counter` + "\n"
		}
		want += `kube_pod_container_status_restarts_total{namespace="shop",pod="p",uid="u-1",container="main"` + tail + "} 3\n"
		if !strings.Contains(body, want) {
			t.Errorf("format %d lacks\n%s", format, want)
		}
	}
}

// TestFormatsHaveTheSameSamples compares the text format and OpenMetrics, which share
// stored sample lines.
func TestFormatsHaveTheSameSamples(t *testing.T) {
	x := newExporter(t, kubestate.Config{})
	feed(t, x, "pods", pod("p"))
	text := samples(write(t, x, exposition.Text, kubestate.Selection{}))
	if diff := cmp.Diff(text, samples(write(t, x, exposition.OpenMetrics, kubestate.Selection{}))); diff != "" || len(text) == 0 {
		t.Errorf("%d samples (-text +openmetrics):\n%s", len(text), diff)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, kind.Namespaces}})
	done := make(chan struct{})
	for _, table := range []*kind.Table{kind.ReplicaSets, kind.ReplicaSets, kind.Namespaces} {
		f, err := x.NewFeed(table.Resource)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%p", f) // the same object in two feeds would yield duplicate series
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 200 {
				f.Begin()
				if table.Name == "namespaces" {
					f.Put(namespace(fmt.Sprint(name, i%7)))
				} else {
					f.Put(replicaSet(fmt.Sprint(name, i%7)))
				}
				f.Commit()
				f.Delete("shop", name)
			}
		}()
	}
	go func() {
		defer func() { done <- struct{}{} }()
		for range 50 {
			if _, err := x.NewFeed(kind.Namespaces.Resource); err != nil {
				t.Error(err)
			}
			x.Stats(kind.Namespaces.Resource)
		}
	}()
	for i := range 100 {
		var b bytes.Buffer
		format := formats[i%len(formats)]
		if err := x.Write(&b, format, kubestate.Selection{}); err != nil {
			t.Error(err)
		}
		if err := check(b.String(), format); err != nil {
			t.Error(err)
		}
	}
	for range 4 {
		<-done
	}
	if err := x.Write(io.Discard, exposition.Text, kubestate.Selection{}); err != nil {
		t.Error(err)
	}
}
