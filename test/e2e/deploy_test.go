package e2e

import (
	"path/filepath"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
)

// testManifests creates the objects of the Helm chart and the kustomizations as a dry
// run. test/deploy renders these files and compares them with the current chart.
func testManifests(t *testing.T, c *cluster.Cluster) {
	for _, pattern := range []string{"../deploy/testdata/helm/*.yaml", "../deploy/testdata/kustomize/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files: %v", pattern, len(files), err)
		}
		for _, file := range files {
			c.DryRun(t, file, "monitoring.coreos.com", "autoscaling.k8s.io")
		}
	}
}
