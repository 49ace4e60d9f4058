package workload_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/workload"
)

func TestGuess(t *testing.T) {
	for _, c := range []struct{ kind, name, want string }{
		{"ReplicaSet", "shop-6b8f7d9c5", "Deployment shop"},
		{"ReplicaSet", "shop-cart-6b8f7d9c5", "Deployment shop-cart"},
		{"ReplicaSet", "shop-bcd", "Deployment shop"},
		{"ReplicaSet", "shop-1013", "Deployment shop"}, // digits alone, though 0, 1 and 3 are no letters of hashes
		{"ReplicaSet", "shop-bc", ""},                  // too short for a suffix
		{"ReplicaSet", "shop-6b8f7d9c0", ""},           // 0 and letters
		{"ReplicaSet", "shop-cart", ""},                // a vowel
		{"ReplicaSet", "shop-6B8F7D9C5", ""},           // upper case
		{"ReplicaSet", "shop", ""},                     // no suffix
		{"ReplicaSet", "-6b8f7d9c5", ""},               // nothing but a suffix
		{"ReplicaSet", "shop-", ""},                    // an empty suffix
		{"ReplicaSet", "", ""},
		{"Job", "report-29012345", "CronJob report"},
		{"Job", "report-daily-123", "CronJob report-daily"},
		{"Job", "report-12", ""},
		{"Job", "report-x2k4q", ""}, // letters
		{"StatefulSet", "shop-6b8f7d9c5", ""},
		{"replicaset", "shop-6b8f7d9c5", ""},
	} {
		got := ""
		if owner, ok := workload.Guess(c.kind, c.name); ok {
			got = owner.Kind + " " + owner.Name
		}
		if got != c.want {
			t.Errorf("%s %q is of %q, want %q", c.kind, c.name, got, c.want)
		}
	}
}

func TestWorkloadOfOwned(t *testing.T) {
	rs, job := workload.Owned{Kind: "ReplicaSet", Name: "r"}, workload.Owned{Kind: "Job", Name: "j"}
	for _, c := range []struct {
		owned workload.Owned
		owner workload.Owner
		want  workload.Workload
	}{
		{rs, workload.Owner{}, workload.Workload{Name: "r", Type: "replicaset"}},
		{rs, workload.Owner{Kind: "Deployment", Name: "d"}, workload.Workload{Name: "d", Type: "deployment"}},
		{rs, workload.Owner{Kind: "Pod", Name: "p"}, workload.Workload{Name: "p", Type: "Pod"}},
		{job, workload.Owner{}, workload.Workload{Name: "j", Type: "job"}},
		{job, workload.Owner{Kind: "Pod", Name: "p"}, workload.Workload{Name: "j", Type: "job"}},
		{job, workload.Owner{Kind: "Deployment", Name: "d"}, workload.Workload{Name: "d", Type: "Deployment"}},
	} {
		if got := c.owned.Workload(c.owner); got != c.want {
			t.Errorf("%v of %v: %v, want %v", c.owned, c.owner, got, c.want)
		}
	}
}

// An owner that says it is not the controller gives way to one that is.
func TestController(t *testing.T) {
	no, yes := false, true
	refs := []metav1.OwnerReference{{Kind: "A", Name: "a", Controller: &no}, {Kind: "B", Name: "b", Controller: &yes}}
	if got, want := workload.Controller(refs), (workload.Owner{Kind: "B", Name: "b"}); got != want {
		t.Errorf("the owner is %v, want %v", got, want)
	}
	if got, want := workload.Controller(refs[:1]), (workload.Owner{Kind: "A", Name: "a"}); got != want {
		t.Errorf("without a controller the owner is %v, want %v", got, want)
	}
}

// TestOwnerOf: what the name of a ReplicaSet says with its hash needs no record; a Job with
// the label of one does.
func TestOwnerOf(t *testing.T) {
	o := &metav1.ObjectMeta{
		Namespace: "shop", Name: "web-x2k", Labels: map[string]string{"pod-template-hash": "x2k"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "CronJob", Name: "c"}},
	}
	if owned, owner, ok := workload.OwnerOf("ReplicaSet", o); ok {
		t.Errorf("ReplicaSet: %v of %v", owned, owner)
	}
	owned, owner, ok := workload.OwnerOf("Job", o)
	if !ok || owned != (workload.Owned{Kind: "Job", Namespace: "shop", Name: "web-x2k"}) || owner != (workload.Owner{Kind: "CronJob", Name: "c"}) {
		t.Errorf("Job: %v of %v, %t", owned, owner, ok)
	}
	if owned, owner, ok := workload.OwnerOf("Pod", o); ok {
		t.Errorf("Pod: %v of %v", owned, owner)
	}
	o.Name = "-x2k" // there is no name before the hash
	if _, owner, ok := workload.OwnerOf("ReplicaSet", o); !ok || owner.Kind != "CronJob" {
		t.Errorf("a ReplicaSet named by its hash alone: %v, %t", owner, ok)
	}
}

type asker struct{ refreshed int }

func (a *asker) Refresh() { a.refreshed++ }

func TestIndex(t *testing.T) {
	x, a := workload.NewIndex(), &asker{}
	rs := workload.Owned{Kind: "ReplicaSet", Namespace: "shop", Name: "r"}
	wants := func(when string, name string, refreshed int) {
		t.Helper()
		if got := x.Workload(rs); got.Name != name || a.refreshed != refreshed {
			t.Errorf("%s: workload %v, refreshed %d times; want %q, %d", when, got, a.refreshed, name, refreshed)
		}
	}
	x.Ask(a, rs)
	wants("while ReplicaSets are not read", "r", 0)
	x.SetRead("ReplicaSet", true)
	wants("while it is not known", "", 1)
	x.SetRead("ReplicaSet", true)
	x.SetRead("Job", true)
	web := workload.Owner{Kind: "Deployment", Name: "web"}
	x.Set(rs, web, 2)
	wants("once it is known", "web", 2)
	x.Set(rs, web, 3)
	wants("with the same owner", "web", 2)
	x.Set(rs, workload.Owner{Kind: "Deployment", Name: "old"}, 2)
	x.Delete(rs, 2)
	wants("after the word of an earlier epoch", "web", 2)
	other := rs
	other.Name = "R" // names differ in case
	x.Set(other, workload.Owner{Kind: "Deployment", Name: "other"}, 3)
	wants("with another name", "web", 2)
	x.Delete(rs, 3)
	wants("after it is deleted", "", 3)
	x.Delete(rs, 3)
	x.Forget(a, rs)
	x.Forget(a, rs)
	x.Set(rs, web, 3)
	wants("after Forget", "web", 3)
}
