package cluster_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
)

func newChurn(t testing.TB, store *apiserver.Store, config cluster.ChurnConfig) *cluster.Churn {
	t.Helper()
	churn, err := cluster.NewChurn(store, config)
	if err != nil {
		t.Fatal(err)
	}
	return churn
}

func step(t testing.TB, churn *cluster.Churn, n int) {
	t.Helper()
	if err := churn.Step(n); err != nil {
		t.Fatal(err)
	}
}

func TestChurnDeterministic(t *testing.T) {
	change := func(seed uint64) string {
		store := newStore(t, 10, 150)
		step(t, newChurn(t, store, cluster.ChurnConfig{Seed: seed}), 500)
		return fingerprint(store)
	}
	first := change(3)
	if second := change(3); first != second {
		t.Errorf("seed 3 gave %s and then %s", first, second)
	}
	if other := change(4); first == other {
		t.Error("seeds 3 and 4 made the same changes")
	}
}

// TestChurnKeepsClusterWhole makes many changes and expects a cluster that is
// as consistent and as healthy as before, with roll-outs behind it.
func TestChurnKeepsClusterWhole(t *testing.T) {
	store := newStore(t, 20, 500)
	before, generations, sets := store.Version(), generationsOf(t, store), store.Len("replicasets")
	churn := newChurn(t, store, cluster.ChurnConfig{Seed: 1})
	step(t, churn, 2_000)
	if changes := store.Version() - before; changes < 2_000 {
		t.Errorf("%d versions after 2,000 changes", changes)
	}
	if n := store.Len("pods"); n != 500 {
		t.Errorf("%d pods, want the 500 there were", n)
	}
	checkConsistent(t, store)
	running, restarts := 0, int32(0)
	for pod := range decoded[*corev1.Pod](t, store, "pods") {
		if isReady(pod) {
			running++
		}
		for _, c := range pod.Status.ContainerStatuses {
			restarts += c.RestartCount
		}
	}
	if running < 400 {
		t.Errorf("%d of 500 pods are ready, want most", running)
	}
	if restarts == 0 {
		t.Error("no container was restarted")
	}
	if after := generationsOf(t, store); after <= generations {
		t.Error("no Deployment was rolled out")
	}
	if n := store.Len("replicasets"); n > 11*store.Len("deployments") || n <= sets {
		t.Errorf("%d ReplicaSets, %d before: want more, within the history limit of 10", n, sets)
	}
}

func TestChurnMix(t *testing.T) {
	store := newStore(t, 20, 500)
	pods := map[string]bool{}
	for e := range store.All("pods") {
		pods[e.Name] = true
	}
	version := store.Version()
	step(t, newChurn(t, store, cluster.ChurnConfig{Seed: 1, Mix: cluster.Mix{Node: 1}}), 50)
	if changes := store.Version() - version; changes != 50 {
		t.Errorf("%d versions after 50 heartbeats", changes)
	}
	for e := range store.All("pods") {
		if !pods[e.Name] {
			t.Errorf("heartbeats made a pod %s", e.Name)
		}
	}
	if _, err := cluster.NewChurn(store, cluster.ChurnConfig{Mix: cluster.Mix{Node: -1}}); err == nil {
		t.Error("no error for a negative weight")
	}
}

func TestChurnRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, 5, 50)
		churn := newChurn(t, store, cluster.ChurnConfig{Seed: 1, Mix: cluster.Mix{Node: 1}})
		before := store.Version()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		if err := churn.Run(ctx, 200); err != nil {
			t.Fatal(err)
		}
		if changes := store.Version() - before; changes != 2000 {
			t.Errorf("%d changes in 10 s at 200 a second", changes)
		}
	})
}

func generationsOf(t *testing.T, store *apiserver.Store) int64 {
	t.Helper()
	n := int64(0)
	for d := range decoded[*appsv1.Deployment](t, store, "deployments") {
		n += d.Generation
	}
	return n
}
