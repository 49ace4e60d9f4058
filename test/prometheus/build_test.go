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

// buildOnce compiles the programs on first use. It is not in TestMain, because that
// runs in every fuzz worker.
var buildOnce = sync.OnceValue(func() error {
	return errors.Join(
		harness.Build(os.Stderr, "../..", "bin", "./cmd/kubestate"),
		// Service discovery other than a static list is not needed, and would take most
		// of the build time.
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
