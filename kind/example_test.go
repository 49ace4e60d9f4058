package kind_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// A kind that the catalog does not have is a table like those of the catalog.
func ExampleDefine() {
	priorityClasses, err := kind.Define(kind.Kind[schedulingv1.PriorityClass]{
		Resource: kind.Resource{Group: "scheduling.k8s.io", Version: "v1", Name: "priorityclasses", Kind: "PriorityClass"},
		Identity: []metric.Label{{Name: "priorityclass", Doc: "name of the PriorityClass"}},
		Begin:    func(c *schedulingv1.PriorityClass, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Name) },
		Rows: []kind.Row[schedulingv1.PriorityClass]{
			kind.NewRow(metric.Desc{
				Name: "kube_priorityclass_value", Type: metric.Gauge, Stability: metric.Alpha,
				Help: "Priority of Pods of the PriorityClass.",
			}, func(c *schedulingv1.PriorityClass, e *metric.Emitter) { e.Add(float64(c.Value)) }),
			kind.NewMapRow(metric.Desc{
				Name: "kube_priorityclass_labels", Type: metric.Gauge, Stability: metric.Alpha,
				Help:   "Labels of the PriorityClass that the user picks.",
				Prefix: "label", AllowList: metric.Labels,
			}, func(c *schedulingv1.PriorityClass) map[string]string { return c.Labels }),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// A program sets Config.Kinds to append(kind.Defaults(), priorityClasses).
	table, err := priorityClasses.Plan(kind.Options{Labels: []string{"team"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	high := &schedulingv1.PriorityClass{
		ObjectMeta: metav1.ObjectMeta{Name: "high", Labels: map[string]string{"team": "core"}},
		Value:      1000,
	}
	lines := exposition.NewWriter(table.Schema())
	if err := table.Collect(high, metric.NewEmitter(lines)); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s%s", lines.Lines(0), lines.Lines(1))
	// Output:
	// kube_priorityclass_value{priorityclass="high"} 1000
	// kube_priorityclass_labels{priorityclass="high",label_team="core"} 1
}

// A family added to a kind of the catalog comes after the others.
func ExampleExtend() {
	pods, err := kind.Extend(kind.Pods, kind.NewRow(metric.Desc{
		Name: "team_pod_images", Type: metric.Gauge, Stability: metric.Alpha,
		Help: "Containers of the Pod, by image.", Labels: []metric.Label{{Name: "image", Doc: "image that the spec asks for"}},
	}, func(p *corev1.Pod, e *metric.Emitter) {
		for i := range p.Spec.Containers {
			e.Add(1, p.Spec.Containers[i].Image)
		}
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	families := pods.Schema().Families
	fmt.Println(families[len(families)-1].Name, "of", pods.GroupVersionKind())
	// Output:
	// team_pod_images of /v1, Kind=Pod
}

// A Sink receives the samples of an object, family by family, with names, values and
// descriptors, so no text needs to be parsed.
func ExampleTable_Collect() {
	table, err := kind.Deployments.Plan(kind.Options{
		Keep: func(d *metric.Desc) bool { return d.Stability == metric.Stable && d.AllowList == metric.NoAllowList },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	deployment := kind.Deployments.New()
	deployment.SetNamespace("shop")
	deployment.SetName("cart")
	deployment.SetGeneration(3)

	sums := &sink{}
	if err := table.Collect(deployment, metric.NewEmitter(sums)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// deployments [shop cart]
	// kube_deployment_status_replicas is 0 (gauge)
	// kube_deployment_metadata_generation is 3 (gauge)
}

// sink prints the samples of two families.
type sink struct{}

func (*sink) Begin(s *metric.Schema, identity []string) { fmt.Println(s.Resource, identity) }

func (*sink) Sample(s *metric.Sample) {
	switch s.Desc.Name {
	case "kube_deployment_status_replicas", "kube_deployment_metadata_generation":
		fmt.Printf("%s is %v (%s)\n", s.Desc.Name, s.Value, s.Desc.Type)
	}
}
