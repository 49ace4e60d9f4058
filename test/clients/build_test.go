// Package clients tests clients of large responses of kubestate: Prometheus, vmagent,
// and the decoders of common tools and languages. Each must read every response
// completely and correctly. README.md says how long it takes.
package clients

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

const (
	kubestateBinary  = "../prometheus/bin/kubestate" // built once for both
	vmagentBinary    = "bin/vmagent"
	prometheusBinary = "../prometheus/bin/prometheus"
)

func TestMain(m *testing.M) {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// build compiles the programs of the tests.
func build() error {
	return errors.Join(
		harness.Build(os.Stderr, "../..", "../prometheus/bin", "./cmd/kubestate"),
		harness.Build(os.Stderr, "../prometheus", "../prometheus/bin", "-tags=remove_all_sd",
			"github.com/prometheus/prometheus/cmd/prometheus"),
		harness.Build(os.Stderr, ".", "bin", "github.com/VictoriaMetrics/VictoriaMetrics/app/vmagent"),
	)
}
