package wire_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/wire"
)

func encodedPod(t *testing.T, uid types.UID) []byte {
	t.Helper()
	pod := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "a", Namespace: "b", UID: uid, Labels: map[string]string{"uid": "label"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "c", UID: "owner"}},
		},
		Spec: corev1.PodSpec{NodeName: "d"},
	}
	encoded, err := pod.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestUID(t *testing.T) {
	pod := encodedPod(t, "0d6b2a1e")
	for name, c := range map[string]struct {
		object []byte
		want   string
	}{
		"pod":                     {pod, "0d6b2a1e"},
		"none":                    {encodedPod(t, ""), ""},
		"twice":                   {append(encodedPod(t, "first"), pod...), "0d6b2a1e"},
		"truncated after the UID": {pod[:len(pod)-1], "0d6b2a1e"},
		"cut off":                 {pod[:4], ""},
		"empty":                   {nil, ""},
	} {
		if got := string(wire.UID(c.object)); got != c.want {
			t.Errorf("%s: UID %q, want %q", name, got, c.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { wire.UID(pod) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
