package series

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/naming"
)

// Only the changed blocks of an object are replaced, and an object with fewer blocks than
// before drops the rest.
func TestUnchangedBlocksAreReused(t *testing.T) {
	x := newFixture(t, &naming.Scheme{
		Rules: []naming.Rule{{Family: "kube_pod_spec_volumes_persistentvolumeclaims_info"}},
		Joins: map[string]naming.Join{
			"kube_persistentvolumeclaim_labels": {Match: []string{"namespace", "persistentvolumeclaim"}, Get: []string{"label_team"}},
		},
	})
	pods, claims := x.source("pods"), x.source("persistentvolumeclaims")
	pod := func(names ...string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
		for _, name := range names {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
			}})
		}
		return p
	}
	for _, s := range []*source{pods, claims} {
		s.Begin()
		s.Commit()
	}
	pods.add(pod("a", "b"))
	x.state.Snapshot()
	e := pods.entries[types.NamespacedName{Namespace: "shop", Name: "web"}]
	first := e.blocks()
	if len(first) != 2 {
		t.Fatalf("the Pod has %d blocks, want 2", len(first))
	}
	claims.add(&corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "b", Labels: map[string]string{"team": "blue"}}})
	x.state.Snapshot()
	second := e.blocks()
	if len(second) != 2 || second[0] != first[0] || second[1] == first[1] {
		t.Errorf("after the second claim changed, blocks %p became %p", first, second)
	}
	pods.add(pod("a"))
	if third := e.blocks(); len(third) != 1 || third[0] != first[0] {
		t.Errorf("with one claim, blocks %p became %p", second, third)
	}
}
