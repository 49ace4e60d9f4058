package agent_test

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// A program can feed objects by hand and take runs itself, without a cluster or a sink.
func Example() {
	a, err := agent.New(agent.Config{
		Scheme: &naming.Scheme{
			Name:       "mine",
			Prefix:     "k8s.",
			Rules:      []naming.Rule{{Family: "kube_pod_status_phase", Metric: "pod.phase", Filter: naming.Filter{Equal: new(1.0)}}},
			Aggregates: []naming.Aggregate{{Family: "kube_pod_info", Metric: "pods", Op: naming.Count, By: []string{"namespace"}}},
			Labels:     map[string]string{"uid": ""}, // which makes no tag
		},
		LabelsAsTags: map[string]map[string]string{"pod": {"team": "team"}},
		Tags:         []sink.Tag{{Key: "env", Value: "test"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("wants", kind.Names(a.Tables()))
	feed, err := a.NewFeed("pods")
	if err != nil {
		fmt.Println(err)
		return
	}
	cart := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart", Labels: map[string]string{"team": "blue"}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	feed.Begin() // a full read: all Pods there are
	feed.Put(cart)
	feed.Commit() // from here on they are in runs

	reader := a.NewReader() // one for each receiver
	show := func(r *sink.Run) {
		for s := range r.Series {
			fmt.Println(s.Metric.Name, s.Value, s.Block.Tags, s.Tags)
		}
		for s := range r.Ended {
			fmt.Println("ended:", s.Metric.Name, s.Block.Tags, s.Tags)
		}
	}
	show(reader.Run(time.Now()))
	cart.Status.Phase = corev1.PodRunning
	feed.Put(cart)
	fmt.Println("what has changed:")
	show(reader.Changes(time.Now()))
	// Output:
	// wants [pods]
	// k8s.pod.phase 1 [{env test} {namespace shop} {pod cart} {team blue}] [{phase Pending}]
	// k8s.pods 1 [{env test} {namespace shop}] []
	// what has changed:
	// k8s.pod.phase 1 [{env test} {namespace shop} {pod cart} {team blue}] [{phase Running}]
	// ended: k8s.pod.phase [{env test} {namespace shop} {pod cart} {team blue}] [{phase Pending}]
}
