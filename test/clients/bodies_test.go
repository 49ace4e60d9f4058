package clients

import (
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

// formats are the formats of /metrics.
func formats() []format {
	return []format{
		{"text", "text/plain;version=0.0.4", "text/plain; version=0.0.4;"},
		{"OpenMetrics", "application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0;"},
		protobufFormat(),
	}
}

func protobufFormat() format {
	return format{"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited;"}
}

// format is a format as requested by a client; contentType is the prefix of the
// expected Content-Type.
type format struct{ name, accept, contentType string }

// Every client reads the responses of a kubestate that has been scraped in every
// encoding, before and after changes.
func TestBodies(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	k := c.kubestate(t)
	through := record(t, k.Main)
	t.Run("first", func(t *testing.T) { testReaders(t, k, through) })
	c.change(t, k, 20)
	t.Run("few changes", func(t *testing.T) { testReaders(t, k, through) })
	c.change(t, k, 500)
	t.Run("many changes", func(t *testing.T) { testReaders(t, k, through) })

	body := k.Scrape(t, "Accept-Encoding", "identity")
	want, err := prometheus.Series([]byte(body), prometheus.ContentTypeText)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the body has %d bytes and %d series", len(body), len(want))
	if len(body) < minimumBody {
		t.Errorf("the body has %d bytes and should have %d", len(body), minimumBody)
	}
	t.Run("scrapers", func(t *testing.T) { testScrapers(t, through, want) })
}

// Every reader reads every format. The expected body is the unencoded one.
func testReaders(t *testing.T, k *harness.Kubestate, through *recorder) {
	for _, f := range formats() {
		want := []byte(k.Scrape(t, "Accept", f.accept, "Accept-Encoding", "identity"))
		for _, r := range readers() {
			t.Run(f.name+" "+r.name, func(t *testing.T) {
				r.need(t)
				if err := r.check(t.Context(), through, f.accept, f.contentType, want); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
