package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

// bodyLimit is vmagent's default limit of a response in bytes; see its flag
// -promscrape.maxScrapeSize.
const bodyLimit = 16 << 20

// The slices listed by /sd add up to /metrics, and fit vmagent's defaults although
// /metrics does not. A Prometheus and a vmagent that know only /sd have every series.
func TestSlices(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	k := c.kubestate(t)
	c.change(t, k, 500)
	body := k.Scrape(t)
	if len(body) <= bodyLimit {
		t.Fatalf("/metrics has %d bytes, which a vmagent reads at once", len(body))
	}
	want, err := prometheus.Series([]byte(body), prometheus.ContentTypeText)
	if err != nil {
		t.Fatal(err)
	}
	addresses := discover(t, k)
	t.Logf("/metrics has %d bytes and %d series, in %d slices", len(body), len(want), len(addresses))

	t.Run("union", func(t *testing.T) { testUnion(t, addresses, want) })
	t.Run("scrapers", func(t *testing.T) { testSliceScrapers(t, k, len(addresses), want) })
}

// testSliceScrapers runs all scrapers at once. Those that use /sd have the series of
// all n slices.
func testSliceScrapers(t *testing.T, k *harness.Kubestate, n int, want []string) {
	discovery := fmt.Sprintf("http_sd_configs: [{url: %q}]", k.Main+"/sd")
	t.Run("Prometheus", func(t *testing.T) {
		t.Parallel()
		server := prometheus.Start(t, prometheusBinary, scrapeConfig()+"- {job_name: slices, "+discovery+"}\n")
		server.Wait(t, "every slice is scraped", `count(up == 1)`, n)
		server.CheckSeries(t, "slices", want)
		server.CheckLog(t)
	})
	t.Run("vmagent", func(t *testing.T) {
		t.Parallel()
		v := startVmagent(t, scrapeConfig()+"- {job_name: vmagent, "+discovery+"}\n")
		v.store.Wait(t, "every slice is scraped", `count(up == 1)`, n)
		v.checkSeries(t, want)
		v.checkLog(t)
	})
	t.Run("vmagent without slices", func(t *testing.T) {
		t.Parallel()
		v := startVmagent(t, scrapeConfig()+
			fmt.Sprintf("- {job_name: vmagent, static_configs: [{targets: [%q]}]}\n", strings.TrimPrefix(k.Main, "http://")))
		v.Eventually(t, 3*time.Minute, "vmagent rejects the large body", func() error {
			if !strings.Contains(v.Log(), "maxScrapeSize") {
				return errors.New("it does not")
			}
			return nil
		})
		v.store.Wait(t, "vmagent fails to scrape", `count(up == 0)`, 1)
	})
}

// discover returns the URLs listed by /sd, built as Prometheus builds them.
func discover(t *testing.T, k *harness.Kubestate) []string {
	t.Helper()
	response, err := harness.Get(t.Context(), k.Main+"/sd")
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal([]byte(response.Body), &groups); err != nil {
		t.Fatalf("/sd: %v: %s", err, response.Body)
	}
	var addresses []string
	for _, g := range groups {
		for _, target := range g.Targets {
			u := url.URL{Scheme: "http", Host: target, Path: "/metrics"}
			if path, ok := g.Labels["__metrics_path__"]; ok {
				u.Path = path
			}
			query := url.Values{}
			for name, value := range g.Labels {
				if parameter, ok := strings.CutPrefix(name, "__param_"); ok {
					query.Set(parameter, value)
				}
			}
			u.RawQuery = query.Encode()
			addresses = append(addresses, u.String())
		}
	}
	if len(addresses) < 2 {
		t.Fatalf("/sd lists %d slices of a large body: %s", len(addresses), response.Body)
	}
	return addresses
}

// testUnion fails the test unless every wanted series is in one slice, in each encoding
// and as protobuf, and slices are small and nearly equal in size.
func testUnion(t *testing.T, addresses, want []string) {
	smallest, largest := bodyLimit, 0
	union := map[string]string{} // series → slice
	for _, address := range addresses {
		body, series := readSlice(t, address)
		smallest, largest = min(smallest, len(body)), max(largest, len(body))
		for _, s := range series {
			if other, ok := union[s]; ok {
				t.Fatalf("%s is in %s and in %s", s, other, address)
			}
			union[s] = address
		}
	}
	if err := prometheus.SameSeries(slices.Sorted(maps.Keys(union)), want); err != nil {
		t.Errorf("the slices have %v", err)
	}
	t.Logf("slices have %d to %d bytes", smallest, largest)
	if largest > bodyLimit || largest > smallest*3/2 {
		t.Errorf("slices have %d to %d bytes", smallest, largest)
	}
}

// readSlice returns the text of a slice and its series, and fails the test unless all
// formats and encodings agree.
func readSlice(t *testing.T, address string) (body []byte, series []string) {
	t.Helper()
	body, err := get(t.Context(), address, "text/plain", "identity")
	if err != nil {
		t.Fatal(err)
	}
	for encoding, decode := range map[string]func(context.Context, []byte) ([]byte, error){"gzip": oneMember, "zstd": unzstd} {
		got, err := decoded(encoding, decode)(t.Context(), address, "text/plain")
		if err := errors.Join(err, equal(got, body)); err != nil {
			t.Errorf("%s: %s: %v", address, encoding, err)
		}
	}
	if series, err = prometheus.Series(body, prometheus.ContentTypeText); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	protobuf := protobufFormat()
	message, err := get(t.Context(), address, protobuf.accept, "zstd")
	if err != nil {
		t.Fatal(err)
	}
	if message, err = unzstd(t.Context(), message); err != nil {
		t.Fatalf("%s: protobuf: %v", address, err)
	}
	got, err := prometheus.Series(message, protobuf.accept)
	if err := errors.Join(err, prometheus.SameSeries(got, series)); err != nil {
		t.Errorf("%s: protobuf: %v", address, err)
	}
	return body, series
}
