package sinks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

var buildCollector = sync.OnceValue(func() error { return harness.Build(os.Stderr, ".", "bin", "./collector") })

// collector is a running OpenTelemetry Collector, which writes received requests to a
// file.
type collector struct {
	*harness.Process
	http, grpc string // URLs
	file       string
}

// startCollector starts a Collector. With a certificate it speaks only TLS.
func startCollector(t *testing.T, secure *certificate) *collector {
	t.Helper()
	if err := buildCollector(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ports := harness.FreePorts(t, 2)
	httpAddress, grpcAddress := fmt.Sprint("127.0.0.1:", ports[0]), fmt.Sprint("127.0.0.1:", ports[1])
	c := &collector{http: "http://" + httpAddress, grpc: "http://" + grpcAddress, file: filepath.Join(dir, "requests")}
	tls := ""
	if secure != nil {
		c.http, c.grpc = "https://"+httpAddress, "https://"+grpcAddress
		tls = fmt.Sprintf(", tls: {cert_file: %q, key_file: %q}", secure.file, secure.key)
	}
	config := filepath.Join(dir, "config.yaml")
	writeFile(t, config, fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: %q%s}, grpc: {endpoint: %q%s}}}}
exporters: {lines: {file: %q}}
service: {pipelines: {metrics: {receivers: [otlp], exporters: [lines]}}}
`, httpAddress, tls, grpcAddress, tls, c.file))
	c.Process = harness.Start(t, "collector", "bin/collector", "--config", config)
	harness.Eventually(t, time.Minute, "the Collector listens", func() error {
		for _, address := range []string{httpAddress, grpcAddress} {
			connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				return err
			}
			_ = connection.Close()
		}
		return nil
	})
	return c
}

func writeFile(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// received returns a line for each data point that the Collector received, sorted.
func (c *collector) received(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(content)) {
		metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range metrics.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				if scope.Scope().Name() != "github.com/kubestate/kubestate" || scope.Scope().Version() != "1.2.3" {
					t.Errorf("the scope is %s %s", scope.Scope().Name(), scope.Scope().Version())
				}
				for _, metric := range scope.Metrics().All() {
					all = append(all, pointLines(t, attributes(resource.Resource().Attributes()), metric)...)
				}
			}
		}
	}
	return all
}

func pointLines(t *testing.T, resource string, m pmetric.Metric) (lines []string) {
	t.Helper()
	var points pmetric.NumberDataPointSlice
	kind := "gauge"
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		points = m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		points = m.Sum().DataPoints()
		kind = fmt.Sprintf("%s sum, monotonic: %t", m.Sum().AggregationTemporality(), m.Sum().IsMonotonic())
	default:
		t.Errorf("%s is a %s", m.Name(), m.Type())
		return nil
	}
	for _, p := range points.All() {
		value := fmt.Sprint(p.DoubleValue())
		if p.Flags().NoRecordedValue() {
			value = "ended"
		}
		lines = append(lines, pointLine(resource, m.Name(), m.Description(), m.Unit(), kind, attributes(p.Attributes()), value,
			p.Timestamp().AsTime(), p.StartTimestamp().AsTime()))
	}
	return lines
}

func pointLine(resource, name, help, unit, kind, attributes, value string, at, start time.Time) string {
	line := fmt.Sprintf("%s %s %q %q (%s) %s = %s at %s", resource, name, help, unit, kind, attributes, value, at.UTC().Format(time.RFC3339Nano))
	if start.UnixNano() > 0 {
		line += " since " + start.UTC().Format(time.RFC3339Nano)
	}
	return line
}

// attributes returns attributes as labelText does. An array is its JSON, as in
// Prometheus.
func attributes(all pcommon.Map) string {
	values := map[string]string{}
	for key, value := range all.All() {
		values[key] = value.AsString()
	}
	return labelText(values)
}

// certificate is a self-signed certificate for 127.0.0.1.
type certificate struct{ file, key string }

func newCertificate(t *testing.T) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &certificate{file: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	writeFile(t, c.file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})))
	writeFile(t, c.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	return c
}
