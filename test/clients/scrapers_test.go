package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

// scrapeInterval, also the timeout, leaves time for all large responses at once. The
// first scrape happens at a random time within it. If a scrape times out on a busy
// machine, the tests wait for the next one.
const scrapeInterval = "20s"

// job is a scrape job of Prometheus for /metrics.
type job struct {
	name        string
	protocol    string // as in scrape_protocols
	contentType string // prefix of the expected Content-Type
	encoding    string // expected Content-Encoding
}

// testScrapers runs all scrapers at once: most of the time they wait.
func testScrapers(t *testing.T, through *recorder, want []string) {
	for name, test := range map[string]func(*testing.T, *recorder, []string){
		"Prometheus": testPrometheus, "Prometheus zstd": testPrometheusZstd, "vmagent": testVmagent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, through, want)
		})
	}
}

func testPrometheus(t *testing.T, through *recorder, want []string) {
	scrapeWithPrometheus(t, through, want, []job{
		{"text-identity", "PrometheusText0.0.4", "text/plain;", ""},
		{"text-gzip", "PrometheusText0.0.4", "text/plain;", "gzip"},
		{"openmetrics-gzip", "OpenMetricsText1.0.0", "application/openmetrics-text;", "gzip"},
		{"protobuf-gzip", "PrometheusProto", "application/vnd.google.protobuf;", "gzip"},
	})
}

func testPrometheusZstd(t *testing.T, through *recorder, want []string) {
	scrapeWithPrometheus(t, through, want, []job{
		{"text-zstd", "PrometheusText0.0.4", "text/plain;", "zstd"},
		{"openmetrics-zstd", "OpenMetricsText1.0.0", "application/openmetrics-text;", "zstd"},
		{"protobuf-zstd", "PrometheusProto", "application/vnd.google.protobuf;", "zstd"},
	}, "--enable-feature=zstd-scrape")
}

// scrapeWithPrometheus fails the test unless Prometheus has exactly the wanted series
// of every job, received in the format and encoding of the job.
func scrapeWithPrometheus(t *testing.T, through *recorder, want []string, jobs []job, flags ...string) {
	t.Helper()
	config := scrapeConfig()
	for _, j := range jobs {
		config += fmt.Sprintf("- {job_name: %[1]s, metrics_path: /%[1]s/metrics, scrape_protocols: [%s], enable_compression: %t, static_configs: [{targets: [%q]}]}\n",
			j.name, j.protocol, j.encoding != "", through.address())
	}
	server := prometheus.Start(t, prometheusBinary, config, flags...)
	server.Wait(t, "every job is scraped", `count(up == 1)`, len(jobs))
	for _, j := range jobs {
		if err := through.agreed(j.name, j.contentType, j.encoding); err != nil {
			t.Error(err)
		}
		server.CheckSeries(t, j.name, want)
	}
	server.CheckLog(t)
}

// scrapeConfig is the start of a configuration; jobs follow.
func scrapeConfig() string {
	return fmt.Sprintf("global: {scrape_interval: %[1]s, scrape_timeout: %[1]s}\nscrape_configs:\n", scrapeInterval)
}

func testVmagent(t *testing.T, through *recorder, want []string) {
	v := startVmagent(t, scrapeConfig()+
		fmt.Sprintf("- {job_name: vmagent, metrics_path: /vmagent/metrics, static_configs: [{targets: [%q]}]}\n", through.address()),
		"-promscrape.maxScrapeSize=1GB")
	v.store.Wait(t, "vmagent has scraped", `count(up == 1)`, 1)
	v.checkSeries(t, want)
	v.checkLog(t)
	if err := through.agreed("vmagent", "text/plain;", "gzip"); err != nil {
		t.Error(err)
	}
}

// vmagent is a running vmagent that writes what it scrapes to a Prometheus.
type vmagent struct {
	*harness.Process
	store *prometheus.Server
}

func startVmagent(t *testing.T, config string, flags ...string) *vmagent {
	t.Helper()
	store := prometheus.Start(t, prometheusBinary, "global: {}\n", "--web.enable-remote-write-receiver")
	dir := t.TempDir()
	file := filepath.Join(dir, "vmagent.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return &vmagent{store: store, Process: harness.Start(t, "vmagent", vmagentBinary, append([]string{
		"-promscrape.config=" + file,
		"-remoteWrite.url=" + store.URL + "/api/v1/write", "-remoteWrite.forcePromProto", // Prometheus supports no other
		"-remoteWrite.tmpDataPath=" + filepath.Join(dir, "queue"),
		"-httpListenAddr=127.0.0.1:0",
	}, flags...)...)}
}

// checkSeries fails the test unless vmagent forwarded exactly the wanted series of job
// vmagent.
func (v *vmagent) checkSeries(t *testing.T, want []string) {
	t.Helper()
	v.store.Wait(t, "vmagent has passed all series on", `count({job="vmagent",__name__=~"kube_.+"})`, len(want))
	if err := prometheus.SameSeries(rounded(t, v.store.Series(t, "vmagent")), rounded(t, want)); err != nil {
		t.Errorf("vmagent has passed on %v", err)
	}
}

// checkLog fails the test if vmagent logged anything but effects of a busy machine:
// scrape timeouts and retried blocks.
func (v *vmagent) checkLog(t *testing.T) {
	t.Helper()
	slow := regexp.MustCompile(`cannot scrape target .*(timeout|deadline exceeded)|re-sending the block`)
	for line := range strings.Lines(v.Log()) {
		if fields := strings.Split(line, "\t"); len(fields) > 1 && fields[1] != "info" && !slow.MatchString(line) {
			t.Errorf("vmagent complains: %s", line)
		}
	}
}

// rounded returns series with values of 14 digits. vmagent parses 1.1e+11 as the
// product of two numbers, which makes the last of 17 digits wrong.
func rounded(t *testing.T, series []string) []string {
	t.Helper()
	all := make([]string, len(series))
	for i, s := range series {
		space := strings.LastIndexByte(s, ' ')
		value, err := strconv.ParseFloat(s[space+1:], 64)
		if err != nil {
			t.Fatalf("series %s: %v", s, err)
		}
		all[i] = fmt.Sprintf("%s %.14g", s[:space], value)
	}
	return all
}
