package kind_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
)

// The API server sends whole ConfigMaps, as protobuf or JSON; decoding skips the data.
func TestConfigMapsAreReadWithoutData(t *testing.T) {
	object := corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: "web", ResourceVersion: "7", Labels: map[string]string{"app": "shop"}},
		Data:       map[string]string{"key": "value", "empty": ""},
		BinaryData: map[string][]byte{"binary": bytes.Repeat([]byte{0xff}, 1000)},
		Immutable:  new(true),
	}
	want := &metav1.PartialObjectMetadata{ObjectMeta: object.ObjectMeta}
	wire, err := object.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	fromWire := kind.ConfigMaps.New()
	if err := fromWire.Unmarshal(wire); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(kind.Object(want), fromWire); diff != "" {
		t.Errorf("from protobuf, -want +got:\n%s", diff)
	}
	text, err := json.Marshal(&object)
	if err != nil {
		t.Fatal(err)
	}
	fromText := kind.ConfigMaps.New()
	if err := json.Unmarshal(text, fromText); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(kind.Object(want), fromText); diff != "" {
		t.Errorf("from JSON, -want +got:\n%s", diff)
	}
}

// A copy is equal to the original and shares no memory with it.
func TestDeepCopyVerticalPodAutoscaler(t *testing.T) {
	original := kindtest.Decode(t, kind.VerticalPodAutoscalers, golden(t, kind.VerticalPodAutoscalers, richCase).Object).(*kind.VerticalPodAutoscaler)
	again := kindtest.Decode(t, kind.VerticalPodAutoscalers, golden(t, kind.VerticalPodAutoscalers, richCase).Object)
	c := original.DeepCopyObject()
	original.Labels["app"] = "changed"
	original.Spec.TargetRef.Name = "changed"
	*original.Spec.UpdatePolicy.UpdateMode = "changed"
	for i := range original.Spec.ResourcePolicy.ContainerPolicies {
		p := &original.Spec.ResourcePolicy.ContainerPolicies[i]
		clear(p.MinAllowed)
		clear(p.MaxAllowed)
		p.ContainerName = "changed"
	}
	for i := range original.Status.Recommendation.ContainerRecommendations {
		r := &original.Status.Recommendation.ContainerRecommendations[i]
		for _, list := range []corev1.ResourceList{r.Target, r.LowerBound, r.UpperBound, r.UncappedTarget} {
			clear(list)
		}
		r.ContainerName = "changed"
	}
	if diff := gocmp.Diff(again.(runtime.Object), c); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if empty := (&kind.VerticalPodAutoscaler{}).DeepCopyObject(); !gocmp.Equal(runtime.Object(&kind.VerticalPodAutoscaler{}), empty) {
		t.Errorf("the copy of an empty object is %+v", empty)
	}
	if original.Unmarshal(nil) == nil {
		t.Error("Unmarshal of protobuf returns no error")
	}
}

// No sample contains the data of a Secret, wherever the object has a copy, or the keys of
// the data.
func TestSecretDataIsNotExposed(t *testing.T) {
	planned := kindtest.Everything.Plan(t, kind.Secrets)
	object := kindtest.Decode(t, planned, []byte(`
metadata:
  name: s
  annotations:
    other: shown
    kubectl.kubernetes.io/last-applied-configuration: '{"data": {"passphrase": "b3BlbiBzZXNhbWU="}}'
data: {passphrase: b3BlbiBzZXNhbWU=}
stringData: {passphrase: open sesame}
`))
	text, families := kindtest.Text(t, planned, object)
	for _, secret := range []string{"passphrase", "open sesame", "b3BlbiBzZXNhbWU", "last_applied"} {
		if strings.Contains(text, secret) {
			t.Errorf("the samples contain %q:\n%s", secret, text)
		}
	}
	if !families["kube_secret_annotations"] || !strings.Contains(text, `annotation_other="shown"`) {
		t.Errorf("the other annotation is missing:\n%s", text)
	}
}
