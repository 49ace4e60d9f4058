package clients

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

// bodyLimit is what vmagent reads of a body by default, in bytes; see its flag
// -promscrape.maxScrapeSize.
const bodyLimit = 16 << 20

// TestSlices: the slices that /sd lists are together what /metrics says, and
// small enough for vmagent's defaults where /metrics is not. A Prometheus and a
// vmagent that know only /sd have every series.
func TestSlices(t *testing.T) {
	c := startCluster(t)
	k := c.kubestate(t)
	c.change(t, k, 500)
	body := k.Scrape(t)
	if len(body) <= bodyLimit {
		t.Fatalf("/metrics has %d bytes, which a vmagent reads at once", len(body))
	}
	want, err := prometheus.Series([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	addresses := discover(t, k)
	t.Logf("/metrics has %d bytes and %d series, in %d slices", len(body), len(want), len(addresses))

	t.Run("union", func(t *testing.T) { testUnion(t, addresses, want) })
	discovery := fmt.Sprintf("http_sd_configs: [{url: %q}]", k.Main+"/sd")
	t.Run("Prometheus", func(t *testing.T) {
		server := prometheus.Start(t, prometheusBinary, scrapeConfig()+"- {job_name: slices, "+discovery+"}\n")
		server.Wait(t, "every slice is scraped", `count(up == 1)`, len(addresses))
		server.CheckSeries(t, "slices", want)
		server.CheckLog(t)
	})
	t.Run("vmagent", func(t *testing.T) {
		v := startVmagent(t, scrapeConfig()+"- {job_name: vmagent, "+discovery+"}\n")
		v.store.Wait(t, "every slice is scraped", `count(up == 1)`, len(addresses))
		v.checkSeries(t, want)
		v.checkLog(t)
	})
	t.Run("vmagent without slices", func(t *testing.T) {
		v := startVmagent(t, scrapeConfig()+
			fmt.Sprintf("- {job_name: vmagent, static_configs: [{targets: [%q]}]}\n", strings.TrimPrefix(k.Main, "http://")))
		v.store.Wait(t, "vmagent fails to scrape", `count(up == 0)`, 1)
		if !strings.Contains(v.Log(), "maxScrapeSize") {
			t.Error("vmagent does not say that the body is too large")
		}
	})
}

// discover returns the URLs that /sd lists, made as Prometheus makes them.
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

// testUnion fails the test unless every series that is wanted is in one slice,
// in each encoding, and slices are small and of near equal size.
func testUnion(t *testing.T, addresses, want []string) {
	smallest, largest := bodyLimit, 0
	union := map[string]string{} // series → slice
	for _, address := range addresses {
		body, err := get(t.Context(), address, "text/plain", "identity")
		if err != nil {
			t.Fatal(err)
		}
		zipped, err := get(t.Context(), address, "text/plain", "gzip")
		if err != nil {
			t.Fatal(err)
		}
		if unzipped, err := oneMember(t.Context(), zipped); err != nil || equal(unzipped, body) != nil {
			t.Errorf("%s: gzip: %v, %v", address, err, equal(unzipped, body))
		}
		smallest, largest = min(smallest, len(body)), max(largest, len(body))
		series, err := prometheus.Series(body)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
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
