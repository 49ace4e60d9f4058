package cluster_test

import (
	"testing"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
)

// newStore returns a store with a small synthetic cluster.
func newStore(t testing.TB, nodes, pods int) *apiserver.Store {
	t.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: nodes, Pods: pods, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	return store
}
