package series

import (
	"testing"

	"github.com/kubestate/kubestate/agent/naming"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A snapshot copies only what changed since the previous one, and does not change
// afterwards.
func TestSnapshotsShareUnchangedParts(t *testing.T) {
	x := newFixture(t, &naming.Scheme{Rules: []naming.Rule{{Family: "kube_secret_type"}}})
	f := x.source("secrets")
	secret := func(name, kind string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Type: corev1.SecretType(kind)}
	}
	f.Begin()
	f.add(secret("a", "x"))
	f.add(secret("b", "x"))
	f.Commit()
	objects := func() []*object { return x.state.Snapshot().sets[0].objects }

	first, second := objects(), objects()
	if &first[0] != &second[0] {
		t.Error("copied unchanged objects")
	}
	b := first[1]
	f.add(secret("b", "x"))
	if third := objects(); &first[0] != &third[0] {
		t.Error("copied an object that was put unchanged")
	}
	f.add(secret("b", "y"))
	f.add(secret("c", "x"))
	f.Delete(types.NamespacedName{Namespace: "ns", Name: "a"})
	changed := objects()
	if first[0] == nil || first[1] != b || len(first) != 2 {
		t.Error("snapshot changed")
	}
	if len(changed) != 3 || changed[0] != nil || changed[1] == nil || changed[1] == b || changed[2] == nil {
		t.Errorf("after changes: got %v", changed)
	}
}
