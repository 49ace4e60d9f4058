package kind_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

type (
	priorityClass = schedulingv1.PriorityClass
	row           = kind.Row[priorityClass]
)

// priorityClasses declares a kind that the catalog does not have.
func priorityClasses(rows ...row) kind.Kind[priorityClass] {
	return kind.Kind[priorityClass]{
		Resource: kind.Resource{Group: "scheduling.k8s.io", Version: "v1", Name: "priorityclasses", Kind: "PriorityClass"},
		Identity: []metric.Label{{Name: "priorityclass", Doc: "name of the PriorityClass"}},
		Begin:    func(c *priorityClass, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Name) },
		Rows:     rows,
	}
}

func desc(name string, labels ...string) metric.Desc {
	d := metric.Desc{Name: name, Type: metric.Gauge, Stability: metric.Alpha, Help: "Help."}
	for _, l := range labels {
		d.Labels = append(d.Labels, metric.Label{Name: l, Doc: "doc"})
	}
	return d
}

func classLabels(name, prefix string, list metric.AllowList) row {
	d := desc(name)
	d.Prefix, d.AllowList = prefix, list
	return kind.NewMapRow(d, func(c *priorityClass) map[string]string { return c.Labels })
}

func classValue(c *priorityClass, e *metric.Emitter) { e.Add(float64(c.Value)) }

const highPriority = `{metadata: {name: high, labels: {team: core, tier: "1"}}, value: 1000}`

func TestDefine(t *testing.T) {
	optIn := desc("kube_priorityclass_more")
	optIn.OptIn = true
	table, err := kind.Define(priorityClasses(
		kind.NewRow(desc("kube_priorityclass_value"), classValue),
		classLabels("kube_priorityclass_labels", "label", metric.Labels),
		classLabels("kube_priorityclass_all_labels", "all", metric.NoAllowList),
		kind.NewRow(optIn, classValue),
	))
	if err != nil {
		t.Fatal(err)
	}
	object := kindtest.Decode(t, table, []byte(highPriority))
	planned := kindtest.Options{Labels: []string{"te*"}}.Plan(t, table)
	const want = `# TYPE kube_priorityclass_value gauge
kube_priorityclass_value{priorityclass="high"} 1000
# TYPE kube_priorityclass_labels gauge
kube_priorityclass_labels{priorityclass="high",label_team="core"} 1
# TYPE kube_priorityclass_all_labels gauge
kube_priorityclass_all_labels{priorityclass="high",all_team="core",all_tier="1"} 1
`
	if got, _ := kindtest.Text(t, planned, object); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestDefineReportsAllProblems(t *testing.T) {
	lost := classLabels("kube_a_labels", "", metric.Labels)
	bad := kind.Kind[priorityClass]{
		Identity: []metric.Label{{Name: "name"}},
		Rows: []row{
			kind.NewRow(desc("kube a"), classValue),
			kind.NewRow(desc("kube_a", "name", "a b", "__a"), classValue),
			kind.NewRow(desc("kube_a"), classValue),
			kind.NewRow[priorityClass](desc("kube_b"), nil),
			kind.NewRow[priorityClass](metric.Desc{Name: "kube_c", Type: "Gauge"}, classValue),
			kind.NewRow[priorityClass](metric.Desc{Name: "kube_d", Type: metric.Gauge, Prefix: "label"}, classValue),
			lost,
			{},
		},
	}
	_, err := kind.Define(bad)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"Name is empty", "Version is empty", "Kind is empty", "Begin is nil", `invalid name "kube a"`,
		"family kube_a: duplicate label name", `family kube_a: invalid label "a b"`, `family kube_a: invalid label "__a"`,
		"duplicate family kube_a", "family kube_b: nothing emits", `family kube_c: invalid type "Gauge"`,
		"family kube_d: labels from a map", `family kube_a_labels: invalid label prefix ""`, `family : invalid name ""`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
}

func TestDefineRequiresIdentity(t *testing.T) {
	k := priorityClasses()
	k.Identity = nil
	if _, err := kind.Define(k); err == nil || !strings.Contains(err.Error(), "without Identity nothing tells objects apart") {
		t.Errorf("error %v", err)
	}
}

func TestExtend(t *testing.T) {
	table, err := kind.Extend(kind.Pods,
		kind.NewRow(desc("kube_pod_containers"), func(p *corev1.Pod, e *metric.Emitter) { e.Add(float64(len(p.Spec.Containers))) }))
	if err != nil {
		t.Fatal(err)
	}
	object := kindtest.Decode(t, kind.Pods, golden(t, kind.Pods, richCase).Object)
	before, _ := kindtest.Text(t, kindtest.Everything.Plan(t, kind.Pods), object)
	after, _ := kindtest.Text(t, kindtest.Everything.Plan(t, table), object)
	const own = `# TYPE kube_pod_containers gauge
kube_pod_containers{namespace="web",pod="shop-6b8f7d9c5-x2k4q",uid="7d0f6b1e-2f5c-4a58-9d1a-0a4b8e1f2c3d"} 3
`
	if after != before+own {
		t.Errorf("got\n%s", after)
	}
}

func TestExtendRejects(t *testing.T) {
	_, err := kind.Extend(kind.Pods, kind.NewRow(desc("kube_a"), classValue))
	if err == nil || !strings.Contains(err.Error(), "*v1.PriorityClass, objects are a *v1.Pod") {
		t.Errorf("rows of another kind: %v", err)
	}
	_, err = kind.Extend(kind.Pods, kind.NewRow(desc("kube_pod_info"), func(*corev1.Pod, *metric.Emitter) {}))
	if err == nil || !strings.Contains(err.Error(), "duplicate family kube_pod_info") {
		t.Errorf("a duplicate family: %v", err)
	}
}

// If Begin fails for an object, its samples must not get the identity of the object before.
func TestCollectWithoutIdentity(t *testing.T) {
	k := priorityClasses(kind.NewRow(desc("kube_priorityclass_value"), classValue))
	k.Begin = func(c *priorityClass, e *metric.Emitter, s *metric.Schema) {
		if c.Name == "wrong" {
			e.Begin(s, c.Name, "a label too many")
		}
		e.Begin(s, c.Name)
	}
	table, err := kind.Define(k)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := table.New(), table.New()
	right.SetName("right")
	wrong.SetName("wrong")
	var sink begins
	e := metric.NewEmitter(&sink)
	if err := table.Collect(right, e); err != nil {
		t.Error(err)
	}
	if err := table.Collect(wrong, e); err == nil || !strings.Contains(err.Error(), "identity of priorityclasses") {
		t.Errorf("error %v", err)
	}
	if err := table.Collect(kind.Pods.New(), e); err == nil {
		t.Error("no error for a Pod")
	}
	if want := `["right"] sample [""] [""] `; sink.text != want {
		t.Errorf("the sink saw %s, want %s", sink.text, want)
	}
}

func TestAllocsOfOwnKinds(t *testing.T) {
	table, err := kind.Define(priorityClasses(
		kind.NewRow(desc("kube_priorityclass_value"), classValue),
		classLabels("kube_priorityclass_labels", "label", metric.Labels),
	))
	if err != nil {
		t.Fatal(err)
	}
	object := kindtest.Decode(t, table, []byte(highPriority))
	planned := kindtest.Everything.Plan(t, table)
	e := metric.NewEmitter(&counting{})
	if n := testing.AllocsPerRun(100, func() {
		if err := planned.Collect(object, e); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per object, want none", n)
	}
}

// begins is a sink that records identities, and that there were samples.
type begins struct{ text string }

func (b *begins) Begin(_ *metric.Schema, identity []string) { b.text += fmt.Sprintf("%q ", identity) }

func (b *begins) Sample(*metric.Sample) { b.text += "sample " }
