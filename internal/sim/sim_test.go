package sim_test

import (
	"testing"

	"github.com/kubestate/kubestate/internal/sim"
)

// newStore returns a store with a small synthetic cluster.
func newStore(t testing.TB, nodes, pods int) *sim.Store {
	t.Helper()
	store, err := sim.NewStore(sim.StoreConfig{Resources: sim.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Generate(store, sim.ClusterConfig{Nodes: nodes, Pods: pods, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	return store
}

func start(t testing.TB, store *sim.Store, config sim.ServerConfig) (*sim.Server, *sim.Running) {
	t.Helper()
	server := sim.NewServer(store, config)
	running, err := sim.Start(server, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	return server, running
}
