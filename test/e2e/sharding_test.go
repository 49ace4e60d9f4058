package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"k8s.io/client-go/rest"
)

// With --server-side-sharding, the API server sends each of two shards about half of the
// objects, and together they serve what one instance serves. Where the API server lacks the
// feature, the result is the same.
func TestServerSideSharding(t *testing.T) {
	t.Parallel()
	for _, enabled := range []bool{true, false} {
		t.Run(fmt.Sprint("enabled ", enabled), func(t *testing.T) {
			t.Parallel()
			c := cluster.Start(t, apiserverBinary, fmt.Sprintf("--feature-gates=ShardedListAndWatch=%t", enabled))
			c.Create(t, manyReplicaSets(t, 400))
			whole, all := readThrough(t, c)
			var lines []string
			for shard := range 2 {
				received, own := readThrough(t, c, "--total-shards=2", fmt.Sprint("--shard=", shard), "--server-side-sharding")
				if part := float64(received) / float64(whole); enabled && (part < 0.35 || part > 0.65) || !enabled && part < 0.9 {
					t.Errorf("shard %d receives %d of %d bytes", shard, received, whole)
				}
				if len(own) < 100 {
					t.Errorf("shard %d has %d objects", shard, len(own))
				}
				lines = append(lines, own...)
			}
			seen := map[string]bool{}
			for _, line := range lines {
				if seen[line] {
					t.Errorf("twice: %s", line)
				}
				seen[line] = true
			}
			for _, line := range all {
				if !seen[line] {
					t.Errorf("no shard has %s", line)
				}
			}
			if len(all) != 400 || len(lines) != len(all) {
				t.Errorf("shards have %d lines, one instance %d, want 400", len(lines), len(all))
			}
		})
	}
}

// readThrough returns the bytes that kubestate receives from the API server until it is ready,
// and the lines of a family with a line per object.
func readThrough(t *testing.T, c *cluster.Cluster, flags ...string) (received int64, lines []string) {
	t.Helper()
	target, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(c.Config(cluster.Admin))
	if err != nil {
		t.Fatal(err)
	}
	var bytes atomic.Int64
	proxy := httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			r.Body = &countedBody{r.Body, &bytes}
			return nil
		},
	}
	server := httptest.NewServer(&proxy)
	defer server.Close()
	args := append([]string{"--apiserver=" + server.URL, "--resources=replicasets", "--host=127.0.0.1", "--telemetry-host=127.0.0.1", "--port=0", "--telemetry-port=0"}, flags...)
	k := harness.StartKubestate(t, kubestateBinary, args...)
	defer func() { k.Kill() }()
	k.WaitReady(t)
	for line := range strings.Lines(k.Scrape(t)) {
		if strings.HasPrefix(line, "kube_replicaset_spec_replicas{") {
			lines = append(lines, line)
		}
	}
	return bytes.Load(), lines
}

// countedBody adds what is read of a body to a number.
type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// manyReplicaSets writes a file with n ReplicaSets.
func manyReplicaSets(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: r%d, namespace: default}
spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}
`, i)
	}
	file := filepath.Join(t.TempDir(), "objects.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
