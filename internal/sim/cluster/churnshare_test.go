package cluster_test

import (
	"math"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
)

// TestChangeShare compares what a change says of itself with the store before
// and after.
func TestChangeShare(t *testing.T) {
	store := newStore(t, 20, 1000)
	total := 0
	versions := map[string]map[types.NamespacedName]uint64{}
	for _, r := range apiserver.Resources() {
		total += store.Len(r.Name)
		versions[r.Name] = map[types.NamespacedName]uint64{}
		for e := range store.All(r.Name) {
			versions[r.Name][types.NamespacedName{Namespace: e.Namespace, Name: e.Name}] = e.Version
		}
	}
	uids := podUIDs(t, store)
	before := store.Version()
	const share = 0.02
	changes, err := newChurn(t, store, cluster.ChurnConfig{Seed: 1}).ChangeShare(share)
	if err != nil {
		t.Fatal(err)
	}
	objects, events := 0, 0
	for _, r := range apiserver.Resources() {
		changed := 0
		for e := range store.All(r.Name) {
			if versions[r.Name][types.NamespacedName{Namespace: e.Namespace, Name: e.Name}] != e.Version {
				changed++
			}
		}
		if changes[r.Name].Objects != changed {
			t.Errorf("reported %d changed %s, want %d", changes[r.Name].Objects, r.Name, changed)
		}
		objects, events = objects+changed, events+changes[r.Name].Events
	}
	if uint64(events) != store.Version()-before {
		t.Errorf("%d events for %d versions", events, store.Version()-before)
	}
	if wanted := int(math.Ceil(share * float64(total))); objects < wanted || objects > wanted+4 {
		t.Errorf("%d of %d objects changed, want %d or a few more", objects, total, wanted)
	}
	after, replaced := podUIDs(t, store), 0
	for uid := range uids {
		if !after[uid] {
			replaced++
		}
	}
	if len(after) != 1000 || replaced == 0 || replaced > changes["pods"].Objects/2 {
		t.Errorf("of %d pods %d were replaced and %d changed, want few and many", len(after), replaced, changes["pods"].Objects)
	}
	checkConsistent(t, store)
}

func TestChangeShareErrors(t *testing.T) {
	churn := newChurn(t, newStore(t, 5, 100), cluster.ChurnConfig{})
	for _, share := range []float64{-1, 0, 0.2, math.NaN()} {
		if changes, err := churn.ChangeShare(share); err == nil {
			t.Errorf("share %v: changed %v, want an error", share, changes)
		}
	}
	if _, err := newChurn(t, newStore(t, 5, 0), cluster.ChurnConfig{}).ChangeShare(0.01); err == nil {
		t.Error("no error for a cluster without pods")
	}
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources(), LogSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: 5, Pods: 100}); err != nil {
		t.Fatal(err)
	}
	if _, err := newChurn(t, store, cluster.ChurnConfig{}).ChangeShare(0.1); err == nil {
		t.Error("no error where the log is too small to count")
	}
}

func podUIDs(t *testing.T, store *apiserver.Store) map[types.UID]bool {
	t.Helper()
	uids := map[types.UID]bool{}
	for pod := range decoded[*corev1.Pod](t, store, "pods") {
		uids[pod.UID] = true
	}
	return uids
}
