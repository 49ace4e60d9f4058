package kubestate_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// A program may feed objects itself; no cluster is needed.
func Example() {
	exporter, err := kubestate.New(kubestate.Config{
		Kinds:  []*kind.Table{kind.ReplicaSets},
		Labels: map[string][]string{"replicasets": {"app.kubernetes.io/*"}},
		Keep: func(d *metric.Desc) bool {
			return strings.HasSuffix(d.Name, "_spec_replicas") || strings.HasSuffix(d.Name, "_labels")
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	feed, err := exporter.NewFeed(kind.ReplicaSets.Resource)
	if err != nil {
		fmt.Println(err)
		return
	}

	cart := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop",
			Name:      "cart",
			Labels:    map[string]string{"app.kubernetes.io/name": "cart", "team": "not asked for"},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(3))},
	}
	feed.Begin() // a complete list of ReplicaSets
	feed.Put(cart)
	feed.Commit() // makes them visible

	cart.Spec.Replicas = new(int32(5))
	feed.Put(cart) // a change

	if err := exporter.Write(os.Stdout, exposition.Text, kubestate.Selection{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # HELP kube_replicaset_spec_replicas [STABLE] Pods that spec.replicas asks for.
	// # TYPE kube_replicaset_spec_replicas gauge
	// kube_replicaset_spec_replicas{namespace="shop",replicaset="cart"} 5
	// # HELP kube_replicaset_labels [STABLE] ReplicaSet labels selected by --metric-labels-allowlist.
	// # TYPE kube_replicaset_labels gauge
	// kube_replicaset_labels{namespace="shop",replicaset="cart",label_app_kubernetes_io_name="cart"} 1
}

// An Exporter is an http.Handler. Without objects the body is empty, except for the end
// marker of OpenMetrics.
func ExampleExporter_ServeHTTP() {
	exporter, err := kubestate.New(kubestate.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := httptest.NewRequest("GET", "/metrics?resources=replicasets", nil)
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response := httptest.NewRecorder()

	exporter.ServeHTTP(response, request)

	fmt.Println(response.Header().Get("Content-Type"))
	fmt.Print(response.Body)
	// Output:
	// application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores
	// # EOF
}
