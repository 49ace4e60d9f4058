package kubestate_test

import (
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// A kind of your own is served like those of the catalog: allow-lists, filters and
// selections apply to it.
func Example_ownKind() {
	priorityClasses, err := kind.Define(kind.Kind[schedulingv1.PriorityClass]{
		Resource: kind.Resource{Group: "scheduling.k8s.io", Version: "v1", Name: "priorityclasses", Kind: "PriorityClass"},
		Identity: []metric.Label{{Name: "priorityclass", Doc: "name of the PriorityClass"}},
		Begin:    func(c *schedulingv1.PriorityClass, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Name) },
		Rows: []kind.Row[schedulingv1.PriorityClass]{
			kind.NewRow(metric.Desc{Name: "team_priorityclass_value", Type: metric.Gauge, Help: "Priority of Pods of the PriorityClass."},
				func(c *schedulingv1.PriorityClass, e *metric.Emitter) { e.Add(float64(c.Value)) }),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	exporter, err := kubestate.New(kubestate.Config{Kinds: append(kind.Defaults(), priorityClasses)})
	if err != nil {
		fmt.Println(err)
		return
	}
	feed, err := exporter.NewFeed(priorityClasses.Resource)
	if err != nil {
		fmt.Println(err)
		return
	}
	feed.Begin()
	feed.Put(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 1000})
	feed.Commit()
	if err := exporter.Write(os.Stdout, exposition.Text, kubestate.Selection{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # HELP team_priorityclass_value Priority of Pods of the PriorityClass.
	// # TYPE team_priorityclass_value gauge
	// team_priorityclass_value{priorityclass="high"} 1000
}

// Keep filters families by their descriptors. What it rejects is never computed.
func Example_filterFamilies() {
	exporter, err := kubestate.New(kubestate.Config{
		Kinds: []*kind.Table{kind.Pods, kind.Nodes},
		Keep: func(d *metric.Desc) bool {
			return d.Type == metric.Counter && d.Stability == metric.Stable || strings.HasSuffix(d.Name, "_workload")
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, table := range exporter.Tables() { // without nodes: no family is left
		for i, d := range table.Schema().Families {
			fmt.Println(d.Name, table.Schema().LabelNames(i))
		}
	}
	// Output:
	// kube_pod_container_status_restarts_total [namespace pod uid container]
	// kube_pod_init_container_status_restarts_total [namespace pod uid container]
	// kube_pod_workload [namespace pod uid workload workload_type]
}

// Samples of a single object need neither an Exporter nor a store.
func Example_samplesOfAnObject() {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart-0", UID: "u-1"},
		Spec:       corev1.PodSpec{NodeName: "worker-1", Containers: []corev1.Container{{Name: "cart"}}},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			ContainerStatuses: []corev1.ContainerStatus{{Name: "cart", RestartCount: 2}},
		},
	}
	table, err := kind.Pods.Plan(kind.Options{Keep: func(d *metric.Desc) bool {
		return d.Name == "kube_pod_status_phase" || d.Name == "kube_pod_container_status_restarts_total"
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := table.Collect(pod, metric.NewEmitter(printer{})); err != nil {
		fmt.Println(err)
	}
	// Output:
	// kube_pod_container_status_restarts_total (counter) [namespace=shop pod=cart-0 uid=u-1 container=cart] 2
	// kube_pod_status_phase (gauge) [namespace=shop pod=cart-0 uid=u-1 phase=Running] 1
}

// printer is a Sink that prints samples that are not 0.
type printer struct{}

func (printer) Begin(*metric.Schema, []string) {}

func (printer) Sample(s *metric.Sample) {
	if s.Value == 0 {
		return
	}
	pairs := make([]string, len(s.Names))
	for i := range s.Names {
		pairs[i] = s.Names[i] + "=" + s.Values[i]
	}
	fmt.Println(s.Desc.Name, "("+s.Desc.Type+")", pairs, s.Value)
}
