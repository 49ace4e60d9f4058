package serve

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/flush"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/kubewatch/lease"
	"github.com/kubestate/kubestate/sink"
)

// TestAgentTelemetry checks the metrics about an agent alone, on the only port
// that there is then.
func TestAgentTelemetry(t *testing.T) {
	fine := func() error { return nil }
	a := &Agent{
		Stats: func() agent.Stats { return agent.Stats{Objects: 1, Series: 2, Groups: 3, Blocks: 4, Failures: 5} },
		Receivers: func() []flush.Stats {
			return []flush.Stats{{
				Name: "otlp", Runs: 10, Failed: 3, Skipped: 2, Series: 7, Duration: 1500 * time.Millisecond, LastSent: time.UnixMilli(1234500),
				Sink: sink.Stats{Series: 11, Payloads: 12, Bytes: 13, Rejected: 14, Dropped: 15, Retries: 16, Buffered: 17},
			}, {Name: "fresh"}}
		},
	}
	election := func() lease.Status { return lease.Status{Leading: true, Acquired: 6, Failures: 8} }
	sources := Sources{Build: Build{Version: "v9"}, Agent: a, Election: election, Watches: func() []kubewatch.Status { return nil }}
	c := Config{
		TelemetryAddress: "127.0.0.1:0", Telemetry: NewTelemetry(sources).Handler(), Health: Health{Live: fine, Ready: fine}, Logger: slog.New(slog.DiscardHandler),
		Page: func() Page { return Page{Version: "v9", Rows: sources.Rows(), Sinks: a.Rows()} },
	}
	s, end := start(t, c)
	_, body := get(t, s.TelemetryAddress(), "/metrics")
	for _, want := range []string{
		"kubestate_agent_objects 1", "kubestate_agent_series 2", "kubestate_agent_groups 3", "kubestate_agent_blocks_total 4", "kubestate_agent_collect_failures_total 5",
		"kubestate_agent_leader 1", "kubestate_agent_elections_total 6", "kubestate_agent_lease_failures_total 8",
		`kubestate_agent_runs_total{result="success",sink="otlp"} 7`, `kubestate_agent_runs_total{result="failed",sink="otlp"} 3`,
		`kubestate_agent_runs_total{result="skipped",sink="otlp"} 2`,
		`kubestate_agent_run_series{sink="otlp"} 7`, `kubestate_agent_run_duration_seconds{sink="otlp"} 1.5`,
		`kubestate_agent_last_success_timestamp_seconds{sink="otlp"} 1234.5`,
		`kubestate_sink_series_total{sink="otlp"} 11`, `kubestate_sink_payloads_total{sink="otlp"} 12`, `kubestate_sink_bytes_total{sink="otlp"} 13`,
		`kubestate_sink_rejected_series_total{sink="otlp"} 14`, `kubestate_sink_dropped_series_total{sink="otlp"} 15`,
		`kubestate_sink_retries_total{sink="otlp"} 16`, `kubestate_sink_buffered_payloads{sink="otlp"} 17`,
		`kubestate_sink_series_total{sink="fresh"} 0`,
	} {
		if !strings.Contains(body, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
	if !strings.Contains(body, "\ngo_goroutines ") {
		t.Error("the metrics of the runtime are missing")
	}
	for _, without := range []string{"last_success_timestamp_seconds{sink=\"fresh\"}", "kubestate_store_objects"} {
		if strings.Contains(body, without) {
			t.Errorf("%s is there", without)
		}
	}
	for path, want := range map[string]string{"/livez": "OK", "/healthz": "OK", "/readyz": "OK", "/": "<th scope=\"row\">otlp</th>"} {
		if code, body := get(t, s.TelemetryAddress(), path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Without an election this replica is the one that sends.
func TestAgentAlone(t *testing.T) {
	sources := Sources{Watches: func() []kubewatch.Status { return nil }, Agent: &Agent{
		Stats:     func() agent.Stats { return agent.Stats{} },
		Receivers: func() []flush.Stats { return nil },
	}}
	families, err := NewTelemetry(sources).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch f.GetName() {
		case "kubestate_agent_leader":
			if v := f.GetMetric()[0].GetGauge().GetValue(); v != 1 {
				t.Errorf("leader %v", v)
			}
		case "kubestate_agent_elections_total":
			t.Error("there are elections")
		}
	}
}
