package harness

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// Kubestate is a running kubestate that serves on two free ports of 127.0.0.1.
type Kubestate struct {
	*Process
	Main      string // URL of the main port, without a path
	Telemetry string // URL of the telemetry port, without a path
}

// StartKubestate runs the program at path with args and the flags that choose
// its ports. It does not wait for anything.
func StartKubestate(t testing.TB, path string, args ...string) *Kubestate {
	t.Helper()
	port, telemetry := FreePort(t), FreePort(t)
	args = append(args,
		"--host=127.0.0.1", "--port="+strconv.Itoa(port),
		"--telemetry-host=127.0.0.1", "--telemetry-port="+strconv.Itoa(telemetry))
	return &Kubestate{
		Process:   Start(t, "kubestate", path, args...),
		Main:      fmt.Sprintf("http://127.0.0.1:%d", port),
		Telemetry: fmt.Sprintf("http://127.0.0.1:%d", telemetry),
	}
}

// WaitReady returns when kubestate says that every kind has synced.
func (k *Kubestate) WaitReady(t testing.TB) {
	t.Helper()
	Eventually(t, time.Minute, "kubestate is ready", func() error {
		return k.Status(t.Context(), k.Telemetry+"/readyz", http.StatusOK)
	})
}

// Status is an error unless a GET of url is answered with status want.
func (k *Kubestate) Status(ctx context.Context, url string, want int) error {
	select {
	case <-k.Done():
		return fmt.Errorf("get %s: kubestate has ended", url)
	default:
	}
	response, err := Get(ctx, url)
	if err != nil {
		return err
	}
	if response.Status != want {
		return fmt.Errorf("get %s: status %d, not %d: %s", url, response.Status, want, lastLines(response.Body, 10))
	}
	return nil
}

// Scrape returns the body of /metrics, in the text format unless the header,
// pairs of names and values, asks for another.
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
