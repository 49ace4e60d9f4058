package serve

import (
	"slices"
	"testing"

	"github.com/kubestate/kubestate/kind"
)

// Two resources of one plural have different labels, so that the telemetry port can serve both.
func TestResourceLabels(t *testing.T) {
	knative := kind.Resource{Group: "serving.knative.dev", Version: "v1", Name: "services", Kind: "Service"}
	got := resourceLabels([]kind.Resource{kind.Pods.Resource, kind.Services.Resource, knative, kind.Pods.Resource})
	if want := []string{"pods", "services", "services.v1.serving.knative.dev", "pods"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
