// Package e2e runs kubestate against a real Kubernetes API server and tests it from
// outside: flags, HTTP, signals, exit code. It does not import kubestate. README.md
// says how long it takes.
package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	apiserverBinary = "bin/apiserver"
	kubestateBinary = "bin/kubestate"
)

func TestMain(m *testing.M) {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// build compiles the programs under test. kubestate is built with the race detector: a
// data race ends it with exit code 66.
func build() error {
	if err := harness.Build(os.Stderr, ".", "bin", "./apiserver"); err != nil {
		return err
	}
	if err := harness.Build(os.Stderr, ".", "bin", "k8s.io/kubernetes/cmd/kubectl"); err != nil {
		return err
	}
	return harness.Build(os.Stderr, "../..", "bin", "-race", "./cmd/kubestate")
}

// Resources of the API server with metrics in kubestate.
func kinds() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{pods(), nodes(), deployments(), replicaSets(), namespaces()}
}

func pods() schema.GroupVersionResource  { return corev1.SchemeGroupVersion.WithResource("pods") }
func nodes() schema.GroupVersionResource { return corev1.SchemeGroupVersion.WithResource("nodes") }
func namespaces() schema.GroupVersionResource {
	return corev1.SchemeGroupVersion.WithResource("namespaces")
}
func deployments() schema.GroupVersionResource {
	return appsv1.SchemeGroupVersion.WithResource("deployments")
}
func replicaSets() schema.GroupVersionResource {
	return appsv1.SchemeGroupVersion.WithResource("replicasets")
}

// TestCluster runs everything that needs one API server with default features, since
// each takes seconds to start.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, apiserverBinary)
	// First, while kubestate has only the permissions that the test grants.
	t.Run("every kind", func(t *testing.T) { testEveryKind(t, c) })
	t.Run("metrics equal render", func(t *testing.T) { testMetricsEqualRender(t, c) })
	t.Run("outage", func(t *testing.T) { testOutage(t, c) })
	t.Run("access taken away", func(t *testing.T) { testAccessTakenAway(t, c) })
	t.Run("access missing", func(t *testing.T) { testAccessMissing(t, c) })
	t.Run("agent leads", func(t *testing.T) { testAgentLeads(t, c) })
	t.Run("standby", func(t *testing.T) { testStandby(t, c) })
	t.Run("agent once", func(t *testing.T) { testAgentOnce(t, c) })
	t.Run("terminate", func(t *testing.T) { testTerminate(t, c) })
	t.Run("manifests", func(t *testing.T) { testManifests(t, c) })
}
