package cluster

import (
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Requests returns how many requests of a verb, such as LIST or WATCH, for the resource
// the API server has answered since it started, from any client. A watch counts when it
// ends.
func (c *Cluster) Requests(t testing.TB, resource schema.GroupVersionResource, verb string) int {
	t.Helper()
	metrics, err := c.client(t).Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatalf("read the metrics of the API server: %v", err)
	}
	total := 0
	for line := range strings.Lines(string(metrics)) {
		if !strings.HasPrefix(line, "apiserver_request_total{") || !strings.Contains(line, `resource="`+resource.Resource+`"`) ||
			!strings.Contains(line, `verb="`+verb+`"`) {
			continue
		}
		_, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("read the metrics of the API server: %s: %v", line, err)
		}
		total += n
	}
	return total
}
