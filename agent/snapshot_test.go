package agent

import (
	"testing"

	"github.com/kubestate/kubestate/agent/naming"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A snapshot copies only what has changed since the one before, and stays as it is.
func TestSnapshotsShareWhatHasNotChanged(t *testing.T) {
	a, err := New(Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{Family: "kube_secret_type"}}}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.NewFeed("secrets")
	if err != nil {
		t.Fatal(err)
	}
	secret := func(name, kind string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Type: corev1.SecretType(kind)}
	}
	f.Begin()
	f.Put(secret("a", "x"))
	f.Put(secret("b", "x"))
	f.Commit()
	objects := func() []*object { return a.state.snapshot().sets[0].objects }

	first, second := objects(), objects()
	if &first[0] != &second[0] {
		t.Error("what has not changed is copied")
	}
	b := first[1]
	f.Put(secret("b", "x"))
	if third := objects(); &first[0] != &third[0] {
		t.Error("what was put as it is is copied")
	}
	f.Put(secret("b", "y"))
	f.Put(secret("c", "x"))
	f.Delete("ns", "a")
	changed := objects()
	if first[0] == nil || first[1] != b || len(first) != 2 {
		t.Error("a snapshot has changed")
	}
	if len(changed) != 3 || changed[0] != nil || changed[1] == nil || changed[1] == b || changed[2] == nil {
		t.Errorf("after changes there is %v", changed)
	}
}
