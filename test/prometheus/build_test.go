package prometheus

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

const (
	kubestateBinary  = "bin/kubestate"
	prometheusBinary = "bin/prometheus"
	promtoolBinary   = "bin/promtool"
)

// buildOnce compiles the programs of the tests that need any. It is not in
// TestMain, because that runs in every process of a fuzzing.
var buildOnce = sync.OnceValue(func() error {
	return errors.Join(
		harness.Build(os.Stderr, "../..", "bin", "./cmd/kubestate"),
		// Service discovery other than a fixed list is not needed and takes
		// most of the time to build.
		harness.Build(os.Stderr, ".", "bin", "-tags=remove_all_sd",
			"github.com/prometheus/prometheus/cmd/prometheus", "github.com/prometheus/prometheus/cmd/promtool"),
	)
})

func buildPrograms(t *testing.T) {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
}
