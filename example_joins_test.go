package kubestate_test

import (
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Joins add labels of a Node to the samples of its Pods. The Exporter must be fed Nodes,
// too, although it serves no metrics of them.
func ExampleConfig_joins() {
	exporter, err := kubestate.New(kubestate.Config{
		Kinds: []*kind.Table{kind.Pods},
		Keep:  func(d *metric.Desc) bool { return d.Name == "kube_pod_start_time" },
		Joins: []kubestate.Join{{Families: "kube_pod_*", Labels: []string{"app"}, NodeLabels: []string{"topology.kubernetes.io/*"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("feeds:", kind.Names(exporter.Tables()))
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"topology.kubernetes.io/zone": "north"}}}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart", UID: "u", Labels: map[string]string{"app": "cart"}},
		Spec:       corev1.PodSpec{NodeName: "n1"},
		Status:     corev1.PodStatus{StartTime: &metav1.Time{Time: time.Unix(1767225600, 0)}},
	}
	for table, object := range map[*kind.Table]kind.Object{kind.Nodes: node, kind.Pods: pod} {
		feed, err := exporter.NewFeed(table.Resource)
		if err != nil {
			fmt.Println(err)
			return
		}
		feed.Begin()
		feed.Put(object)
		feed.Commit()
	}
	if err := exporter.Write(os.Stdout, exposition.Text, kubestate.Selection{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// feeds: [nodes pods]
	// # HELP kube_pod_start_time [STABLE] When the kubelet took on the Pod, in Unix seconds.
	// # TYPE kube_pod_start_time gauge
	// kube_pod_start_time{namespace="shop",pod="cart",uid="u",label_app="cart",node_label_topology_kubernetes_io_zone="north"} 1.7672256e+09
}
