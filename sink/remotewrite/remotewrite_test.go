package remotewrite

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	{Metric: &sink.Metric{Name: "one", Help: "First."}, Block: &sink.Block{Tags: tags("a=1")}, Value: 1},
	{Metric: &sink.Metric{Name: "two", Type: sink.Counter}, Block: &sink.Block{Tags: tags("a=2")}, Value: 2},
}

const (
	line1, line2   = `{__name__="one", a="1"} 1 @1700000000000`, `{__name__="two", a="2"} 2 @1700000000000`
	meta1, meta2   = ` type=2 help="First." unit=""`, ` type=1 help="" unit=""`
	whole1, whole2 = line1 + meta1, line2 + meta2
)

func TestSend(t *testing.T) {
	receiver := listen(t, nil)
	file := filepath.Join(t.TempDir(), "key")
	sinktest.Write(t, file, "key")
	s := newTestSink(t, Config{
		Connection: sink.Connection{UserAgent: "kubestate/1", Headers: map[string]string{"X-Scope-OrgID": "us"}, HeaderFiles: map[string]string{"X-Key": file}},
	}, receiver.URL)
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil, sink.Check{})) // the check is dropped
	header := receiver.Accepted()[0].Header
	if header.Get("User-Agent") != "kubestate/1" || header.Get("X-Scope-OrgID") != "us" || header.Get("X-Key") != "key" {
		t.Errorf("headers %v", header)
	}
	sinktest.CheckLines(t, "series", []string{whole1, whole2}, receiver.Lines())
	sinktest.Send(t, s, sinktest.Run(0, someSeries[:1], someSeries[1:]))
	stale2 := strings.Replace(whole2, " 2 @1700000000000", " stale @1699999999999", 1)
	sinktest.CheckLines(t, "series when one has ended", []string{stale2, whole1}, receiver.Lines())
	sinktest.Send(t, s, sinktest.Run(0, nil, nil))
	if got := receiver.Lines(); got != nil {
		t.Errorf("empty run sends %v", got)
	}
	if got := s.Stats(); got.Series != 4 || got.Dropped != 1 || got.Payloads != 2 || got.Bytes == 0 {
		t.Errorf("stats %+v", got)
	}
}

// Runs are split into requests.
func TestLimits(t *testing.T) {
	series := sinktest.Pods(20, 50)
	for _, version := range []Version{V1, V2} {
		tests := []struct {
			name   string
			config Config
			limits sinktest.Limits
		}{
			{"number", Config{MaxSeries: 300}, sinktest.Limits{Series: 300}},
			{"size", Config{MaxBytes: 50_000}, sinktest.Limits{Size: 50_000}},
			{"less than one series", Config{MaxBytes: 10}, sinktest.Limits{Series: 1}},
			{"queue", Config{Connection: sink.Connection{Buffer: 10_000}, MaxSeries: 10, MaxBytes: 10_000}, sinktest.Limits{Series: 10}},
		}
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s/%d", test.name, version), func(t *testing.T) {
				receiver := listen(t, nil)
				test.config.Version = version
				s := newTestSink(t, test.config, receiver.URL)
				sinktest.Send(t, s, sinktest.Run(0, series, nil))
				receiver.CheckLimits(t, test.limits)
				var want []string
				for _, s := range series {
					want = append(want, decode(t, version, encode(Config{}, version, false, s))...)
				}
				got := slices.DeleteFunc(receiver.Lines(), func(line string) bool { return line[0] == '#' })
				sinktest.CheckLines(t, "series", want, got)
			})
		}
	}
}

func TestMetadata(t *testing.T) {
	receiver := listen(t, nil)
	s := newTestSink(t, Config{Version: V1}, receiver.URL)
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
	sinktest.CheckLines(t, "first run", []string{line1, line2, "# one" + meta1, "# two" + meta2}, receiver.Lines())
	sinktest.Send(t, s, sinktest.Run(59, someSeries, nil))
	if got := receiver.Lines(); len(got) != 2 {
		t.Errorf("before the end of the interval: %v", got)
	}
	sinktest.Send(t, s, sinktest.Run(60, someSeries[:1], nil)) // as a run of changes
	if got := receiver.Lines(); len(got) != 2 || got[1] != "# one"+meta1 {
		t.Errorf("after the interval: got %v, want one series and its metadata", got)
	}
	sinktest.Send(t, s, sinktest.Run(75, someSeries, nil))
	if got := receiver.Lines(); len(got) != 3 || got[2] != "# two"+meta2 {
		t.Errorf("after a run of changes: got %v, want two series and the metadata left out before", got)
	}
	if got := s.Stats(); got.Series != 7 {
		t.Errorf("stats %+v: metadata counts as series", got)
	}
}

// Metadata has requests of its own, in order and within the size limit.
func TestMetadataLimits(t *testing.T) {
	receiver := listen(t, nil)
	s := newTestSink(t, Config{Version: V1, MaxBytes: 500}, receiver.URL)
	var series []sink.Series
	var want []string
	for i := range 50 {
		series = append(series, sink.Series{Metric: &sink.Metric{Name: fmt.Sprintf("m%02d", 49-i)}, Block: &sink.Block{}})
		want = append(want, fmt.Sprintf("# m%02d type=2 help=\"\" unit=\"\"", i))
	}
	sinktest.Send(t, s, sinktest.Run(0, series, nil))
	receiver.CheckLimits(t, sinktest.Limits{Size: 500})
	sinktest.CheckLines(t, "metadata", want, slices.DeleteFunc(receiver.Lines(), func(line string) bool { return line[0] != '#' }))
}

// If metadata is rejected, no series is lost.
func TestMetadataRefused(t *testing.T) {
	receiver := listen(t, func(_ http.ResponseWriter, r sinktest.Request) int {
		return map[bool]int{true: http.StatusBadRequest}[r.Series() == 0]
	})
	var log bytes.Buffer
	s := newTestSink(t, Config{Connection: sink.Connection{Logger: slog.New(slog.NewTextHandler(&log, nil))}, Version: V1, MetadataInterval: time.Second}, receiver.URL)
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
	sinktest.Send(t, s, sinktest.Run(15, someSeries, nil))
	if got := strings.Count(log.String(), "receiver rejected metadata"); got != 1 || len(receiver.Refused()) != 2 {
		t.Errorf("%d requests rejected, logged %d times:\n%s", len(receiver.Refused()), got, &log)
	}
	if got := s.Stats(); got.Series != 4 || got.Rejected != 0 {
		t.Errorf("stats %+v", got)
	}
}

// Receivers support only 1.0.
func TestFallback(t *testing.T) {
	tests := map[string]sinktest.Answer{
		"status 415":                         only1,
		"success without the headers of 2.0": func(http.ResponseWriter, sinktest.Request) int { return http.StatusNoContent },
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			receiver := listen(t, answer)
			s := newTestSink(t, Config{MaxSeries: 1}, receiver.URL)
			sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
			sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
			var asked, lines []string
			for _, r := range slices.Concat(receiver.Refused(), receiver.Accepted()) {
				if versionOf(r) == V2 {
					asked = append(asked, r.Lines...)
				} else {
					lines = append(lines, r.Lines...)
				}
			}
			if len(asked) != 1 {
				t.Errorf("version 2.0 tried with %v, want once", asked)
			}
			sinktest.CheckLines(t, "series", []string{line1, line2, line1, line2, "# one" + meta1, "# two" + meta2}, lines)
			if got := s.Stats(); got.Series != 4 || got.Rejected != 0 {
				t.Errorf("stats %+v", got)
			}
		})
		t.Run(name+", 2.0 required", func(t *testing.T) {
			receiver := listen(t, answer)
			s := newTestSink(t, Config{Version: V2}, receiver.URL)
			if err := sinktest.Try(t, s, sinktest.Run(0, someSeries, nil)); err == nil {
				t.Error("no error")
			}
			if got := s.Stats(); got.Series != 0 || got.Rejected != 2 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

// A receiver that saw 2.0 as an empty request is tried again, since it may have been
// updated.
func TestAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := true
		receiver := sinktest.New(t, protocol, func(w http.ResponseWriter, r sinktest.Request) int {
			if old {
				return only1(w, r)
			}
			return sinktest.Success
		})
		n := &sinktest.Network{Receiver: receiver}
		s := newTestSink(t, Config{Connection: sink.Connection{Client: n.Client()}}, "http://receiver/")
		for i, want := range []Version{V1, V1, V2} {
			receiver.Lines() // drops the first runs
			sinktest.Send(t, s, sinktest.Run(i, someSeries, nil))
			if got := versionOf(receiver.Accepted()[0]); got != want {
				t.Errorf("run %d: version %d, want %d", i, got, want)
			}
			synctest.Wait()
			old = false
			time.Sleep(40 * time.Minute)
		}
	})
}

// Receivers write only some of the series.
func TestPartial(t *testing.T) {
	tests := []struct {
		name             string
		version          Version
		written          int // -1: no header
		status           int
		series, rejected uint64
		err              string
	}{
		{"some", V2, 1, http.StatusNoContent, 1, 1, "1 of 2"},
		{"some, with an error", V2, 1, http.StatusBadRequest, 1, 1, "400"},
		{"none", V2, 0, http.StatusNoContent, 0, 2, "0 of 2"},
		{"error without a header", V2, -1, http.StatusBadRequest, 0, 2, "400"},
		{"some in version 1.0", V1, 1, http.StatusNoContent, 1, 1, "1 of 2"},
		{"all in version 1.0", V1, -1, http.StatusNoContent, 2, 0, ""},
		{"error in version 1.0", V1, -1, http.StatusBadRequest, 0, 2, "400"},
		{"request timeout is not retried", V2, -1, http.StatusRequestTimeout, 0, 2, "408"},
		{"too large", V2, -1, http.StatusRequestEntityTooLarge, 0, 2, "413"},
		{"unauthorized", V2, -1, http.StatusUnauthorized, 0, 2, "401"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			receiver := listen(t, func(w http.ResponseWriter, r sinktest.Request) int {
				if test.written >= 0 && r.Series() > 0 {
					setWritten(w, test.written)
				}
				return test.status
			})
			s := newTestSink(t, Config{Version: test.version}, receiver.URL)
			err := sinktest.Try(t, s, sinktest.Run(0, someSeries, nil))
			sinktest.CheckError(t, err, test.err)
			if got := s.Stats(); got.Series != test.series || got.Rejected != test.rejected || got.Retries != 0 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	var got string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		w.Header().Set(writtenHeader, "2")
	}))
	t.Cleanup(server.Close)
	ca, token := sinktest.WriteCA(t, server), filepath.Join(t.TempDir(), "token")
	sinktest.Write(t, token, "secret\n")

	s := newTestSink(t, Config{Connection: sink.Connection{CAFile: ca, TokenFile: token}}, server.URL)
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
	if got != "Bearer secret" {
		t.Errorf("authorization %q", got)
	}
	sinktest.Write(t, token, "other")
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
	if got != "Bearer other" {
		t.Errorf("authorization %q after the file changed", got)
	}
	s = newTestSink(t, Config{Connection: sink.Connection{CAFile: ca, TokenFile: token, Username: "me"}}, server.URL)
	sinktest.Send(t, s, sinktest.Run(0, someSeries, nil))
	if got != "Basic bWU6b3RoZXI=" {
		t.Errorf("authorization %q with a user", got)
	}
}

func TestConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty")
	sinktest.Write(t, file, "")
	tests := []struct {
		config Config
		want   []string
	}{
		{Config{}, []string{`URL with scheme "" and host ""`}},
		{Config{Connection: sink.Connection{URL: "http://\x00/?token=hidden"}}, []string{"invalid URL: cannot be parsed"}},
		{Config{Connection: sink.Connection{URL: "https://hidden@x/"}}, []string{`URL of host "x": must not contain a user`}},
		{
			Config{Connection: sink.Connection{URL: "ftp://x?token=hidden", Timeout: -1, Username: "me", CAFile: "x", Client: &http.Client{}}, Version: 3, MaxSeries: -1},
			[]string{`scheme "ftp"`, "Version 3", "MaxSeries -1", "Timeout -1", `Username "me"`, `CAFile "x"`},
		},
		{Config{Connection: sink.Connection{URL: "http://x", CAFile: "/nonexistent"}}, []string{"read CAFile: open /nonexistent"}},
		{Config{Connection: sink.Connection{URL: "http://x", CAFile: file}}, []string{"contains no PEM certificate"}},
	}
	for _, test := range tests {
		_, err := New(test.config)
		sinktest.CheckConfig(t, err, test.want...)
	}
}

// If the names of metrics become equal when made valid, the first metric is sent;
// others are dropped and reported.
func TestMetricNamesClash(t *testing.T) {
	for _, version := range []Version{V1, V2} {
		s := newTestSink(t, Config{Version: version}, listen(t, nil).URL)
		block := &sink.Block{Tags: tags("pod=a")}
		first, second := &sink.Metric{Name: "pod.ready"}, &sink.Metric{Name: "pod_ready"}
		err := s.Send(t.Context(), sinktest.Run(0, []sink.Series{{Metric: first, Block: block}, {Metric: second, Block: block}}, nil))
		if err == nil || !strings.Contains(err.Error(), `metrics "pod.ready" and "pod_ready" have the same name in Prometheus`) {
			t.Errorf("version %d: error %v", version, err)
		}
		if got := s.Stats(); got.Series != 1 || got.Dropped != 1 {
			t.Errorf("version %d: %+v, want 1 series sent and 1 dropped", version, got)
		}
	}
}
