package datadog

import (
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

var _ sink.Sink = (*Sink)(nil)

var someSeries = []sink.Series{
	{Metric: &sink.Metric{Name: "one"}, Block: &sink.Block{Tags: tags("a=1")}, Value: 1},
	{Metric: &sink.Metric{Name: "two"}, Block: &sink.Block{Tags: tags("a=2"), Host: "h"}, Value: 2},
}

func TestSend(t *testing.T) {
	receiver := listen(t, nil)
	s := newTestSink(t, Config{}, receiver.URL+"/")
	r := sinktest.Run(0, someSeries, nil)
	sinktest.Send(t, s, r)
	if key := keyOf(receiver.Accepted()[0]); key != testKey {
		t.Errorf("API key %q", key)
	}
	sinktest.CheckLines(t, "series", linesOf(t, r), receiver.Lines())
	r = sinktest.Run(15, someSeries[:1], someSeries[1:])
	sinktest.Send(t, s, r)
	sinktest.CheckLines(t, "series when one has ended", linesOf(t, r), receiver.Lines())
	sinktest.Send(t, s, sinktest.Run(30, nil, nil))
	if got := receiver.Lines(); got != nil {
		t.Errorf("empty run sends %v", got)
	}
	if got := s.Stats(); got.Series != 3 || got.Payloads != 2 || got.Bytes == 0 {
		t.Errorf("stats %+v", got)
	}
}

func TestChecks(t *testing.T) {
	receiver := listen(t, nil)
	s := newTestSink(t, Config{Tags: tags("env=prod")}, receiver.URL)
	block := &sink.Block{Host: "node-1", Tags: tags("node=node-1"), Resource: tags("r=1")}
	sinktest.Send(t, s, sinktest.Run(0, someSeries[:1], nil,
		sink.Check{Name: "kubernetes_state.node.ready", Status: sink.Critical, Message: "disk \"full\"\xff", Block: block, Tags: tags("c=d")},
		sink.Check{Name: "kubernetes_state.job.complete", Block: &sink.Block{}},
	))
	want := append(linesOf(t, sinktest.Run(0, []sink.Series{{Metric: someSeries[0].Metric, Block: &sink.Block{Tags: tags("env=prod", "a=1")}, Value: 1}}, nil)),
		`{"check":"kubernetes_state.node.ready","host_name":"node-1","timestamp":1700000000,"status":2,"message":"disk \"full\"\ufffd",`+
			`"tags":["env:prod","node:node-1","r:1","c:d"]}`,
		`{"check":"kubernetes_state.job.complete","host_name":"","timestamp":1700000000,"status":0,"message":"","tags":["env:prod"]}`)
	sinktest.CheckLines(t, "checks", want, receiver.Lines())
	if got := s.Stats(); got.Series != 3 || got.Payloads != 2 {
		t.Errorf("stats %+v", got)
	}
}

// Runs are split into requests.
func TestLimits(t *testing.T) {
	series := sinktest.Pods(20, 50)
	var checks []sink.Check
	for i := range series {
		checks = append(checks, sink.Check{Name: fmt.Sprint("check-", i), Block: series[i].Block})
	}
	tests := []struct {
		name   string
		config Config
		limits sinktest.Limits
	}{
		{"default", Config{}, sinktest.Limits{Series: 1000, Size: 5 << 20, Compressed: 512_000, Fewest: 2, Most: 3}},
		{"points", Config{MaxSeries: 300}, sinktest.Limits{Series: 300, Size: 5 << 20, Compressed: 512_000, Fewest: 8, Most: 8}},
		{"size", Config{MaxBytes: 50_000}, sinktest.Limits{Series: 10_000, Size: 600_000, Compressed: 512_000, Fewest: 15, Most: 18}},
		{"compressed", Config{MaxCompressed: 3_000}, sinktest.Limits{Series: 10_000, Size: 5 << 20, Compressed: 3_000, Fewest: 10, Most: 1000}},
		{"exactly the buffer", Config{Connection: sink.Connection{Buffer: 10_000}, MaxSeries: 10, MaxCompressed: 10_000}, sinktest.Limits{Series: 10, Size: 5 << 20, Compressed: 512_000, Fewest: 200, Most: 200}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			receiver := listen(t, nil)
			s := newTestSink(t, test.config, receiver.URL)
			sinktest.Send(t, s, sinktest.Run(0, series, nil, checks...))
			receiver.CheckLimits(t, test.limits)
			got := receiver.Lines()
			sinktest.CheckLines(t, "series", linesOf(t, sinktest.Run(0, series, nil)), got[:min(len(series), len(got))])
			if len(got) != len(series)+len(checks) {
				t.Errorf("received %d of %d series and checks", len(got), len(series)+len(checks))
			}
		})
	}
}

// What cannot be sent is reported; the rest is sent.
func TestLost(t *testing.T) {
	m, long := &sink.Metric{Name: "m"}, &sink.Block{}
	for i := range 5000 { // random numbers, which hardly compress
		long.Tags = append(long.Tags, sink.Tag{Key: fmt.Sprint(i), Value: fmt.Sprint(i * i * i)})
	}
	good := sink.Series{Metric: m, Block: &sink.Block{}, Value: 1}
	series := []sink.Series{
		good, {Metric: m, Block: good.Block, Value: math.NaN()}, {Metric: m, Block: good.Block, Value: math.Inf(1)},
		{Metric: m, Block: good.Block, Value: math.Inf(-1)}, {Metric: m, Block: long}, good,
	}
	checks := []sink.Check{{Name: "c", Block: long}, {Name: "c", Block: good.Block}}
	for name, config := range map[string]Config{"size": {MaxBytes: 10_000, MaxCompressed: 10_000}, "compressed": {MaxCompressed: 10_000}} {
		t.Run(name, func(t *testing.T) {
			receiver := listen(t, nil)
			s := newTestSink(t, config, receiver.URL)
			err := sinktest.Try(t, s, sinktest.Run(0, series, nil, checks...))
			const want = "datadog: 5 series lost: 3 NaN or infinite, 2 larger than the maximum request"
			if err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			if got := receiver.Lines(); len(got) != 3 {
				t.Errorf("received %d series and checks, want 3", len(got))
			}
			if got := s.Stats(); got.Series != 3 || got.Dropped != 5 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

// The receiver accepts less than the documented maximum.
func TestRequestTooLarge(t *testing.T) {
	series := sinktest.Pods(1, 35)
	const most = 4
	receiver := listen(t, func(_ http.ResponseWriter, r sinktest.Request) int {
		if len(r.Lines) > most || slices.ContainsFunc(r.Lines, func(line string) bool { return strings.Contains(line, "metric_7{") }) {
			return http.StatusRequestEntityTooLarge
		}
		return sinktest.Success
	})
	s := newTestSink(t, Config{}, receiver.URL)
	err := sinktest.Try(t, s, sinktest.Run(0, series, nil))
	sinktest.CheckError(t, err, "413")
	want := linesOf(t, sinktest.Run(0, slices.Delete(slices.Clone(series), 7, 8), nil))
	sinktest.CheckLines(t, "series", want, receiver.Lines())
	if got := s.Stats(); got.Series != 34 || got.Rejected != 1 {
		t.Errorf("stats %+v", got)
	}
}

// The receiver accepts only a few service checks at a time, and one of them never.
func TestChecksTooLarge(t *testing.T) {
	receiver := listen(t, func(_ http.ResponseWriter, r sinktest.Request) int {
		if len(r.Lines) > 4 || slices.ContainsFunc(r.Lines, func(line string) bool { return strings.Contains(line, `"check":"c7"`) }) {
			return http.StatusRequestEntityTooLarge
		}
		return sinktest.Success
	})
	s := newTestSink(t, Config{}, receiver.URL)
	var checks []sink.Check
	for i := range 21 {
		checks = append(checks, sink.Check{Name: fmt.Sprint("c", i), Block: &sink.Block{}, Message: "a < b"})
	}
	sinktest.CheckError(t, sinktest.Try(t, s, sinktest.Run(0, nil, nil, checks...)), "413")
	var want []string
	for i := range checks {
		if i != 7 {
			want = append(want, string(appendCheck(nil, &checks[i], nil, time.Unix(sinktest.Seconds, 0))))
		}
	}
	sinktest.CheckLines(t, "checks", want, receiver.Lines())
	if got := s.Stats(); got.Series != 20 || got.Rejected != 1 {
		t.Errorf("stats %+v", got)
	}
}

// The API key is invalid until the file changes.
func TestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := sinktest.New(t, protocol, func(_ http.ResponseWriter, r sinktest.Request) int {
			return map[string]int{"bad-key": http.StatusForbidden}[keyOf(r)]
		})
		n := &sinktest.Network{Receiver: receiver}
		file := filepath.Join(t.TempDir(), "key")
		sinktest.Write(t, file, "bad-key")
		s := newTestSink(t, Config{Connection: sink.Connection{Client: n.Client()}, KeyFile: file}, "http://receiver")
		err := sinktest.SendWithin(t, s, time.Minute, sinktest.Run(0, someSeries, nil))
		if err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), "check that the API key in "+file+" is valid") {
			t.Errorf("error %v", err)
		}
		sinktest.Write(t, file, " good-key \n")
		sinktest.CheckError(t, sinktest.SendWithin(t, s, time.Hour, sinktest.Run(0, someSeries, nil)), "")
		if got := keyOf(receiver.Accepted()[0]); got != "good-key" {
			t.Errorf("API key %q after the file changed", got)
		}
		if got := s.Stats(); got.Series != 4 || got.Rejected+got.Dropped != 0 || got.Retries == 0 {
			t.Errorf("stats %+v: not everything was sent", got)
		}
	})
}

func TestConfig(t *testing.T) {
	tests := []struct {
		config Config
		want   []string
	}{
		{Config{}, []string{"KeyFile: must be the path of a file with the API key"}},
		{Config{Connection: sink.Connection{URL: "http://\x00/?token=hidden"}, KeyFile: "k"}, []string{"invalid URL: cannot be parsed"}},
		{Config{Connection: sink.Connection{URL: "https://hidden@x/"}, KeyFile: "k"}, []string{`URL of host "x": must not contain a user`}},
		{
			Config{Connection: sink.Connection{URL: "ftp://x?token=hidden", Buffer: -4, Timeout: -5, Attempts: -6, Client: &http.Client{}, CAFile: "x"}, MaxSeries: -1, MaxBytes: -2, MaxCompressed: -3},
			[]string{
				`scheme "ftp"`, "must not have a query", "KeyFile", "MaxSeries -1", "MaxBytes -2", "MaxCompressed -3", "Buffer -4", "Timeout -5",
				"Attempts -6", `CAFile "x"`,
			},
		},
		{Config{Connection: sink.Connection{CAFile: "/nonexistent"}, KeyFile: "k"}, []string{"read CAFile: open /nonexistent"}},
	}
	for _, test := range tests {
		_, err := New(test.config)
		sinktest.CheckConfig(t, err, test.want...)
	}
}
