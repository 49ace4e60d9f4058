package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

// testTerminate sends SIGTERM during a scrape: that scrape is completed, no other is
// accepted, and the exit code is 0.
func testTerminate(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	createLargePods(t, c)
	defer c.DeleteAll(t, pods(), "default")
	k := start(t, c)
	k.WaitReady(t)
	want := k.Scrape(t)
	if len(want) < 16<<20 {
		t.Fatalf("/metrics has %d bytes: it could fit into the buffers of a connection", len(want))
	}

	response := beginScrape(t, k.Main)
	defer response.Body.Close()
	k.Signal(syscall.SIGTERM)
	harness.Eventually(t, time.Minute, "the port is closed", func() error {
		connection, err := dial(t, k.Main)
		if err != nil {
			return nil
		}
		return fmt.Errorf("it is open: %w", connection.Close())
	})
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read the rest of a scrape after SIGTERM, %d bytes: %v", len(got), err)
	}
	if string(got) != want {
		t.Errorf("a scrape that SIGTERM met has %d bytes, not %d", len(got), len(want))
	}
	if code := k.ExitCode(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM, not 0", code)
	}
}

// beginScrape requests /metrics and returns when the response has started. The caller
// reads the body.
func beginScrape(t *testing.T, url string) *http.Response {
	t.Helper()
	connection, err := dial(t, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err := io.WriteString(connection, "GET /metrics HTTP/1.1\r\nHost: kubestate\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func dial(t *testing.T, url string) (net.Conn, error) {
	t.Helper()
	return (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
}

// createLargePods creates Pods with a total of 20 MiB of annotations.
func createLargePods(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	var file bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&file, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"large-%d","namespace":"default","annotations":{"large":"%s"}},
			"spec":{"containers":[{"name":"main","image":"example.org/large"}]}}`+"\n", i, strings.Repeat("x", 200<<10))
	}
	path := filepath.Join(t.TempDir(), "pods.json")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Create(t, path)
}
