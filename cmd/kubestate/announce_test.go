package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

func startReading(t *testing.T, api string, args ...string) *program {
	t.Helper()
	return startProgram(t, append([]string{"--apiserver", api, "--resources", "pods,services",
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0"}, args...)...)
}

// A role that grants nothing must not look like a cluster without objects.
func TestEverythingForbidden(t *testing.T) {
	_, server, api := newAPIServer(t, pod("a", "n1"))
	end := []func(){server.Inject(apiserver.Forbidden("pods")), server.Inject(apiserver.Forbidden("services"))}
	p := startReading(t, api)
	p.log.await(t, regexp.MustCompile(`(level=ERROR msg="nothing to serve: .*deploy/clusterrole\.yaml.*" resources="pods \(forbidden\), services \(forbidden\)")`))
	p.awaitLine("/readyz", "not served: services (forbidden)")
	resp, err := http.Get("http://" + p.address("metrics") + "/readyz") //nolint:noctx // ends with the program
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d", resp.StatusCode)
	}
	for _, remove := range end {
		remove()
	}
	p.log.await(t, regexp.MustCompile(`(level=INFO msg=synced kinds=[12] objects=[01] )`)) // refused lists are retried
	if n := strings.Count(p.log.text(), "level=ERROR"); n != 1 {
		t.Errorf("%d lines at level ERROR:\n%s", n, p.log.text())
	}
}

// A role that grants some resources serves those.
func TestSomeForbidden(t *testing.T) {
	_, server, api := newAPIServer(t, pod("a", "n1"), pod("b", "n1"))
	server.Inject(apiserver.Forbidden("services"))
	p := startReading(t, api)
	p.awaitLine("/readyz", "OK")
	p.awaitLine("/readyz", "not served: services (forbidden)")
	p.log.await(t, regexp.MustCompile(`(level=WARN msg="some resources are not served; deploy/clusterrole\.yaml .*" resources="services \(forbidden\)")`))
	p.log.await(t, regexp.MustCompile(`(level=INFO msg=synced kinds=1 objects=2 series=[1-9][0-9]* seconds=[0-9.]+)`))
	if n := strings.Count(p.log.text(), "level=WARN"); n != 1 {
		t.Errorf("%d lines at level WARN, want one about what is forbidden:\n%s", n, p.log.text())
	}
	p.log.await(t, regexp.MustCompile(`(msg=listening .* apiserver=`+regexp.QuoteMeta(api)+` resources=pods,services)`))
}
