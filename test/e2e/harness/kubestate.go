package harness

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"
)

// Kubestate is a running kubestate on ports chosen by the system.
type Kubestate struct {
	*Process
	Main      string // URL of the main port, without a path; empty for the agent
	Telemetry string // URL of the telemetry port, without a path
}

// StartKubestate runs the program at path with args and the flags that select its
// ports, and returns when they are open. At the end, the test fails if something
// happened that must never happen; see checkLog.
func StartKubestate(t testing.TB, path string, args ...string) *Kubestate {
	t.Helper()
	return startKubestate(t, "kubestate", path, append(args, "--host=127.0.0.1", "--port=0"),
		regexp.MustCompile(`msg=listening .*\bmetrics=(?P<main>\S+) telemetry=(?P<telemetry>\S+)\b.*\n`))
}

// StartAgent is StartKubestate for the command agent. The log is named after name.
func StartAgent(t testing.TB, name, path string, args ...string) *Kubestate {
	t.Helper()
	return startKubestate(t, name, path, append([]string{"agent"}, args...),
		regexp.MustCompile(`msg=listening .*\b(?P<main>)telemetry=(?P<telemetry>\S+)\b.*\n`))
}

func startKubestate(t testing.TB, name, path string, args []string, listening *regexp.Regexp) *Kubestate {
	t.Helper()
	k := &Kubestate{}
	t.Cleanup(func() { k.checkLog(t) }) // runs after the cleanup of Start, which ends the process
	k.Process = Start(t, name, path, append(args, "--telemetry-host=127.0.0.1", "--telemetry-port=0")...)
	addresses := k.LogMatch(t, name+" listens", listening)
	k.Main, k.Telemetry = "http://"+addresses[1], "http://"+addresses[2]
	return k
}

// checkLog fails the test if the program logged a panic of a goroutine, as a store with
// a violated invariant causes (KUBESTATE_VALIDATE=1), or a data race.
func (k *Kubestate) checkLog(t testing.TB) {
	t.Helper()
	if k.Process == nil {
		return
	}
	mustNotBe := regexp.MustCompile(`(?m)^.*(panic|store of \w+ is broken|DATA RACE).*$`)
	for _, line := range mustNotBe.FindAllString(k.Log(), -1) {
		t.Errorf("%s says: %s", k.name, line)
	}
}

// WaitReady waits until kubestate is ready.
func (k *Kubestate) WaitReady(t testing.TB) {
	t.Helper()
	k.Eventually(t, time.Minute, k.name+" is ready", func() error {
		return k.Status(t.Context(), k.Telemetry+"/readyz", http.StatusOK)
	})
}

// Status returns an error unless a GET of url returns the status want.
func (k *Kubestate) Status(ctx context.Context, url string, want int) error {
	response, err := Get(ctx, url)
	if err != nil {
		return err
	}
	if response.Status != want {
		return fmt.Errorf("get %s: status %d, not %d: %s", url, response.Status, want, lastLines(response.Body, 10))
	}
	return nil
}

// Scrape returns the body of /metrics, in the text format unless the header, pairs of
// names and values, requests another.
func (k *Kubestate) Scrape(t testing.TB, header ...string) string {
	t.Helper()
	response, err := Get(t.Context(), k.Main+"/metrics", header...)
	if err != nil {
		t.Fatalf("scrape: %v", err)
	}
	if response.Status != http.StatusOK {
		t.Fatalf("scrape: status %d: %s", response.Status, response.Body)
	}
	return response.Body
}
