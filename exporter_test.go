package kubestate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

var formats = []exposition.Format{exposition.Text, exposition.OpenMetrics, exposition.OpenMetrics001}

func newExporter(t *testing.T, c kubestate.Config) *kubestate.Exporter {
	t.Helper()
	t.Setenv("KUBESTATE_VALIDATE", "1")
	x, err := kubestate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// feed feeds the complete list of a resource.
func feed(t *testing.T, x *kubestate.Exporter, resource string, objects ...kind.Object) *kubestate.Feed {
	t.Helper()
	f, err := x.NewFeed(resourceNamed(t, x, resource))
	if err != nil {
		t.Fatal(err)
	}
	f.Begin()
	for _, o := range objects {
		f.Put(o)
	}
	f.Commit()
	return f
}

// resourceNamed returns the resource with a plural.
func resourceNamed(t *testing.T, x *kubestate.Exporter, plural string) kind.Resource {
	t.Helper()
	for _, table := range x.Tables() {
		if table.Name == plural {
			return table.Resource
		}
	}
	t.Fatalf("no resource %s among %v", plural, kind.Names(x.Tables()))
	return kind.Resource{}
}

func write(t *testing.T, x *kubestate.Exporter, f exposition.Format, sel kubestate.Selection) string {
	t.Helper()
	var b strings.Builder
	if err := x.Write(&b, f, sel); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func replicaSet(name string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": name}}}
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
}

// pod returns a Pod with a counter family.
func pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-1"},
		Spec:       corev1.PodSpec{NodeName: "worker-1", Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			ContainerStatuses: []corev1.ContainerStatus{{Name: "main", RestartCount: 3, Ready: true}},
		},
	}
}

func TestNewReportsAllProblems(t *testing.T) {
	x, err := kubestate.New(kubestate.Config{
		Kinds:       []*kind.Table{kind.Pods, kind.ReplicaSets, kind.Pods},
		Labels:      map[string][]string{"podz": {"*"}, "replicasets": {"good", "a*b*c"}, "rs": nil},
		Annotations: map[string][]string{"nodez": {"*"}, "pods": {"**"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	if x != nil {
		t.Error("both an Exporter and an error")
	}
	for _, want := range []string{
		`labels allow-list: unknown resource "podz"`, `"rs"`, `annotations allow-list: unknown resource "nodez"`,
		strings.Join(kind.Names(kind.All()), ", "),
		`replicasets: label pattern "a*b*c"`, `pods: annotation pattern "**"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
}

func TestNewRejectsDuplicateKinds(t *testing.T) {
	_, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.Pods, kind.ReplicaSets, kind.Pods}})
	if want := "duplicate resource pods"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestNewAcceptsAllowListsOfUnservedResources(t *testing.T) {
	newExporter(t, kubestate.Config{
		Kinds:  []*kind.Table{kind.ReplicaSets},
		Labels: map[string][]string{"pods": {"*"}, kubestate.AllResources: {"app"}},
	})
}

func TestZeroConfig(t *testing.T) {
	x := newExporter(t, kubestate.Config{})
	if diff := cmp.Diff(kind.Names(kind.Defaults()), kind.Names(x.Tables())); diff != "" {
		t.Errorf("resources (-default +served):\n%s", diff)
	}
	if !slices.IsSorted(kind.Names(x.Tables())) {
		t.Error("resources are not sorted")
	}
	for _, table := range x.Tables() {
		for _, d := range table.Schema().Families {
			if d.OptIn {
				t.Errorf("opt-in family %s is served by default", d.Name)
			}
		}
	}
	o := replicaSet("a")
	o.Annotations = o.Labels
	feed(t, x, "replicasets", o)
	body := write(t, x, exposition.Text, kubestate.Selection{})
	for _, family := range []string{"kube_replicaset_labels", "kube_replicaset_annotations"} {
		if !strings.Contains(body, "# TYPE "+family+" gauge\n") || strings.Contains(body, family+"{") {
			t.Errorf("want the header of %s and no sample:\n%s", family, body)
		}
	}
}

func TestNoKinds(t *testing.T) {
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{}})
	if got := write(t, x, exposition.OpenMetrics, kubestate.Selection{}); got != "# EOF\n" {
		t.Errorf("body %q", got)
	}
}

func TestKeep(t *testing.T) {
	x := newExporter(t, kubestate.Config{Keep: func(d *metric.Desc) bool { return d.Name == "kube_replicaset_owner" }})
	feed(t, x, "replicasets", replicaSet("a"))
	if got := kind.Names(x.Tables()); !slices.Equal(got, []string{"replicasets"}) {
		t.Errorf("%q are served, want only replicasets, the others have no families left", got)
	}
	if _, err := x.NewFeed(kind.Namespaces.Resource); err == nil {
		t.Error("a feed for a resource without families")
	}
	want := "# HELP kube_replicaset_owner [STABLE] One series per owner reference, or one with empty owner labels.\n" +
		"# TYPE kube_replicaset_owner gauge\n" +
		`kube_replicaset_owner{namespace="shop",replicaset="a",owner_kind="",owner_name="",owner_is_controller=""} 1` + "\n"
	if diff := cmp.Diff(want, write(t, x, exposition.Text, kubestate.Selection{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAllowLists(t *testing.T) {
	onlyMaps := func(d *metric.Desc) bool { return d.AllowList != metric.NoAllowList }
	tests := []struct {
		name                string
		labels, annotations map[string][]string
		want                []string
	}{
		{"none", nil, nil, nil},
		{"labels", map[string][]string{"replicasets": {"app"}}, nil,
			[]string{`kube_replicaset_labels{namespace="shop",replicaset="a",label_app="a"} 1`}},
		{"annotations", nil, map[string][]string{"replicasets": {"n*"}},
			[]string{`kube_replicaset_annotations{namespace="shop",replicaset="a",annotation_note="x"} 1`}},
		{"of another resource", map[string][]string{"pods": {"*"}}, nil, nil},
		{"of all resources", map[string][]string{kubestate.AllResources: {"*"}}, nil,
			[]string{`kube_replicaset_labels{namespace="shop",replicaset="a",label_app="a"} 1`}},
		{"all overrides one", map[string][]string{kubestate.AllResources: {"other"}, "replicasets": {"app"}}, nil,
			[]string{`kube_replicaset_labels{namespace="shop",replicaset="a"} 1`}},
		{"all overrides one with nothing", map[string][]string{kubestate.AllResources: {}, "replicasets": {"app"}}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := newExporter(t, kubestate.Config{Keep: onlyMaps, Labels: test.labels, Annotations: test.annotations})
			o := replicaSet("a")
			o.Annotations = map[string]string{"note": "x"}
			feed(t, x, "replicasets", o)
			if diff := cmp.Diff(test.want, samples(write(t, x, exposition.Text, kubestate.Selection{}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// samples returns the sample lines of a body.
func samples(body string) (lines []string) {
	for l := range strings.Lines(body) {
		if l[0] != '#' {
			lines = append(lines, strings.TrimSuffix(l, "\n"))
		}
	}
	return lines
}

func TestNewFeedOfUnservedResource(t *testing.T) {
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, kind.Pods}})
	f, err := x.NewFeed(kind.Nodes.Resource)
	if f != nil || err == nil {
		t.Fatalf("got %v, %v, want an error", f, err)
	}
	if want := `unknown resource "nodes": must be one of pods, replicasets`; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if got := x.Stats(kind.Nodes.Resource); got != (kubestate.Stats{}) {
		t.Errorf("stats of a resource that is not served: %+v", got)
	}
}

func TestStats(t *testing.T) {
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, kind.Pods}})
	feed(t, x, "replicasets", replicaSet("a"), replicaSet("b"))
	got := x.Stats(kind.ReplicaSets.Resource)
	if got.Objects != 2 || got.Series == 0 || got.Bytes == 0 || !got.Synced {
		t.Errorf("replicasets: %+v", got)
	}
	if got := x.Stats(kind.Pods.Resource); got != (kubestate.Stats{}) {
		t.Errorf("pods: %+v", got)
	}
}

// families returns the family names of the HELP lines of a body.
func families(body string) (names []string) {
	for l := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(l, "# HELP "); ok {
			name, _, _ := strings.Cut(rest, " ")
			names = append(names, name)
		}
	}
	return names
}

func familiesOf(tables ...*kind.Table) (names []string) {
	for _, table := range tables {
		for _, d := range table.Schema().Families {
			names = append(names, d.Name)
		}
	}
	return names
}

func TestWriteOrderAndHeaders(t *testing.T) {
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, kind.Pods, kind.Namespaces}})
	if got := write(t, x, exposition.Text, kubestate.Selection{}); got != "" {
		t.Errorf("without objects:\n%s", got)
	}
	rs := feed(t, x, "replicasets", replicaSet("a"))
	feed(t, x, "namespaces", namespace("shop"))
	feed(t, x, "pods")
	served := map[string]*kind.Table{}
	for _, table := range x.Tables() {
		served[table.Name] = table
	}
	want := familiesOf(served["namespaces"], served["replicasets"])
	body := write(t, x, exposition.Text, kubestate.Selection{})
	if diff := cmp.Diff(want, families(body)); diff != "" {
		t.Errorf("families (-want +got):\n%s", diff)
	}
	feed(t, x, "pods", pod("p"))
	want = familiesOf(served["namespaces"], served["pods"], served["replicasets"])
	body = write(t, x, exposition.Text, kubestate.Selection{})
	if diff := cmp.Diff(want, families(body)); diff != "" {
		t.Errorf("families (-want +got):\n%s", diff)
	}
	rs.Delete("shop", "a")
	want = familiesOf(served["namespaces"], served["pods"])
	if diff := cmp.Diff(want, families(write(t, x, exposition.Text, kubestate.Selection{}))); diff != "" {
		t.Errorf("after the last ReplicaSet was deleted (-want +got):\n%s", diff)
	}
}

func TestWriteSelection(t *testing.T) {
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, kind.Namespaces}})
	feed(t, x, "replicasets", replicaSet("a"))
	feed(t, x, "namespaces", namespace("shop"))
	tests := []struct {
		name           string
		sel            kubestate.Selection
		namespaces, rs bool
	}{
		{"zero value", kubestate.Selection{}, true, true},
		{"only", kubestate.Selection{Only: []string{"replicasets", "pods"}}, false, true},
		{"none", kubestate.Selection{Only: []string{}}, false, false},
		{"without", kubestate.Selection{Without: []string{"replicasets"}}, true, false},
		{"only and without", kubestate.Selection{Only: []string{"namespaces", "replicasets"}, Without: []string{"replicasets", "x"}}, true, false},
		{"names are exact", kubestate.Selection{Only: []string{"ReplicaSets", "namespace"}}, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := write(t, x, exposition.OpenMetrics, test.sel)
			if err := check(body, exposition.OpenMetrics); err != nil {
				t.Error(err)
			}
			if got := strings.Contains(body, "kube_namespace_"); got != test.namespaces {
				t.Errorf("namespaces are written: %t", got)
			}
			if got := strings.Contains(body, "kube_replicaset_"); got != test.rs {
				t.Errorf("replicasets are written: %t", got)
			}
		})
	}
}

// brokenPipe is a writer that fails after some bytes.
type brokenPipe struct{ left int }

var errBrokenPipe = errors.New("broken pipe")

func (w *brokenPipe) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errBrokenPipe
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	x := newExporter(t, kubestate.Config{})
	feed(t, x, "replicasets", replicaSet("a"))
	size := len(write(t, x, exposition.OpenMetrics, kubestate.Selection{}))
	for _, left := range []int{0, size - 1} {
		err := x.Write(&brokenPipe{left}, exposition.OpenMetrics, kubestate.Selection{})
		if want := "write metrics: broken pipe"; !errors.Is(err, errBrokenPipe) || err.Error() != want {
			t.Errorf("after %d bytes: %v, want %s", left, err, want)
		}
	}
	if err := x.Write(&brokenPipe{size}, exposition.OpenMetrics, kubestate.Selection{}); err != nil {
		t.Error(err)
	}
}
