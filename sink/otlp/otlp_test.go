package otlp

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

var _ sink.Sink = (*Sink)(nil)

var someSeries = []sink.Series{
	{Metric: &sink.Metric{Name: "one"}, Block: &sink.Block{Tags: tags("a=1")}, Value: 1},
	{Metric: &sink.Metric{Name: "two", Type: sink.Counter}, Block: &sink.Block{Tags: tags("a=2")}, Value: 2},
}

const line1, line2 = "{} one gauge {a=1} 1 " + nano, "{} two sum(2,true) {a=2} 2 " + nano

var protocols = map[string]Protocol{"HTTP": HTTP, "gRPC": GRPC}

// onBoth runs a test with each protocol.
func onBoth(t *testing.T, test func(t *testing.T, p Protocol)) {
	for name, p := range protocols {
		t.Run(name, func(t *testing.T) { test(t, p) })
	}
}

func TestSend(t *testing.T) {
	onBoth(t, func(t *testing.T, p Protocol) {
		receiver := listen(t, answer{})
		file := filepath.Join(t.TempDir(), "token")
		sinktest.Write(t, file, "Bearer secret\n")
		s := newTestSink(t, Config{
			Connection: sink.Connection{UserAgent: "kubestate/1", Headers: map[string]string{"X-Scope-OrgID": "us"}, HeaderFiles: map[string]string{"Authorization": file}}, Protocol: p,
		}, receiver.URL)
		sinktest.Send(t, s, sinktest.Run(0, someSeries, nil, sink.Check{})) // the check is dropped
		got := receiver.Accepted()[0]
		want := map[Protocol]string{HTTP: "/v1/metrics", GRPC: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"}[p]
		if got.Path != want {
			t.Errorf("path %s, want %s", got.Path, want)
		}
		for name, want := range map[string]string{"User-Agent": "kubestate/1", "X-Scope-OrgID": "us", "Authorization": "Bearer secret"} {
			if value := got.Header.Get(name); value != want {
				t.Errorf("header %s is %q, want %q", name, value, want)
			}
		}
		sinktest.CheckLines(t, "series", []string{line1, line2}, receiver.Lines())

		sinktest.Write(t, file, "Bearer other")
		sinktest.Send(t, s, sinktest.Run(0, someSeries[:1], someSeries[1:]))
		if value := receiver.Accepted()[0].Header.Get("Authorization"); value != "Bearer other" {
			t.Errorf("authorization %q after the file changed", value)
		}
		sinktest.CheckLines(t, "series when one has ended", []string{strings.Replace(line2, " 2 "+nano, " none "+nanoBefore, 1) + " flags=1", line1}, receiver.Lines())
		sinktest.Send(t, s, sinktest.Run(0, nil, nil))
		if got := receiver.Lines(); got != nil {
			t.Errorf("empty run sends %v", got)
		}
		if got := s.Stats(); got.Series != 4 || got.Dropped != 1 || got.Payloads != 2 || got.Bytes == 0 {
			t.Errorf("stats %+v", got)
		}
	})
}

// A path in the URL is kept.
func TestURL(t *testing.T) {
	for path, want := range map[string]string{"/": "/v1/metrics", "/api/v1/otlp/v1/metrics": "/api/v1/otlp/v1/metrics", "/x?token=1": "/x"} {
		receiver := listen(t, answer{})
		sinktest.Send(t, newTestSink(t, Config{}, receiver.URL+path), sinktest.Run(0, someSeries, nil))
		if got := receiver.Accepted()[0].Path; got != want {
			t.Errorf("path %s became %s", path, got)
		}
	}
}

// Runs are split into requests.
func TestLimits(t *testing.T) {
	series := sinktest.Pods(20, 10)
	tests := []struct {
		name   string
		config Config
		limits sinktest.Limits
	}{
		{"default", Config{}, sinktest.Limits{Series: 200, Size: 4 << 20, Fewest: 1, Most: 1}},
		{"points", Config{MaxSeries: 60}, sinktest.Limits{Series: 60, Size: 4 << 20, Fewest: 4, Most: 4}},
		{"size", Config{MaxBytes: 10_000}, sinktest.Limits{Series: 200, Size: 10_000, Fewest: 16, Most: 20}},
		{"less than one point", Config{MaxBytes: 10}, sinktest.Limits{Series: 1, Size: 1000, Fewest: 200, Most: 200}},
		{"exactly the buffer", Config{Connection: sink.Connection{Buffer: 4000}, MaxSeries: 2, MaxBytes: 4000}, sinktest.Limits{Series: 2, Size: 4 << 20, Fewest: 100, Most: 100}},
		{"without compression", Config{NoCompression: true}, sinktest.Limits{Series: 200, Size: 4 << 20, Fewest: 1, Most: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, p Protocol) {
				receiver := listen(t, answer{})
				test.config.Protocol = p
				s := newTestSink(t, test.config, receiver.URL)
				r := sinktest.Run(0, series, nil)
				sinktest.Send(t, s, r)
				receiver.CheckLimits(t, test.limits)
				sinktest.CheckLines(t, "series", linesOf(t, r), receiver.Lines())
			})
		})
	}
}

// Receivers accept only some of the points.
func TestPartial(t *testing.T) {
	tests := []struct {
		name             string
		answer           []byte
		series, rejected uint64
		err              string
	}{
		{"some", partial(1, "too old"), 1, 1, "partial success, 1 rejected: too old"},
		{"all", partial(2, "too old"), 0, 2, "partial success, 2 rejected"},
		{"more than sent", partial(1<<40, ""), 0, 2, "rejected"},
		{"none, with a warning", partial(0, "use another version"), 2, 0, ""},
		{"none", partial(0, ""), 2, 0, ""},
		{"negative", partial(-1, ""), 2, 0, ""},
		{"empty response", nil, 2, 0, ""},
		{"malformed", []byte("\xff\xff"), 2, 0, ""},
		{"unknown fields", append([]byte{15<<3 | protobuf.Sized, 1, 0, 14<<3 | protobuf.Fixed64, 0, 0, 0, 0, 0, 0, 0, 0}, partial(1, "x")...), 1, 1, "1 rejected"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, p Protocol) {
				receiver := listen(t, answer{success: test.answer})
				s := newTestSink(t, Config{Protocol: p}, receiver.URL)
				err := sinktest.Try(t, s, sinktest.Run(0, someSeries, nil))
				sinktest.CheckError(t, err, test.err)
				if got := s.Stats(); got.Series != test.series || got.Rejected != test.rejected || got.Retries != 0 {
					t.Errorf("stats %+v", got)
				}
			})
		})
	}
}

// A warning that comes with a success is logged once.
func TestWarning(t *testing.T) {
	var log bytes.Buffer
	receiver := listen(t, answer{success: partial(0, "use another version")})
	s := newTestSink(t, Config{Connection: sink.Connection{Logger: slog.New(slog.NewTextHandler(&log, nil))}}, receiver.URL)
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
	sinktest.Send(t, s, sinktest.Run(15, someSeries, nil))
	if got := strings.Count(log.String(), "use another version"); got != 1 {
		t.Errorf("warning logged %d times:\n%s", got, &log)
	}
}

// These responses are not retried.
func TestRefused(t *testing.T) {
	tests := []struct {
		name     string
		protocol Protocol
		answer   answer
		err      string
	}{
		{"bad request", HTTP, answer{status: 400, message: "name is\nempty"}, "status 400 Bad Request: name is empty"},
		{"not protobuf", HTTP, answer{status: 404, header: map[string]string{"Content-Type": "text/plain"}}, "status 404"},
		{"too large", HTTP, answer{status: 413}, "status 413"},
		{"request timeout, not retryable by the protocol", HTTP, answer{status: 408}, "status 408"},
		{"internal error, not retryable by the protocol", HTTP, answer{status: 500, message: "secret-token is wrong"}, "status 500 Internal Server Error: *** is wrong"},
		{"redirect", HTTP, answer{status: 308, header: map[string]string{"Location": "/other"}}, "status 308"},
		{"invalid argument", GRPC, answer{code: 3, message: "name%20is%0Aempty"}, "gRPC status INVALID_ARGUMENT: name is empty"},
		{"with a message", GRPC, answer{code: 13, message: "100%", success: []byte{}}, "gRPC status INTERNAL: 100%"},
		{"unauthenticated", GRPC, answer{code: 16, message: "secret-token is wrong"}, "UNAUTHENTICATED: *** is wrong"},
		{"too large", GRPC, answer{code: 8, message: "received message larger than max"}, "RESOURCE_EXHAUSTED: received message larger than max (if the request was too large, lower MaxBytes)"},
		{"malformed details", GRPC, answer{code: 8, details: "*"}, "RESOURCE_EXHAUSTED"},
		{"unknown code", GRPC, answer{code: 99}, "gRPC status code 99"},
		{"not gRPC", GRPC, answer{status: 404}, "status 404"},
		{"no status", GRPC, answer{status: 200, lost: true}, "response without a gRPC status"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.protocol, "/", test.name), func(t *testing.T) {
			receiver := listen(t, test.answer)
			s := newTestSink(t, Config{Connection: sink.Connection{Headers: map[string]string{"Authorization": "Bearer secret-token"}}, Protocol: test.protocol}, receiver.URL)
			err := sinktest.Try(t, s, sinktest.Run(0, someSeries, nil))
			sinktest.CheckError(t, err, test.err)
			if got := s.Stats(); got.Series != 0 || got.Rejected != 2 || got.Retries != 0 || len(receiver.Refused()) != 1 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

// retryInfo returns a google.rpc.Status with a RetryInfo, encoded as a header value.
func retryInfo(kind string, seconds, nanos uint64) string {
	duration := protowire.AppendVarint([]byte{1 << 3}, seconds)
	duration = protowire.AppendVarint(append(duration, 2<<3), nanos)
	info := protowire.AppendBytes([]byte{1<<3 | protobuf.Sized}, duration)
	detail := protowire.AppendString([]byte{1<<3 | protobuf.Sized}, "type.googleapis.com/google.rpc."+kind)
	detail = protowire.AppendBytes(append(detail, 2<<3|protobuf.Sized), info)
	status := protowire.AppendString([]byte{1 << 3, 8, 2<<3 | protobuf.Sized}, "busy")
	return base64.RawStdEncoding.EncodeToString(protowire.AppendBytes(append(status, 3<<3|protobuf.Sized), detail))
}

func TestConfig(t *testing.T) {
	tests := []struct {
		config Config
		want   []string
	}{
		{Config{}, []string{`URL with scheme "" and host ""`}},
		{Config{Connection: sink.Connection{URL: "http://\x00/?token=hidden"}}, []string{"invalid URL: cannot be parsed"}},
		{Config{Connection: sink.Connection{URL: "https://hidden@x/"}}, []string{`URL of host "x": must not contain a user`}},
		{Config{Connection: sink.Connection{URL: "http://x/v1/metrics?token=hidden"}, Protocol: GRPC}, []string{`URL of host "x": must have no path for GRPC`}},
		{
			Config{
				Connection: sink.Connection{URL: "grpc://x", Buffer: -3, Timeout: -4, Attempts: -5, Client: &http.Client{}, CAFile: "x", Username: "me", Headers: map[string]string{"A": "hidden"}, HeaderFiles: map[string]string{"A": "f"}}, Protocol: 2, MaxSeries: -1, MaxBytes: -2,
			},
			[]string{
				`scheme "grpc"`, "Protocol 2", "MaxSeries -1", "MaxBytes -2", "Buffer -3", "Timeout -4", "Attempts -5", `CAFile "x"`, `Username "me"`, `header "A"`,
			},
		},
		{Config{Connection: sink.Connection{URL: "http://x", CAFile: "/nonexistent"}}, []string{"read CAFile: open /nonexistent"}},
	}
	for _, test := range tests {
		_, err := New(test.config)
		sinktest.CheckConfig(t, err, test.want...)
	}
}
