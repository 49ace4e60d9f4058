package kubestate_test

import (
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Replace changes what is served. Until the new list of a changed resource is complete, its
// metrics are those of the old configuration.
func ExampleExporter_Replace() {
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart-1", Labels: map[string]string{"team": "core"}}}
	labels := func(d *metric.Desc) bool { return d.Name == "kube_replicaset_labels" }
	exporter, err := kubestate.New(kubestate.Config{
		Kinds: []*kind.Table{kind.ReplicaSets}, Keep: labels, Labels: map[string][]string{"replicasets": {"app"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	list := func() *kubestate.Feed {
		feed, err := exporter.NewFeed(kind.ReplicaSets.Resource)
		if err != nil {
			fmt.Println(err)
			return nil
		}
		feed.Begin()
		feed.Put(set)
		return feed
	}
	list().Commit()

	changes, err := exporter.Replace(kubestate.Config{
		Kinds: []*kind.Table{kind.ReplicaSets}, Keep: labels, Labels: map[string][]string{"replicasets": {"team"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("changed:", kind.Names(changes.Changed))
	scrape := func() {
		if err := exporter.Write(os.Stdout, exposition.Text, kubestate.Selection{}); err != nil {
			fmt.Println(err)
		}
	}
	feed := list()
	scrape()
	feed.Commit()
	scrape()
	// Output:
	// changed: [replicasets]
	// # HELP kube_replicaset_labels [STABLE] ReplicaSet labels selected by --metric-labels-allowlist.
	// # TYPE kube_replicaset_labels gauge
	// kube_replicaset_labels{namespace="shop",replicaset="cart-1"} 1
	// # HELP kube_replicaset_labels [STABLE] ReplicaSet labels selected by --metric-labels-allowlist.
	// # TYPE kube_replicaset_labels gauge
	// kube_replicaset_labels{namespace="shop",replicaset="cart-1",label_team="core"} 1
}
