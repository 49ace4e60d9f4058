package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// start serves c on free ports and returns how to end it; end returns what Run did.
func start(t *testing.T, c Config) (s *Servers, end func() error) {
	t.Helper()
	c.Address, c.TelemetryAddress = "127.0.0.1:0", "127.0.0.1:0"
	c.Logger = slog.New(slog.DiscardHandler)
	s, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() error { cancel(); return <-done }
}

func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) })
}

func TestPaths(t *testing.T) {
	var notReady, notLive atomic.Bool
	check := func(b *atomic.Bool, why string) func() error {
		return func() error {
			if b.Load() {
				return errors.New(why)
			}
			return nil
		}
	}
	s, end := start(t, Config{
		Metrics: text("main"), Discovery: text("slices"), Telemetry: text("self"),
		Health: Health{
			Live: check(&notLive, "stuck"), Ready: check(&notReady, "pods: syncing"),
			NotServed: func() []string { return []string{"secrets (forbidden)"} },
		},
		Page: func() Page {
			return Page{Version: "v1<b>", Rows: []Row{
				{Resource: "pods", State: "synced", Objects: 12, Series: 34, Bytes: 5 << 20},
				{Resource: "nodes", Namespace: "x", State: "failing", Error: "nodes is <forbidden>"},
			}}
		},
	})
	f := func(address, path string, wantCode int, want string) {
		t.Helper()
		if code, body := get(t, address, path); code != wantCode || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %q, want %d %q", path, code, body, wantCode, want)
		}
	}
	main, telemetry := s.Address(), s.TelemetryAddress()
	f(main, "/metrics", 200, "main")
	f(main, "/sd", 200, "slices")
	f(main, "/healthz", 200, "OK")
	f(main, "/livez", 200, "OK")
	f(main, "/readyz", 200, "OK\nnot served: secrets (forbidden)")
	f(main, "/nothing", 404, "")
	f(main, "/debug/pprof/", 404, "")
	f(telemetry, "/metrics", 200, "self")
	f(telemetry, "/readyz", 200, "OK")
	f(telemetry, "/debug/pprof/", 200, "goroutine")
	f(telemetry, "/livez", 404, "")
	for _, address := range []string{main, telemetry} {
		f(address, "/", 200, "v1&lt;b&gt;")
		f(address, "/", 200, "5.0 MiB")
		f(address, "/", 200, "nodes is &lt;forbidden&gt;")
	}
	notReady.Store(true)
	f(main, "/readyz", 503, "pods: syncing\nnot served: secrets (forbidden)")
	f(telemetry, "/readyz", 503, "pods: syncing")
	f(main, "/sd", 503, "pods: syncing")
	f(main, "/livez", 200, "OK")
	notLive.Store(true)
	f(main, "/livez", 503, "stuck")
	f(main, "/healthz", 200, "OK")
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestPortsInUse(t *testing.T) {
	fine := func() error { return nil }
	c := Config{Metrics: text(""), Telemetry: text(""), Health: Health{Live: fine, Ready: fine}, Page: func() Page { return Page{} }}
	s, end := start(t, c)
	c.Address, c.TelemetryAddress, c.Logger = s.Address(), s.TelemetryAddress(), slog.New(slog.DiscardHandler)
	_, err := Listen(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "main port: listen tcp "+s.Address()) || !strings.Contains(err.Error(), "telemetry port: listen tcp "+s.TelemetryAddress()) {
		t.Errorf("got %v, want both ports named", err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestTelemetry checks the names and labels that public alerts use, and what is
// said of a watch that fails.
func TestTelemetry(t *testing.T) {
	x, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets}})
	if err != nil {
		t.Fatal(err)
	}
	resource := kind.ReplicaSets.Resource
	statuses := []kubewatch.Status{
		{Resource: resource, Namespace: "a", State: kubewatch.Synced, Synced: true, Counts: kubewatch.Counts{Lists: 2, Watches: 3, Modified: 7}},
		{Resource: resource, Namespace: "b", State: kubewatch.Failing, Reason: "Forbidden", Error: "no", Counts: kubewatch.Counts{ListErrors: 4, WatchErrors: 5}},
	}
	telemetry := NewTelemetry(Sources{Build: Build{Version: "v9"}, Exporter: x, Watches: func() []kubewatch.Status { return statuses }})
	fine := func() error { return nil }
	s, end := start(t, Config{Metrics: telemetry.Time(x), Telemetry: telemetry.Handler(), Health: Health{Live: fine, Ready: fine}, Page: func() Page { return Page{} }})
	get(t, s.Address(), "/metrics")
	_, body := get(t, s.TelemetryAddress(), "/metrics")
	for _, want := range []string{
		`kube_state_metrics_list_total{resource="*v1.ReplicaSet",result="success"} 2`,
		`kube_state_metrics_list_total{resource="*v1.ReplicaSet",result="error"} 4`,
		`kube_state_metrics_watch_total{resource="*v1.ReplicaSet",result="success"} 3`,
		`kube_state_metrics_watch_total{resource="*v1.ReplicaSet",result="error"} 5`,
		`kube_state_metrics_shard_ordinal{shard_ordinal="0"} 0`,
		`kube_state_metrics_total_shards 1`,
		`http_request_duration_seconds_count{handler="metrics",method="get"} 1`,
		`kubestate_watch_up{namespace="a",resource="replicasets"} 1`,
		`kubestate_watch_up{namespace="b",resource="replicasets"} 0`,
		`kubestate_watch_failure_info{namespace="b",reason="Forbidden",resource="replicasets"} 1`,
		`kubestate_watch_events_total{namespace="a",resource="replicasets",type="modified"} 7`,
		`kubestate_store_objects{resource="replicasets"} 0`,
		`version="v9"`,
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(body, `kubestate_watch_failure_info{namespace="a"`) {
		t.Error("a watch that works gives a reason for failing")
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestAddress(t *testing.T) {
	f := func(host, want string) {
		t.Helper()
		if got := Address(host, 80); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
	f("::", ":80")
	f("127.0.0.1", "127.0.0.1:80")
	f("::1", "[::1]:80")
	f("example.com", "example.com:80")
}
