package jsonlines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

var _ sink.Sink = (*Sink)(nil)

// tags parses tags of the form key=value.
func tags(pairs ...string) []sink.Tag { return sinktest.Tags(pairs...) }

func runOf(series []*sink.Series, checks ...*sink.Check) *sink.Run {
	return &sink.Run{Series: slices.Values(series), Checks: slices.Values(checks)}
}

// Every kind of line, byte for byte.
func TestLines(t *testing.T) {
	path := t.TempDir() + "/lines"
	s, err := New(Config{Path: path, Tags: tags("env=prod")})
	if err != nil {
		t.Fatal(err)
	}
	node := &sink.Block{Host: "node-1", Tags: tags("kube_node=node-1", "zone=a")}
	bare := &sink.Block{Resource: tags("ab.c=x")}
	run := runOf([]*sink.Series{
		{Metric: &sink.Metric{Name: "node.count"}, Block: node, Tags: tags("kernel=6", "os=linux"), Value: 1},
		{Metric: &sink.Metric{Name: "restarts", Type: sink.Counter}, Block: node, Value: 0.25},
		{Metric: &sink.Metric{Name: "sum", Type: sink.UpDown}, Block: bare, Tags: tags("a=b"), Value: math.NaN()},
	}, &sink.Check{Name: "ready", Status: sink.Critical, Message: "it is \"not\"\nready", Block: node, Tags: tags("z=")})
	for range 2 { // the second run is appended
		if err := s.Send(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	const lines = `{"name":"node.count","type":"gauge","value":1,"tags":["env:prod","kernel:6","kube_node:node-1","os:linux","zone:a"],"host":"node-1"}
{"name":"restarts","type":"counter","value":0.25,"tags":["env:prod","kube_node:node-1","zone:a"],"host":"node-1"}
{"name":"sum","type":"updown","value":"NaN","tags":["a:b","ab.c:x","env:prod"],"host":""}
{"name":"ready","type":"service_check","value":2,"tags":["env:prod","kube_node:node-1","z:","zone:a"],"host":"node-1","status":"critical","message":"it is \"not\"\nready"}
`
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines+lines, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if stats, expected := s.Stats(), (sink.Stats{Series: 8, Payloads: 8, Bytes: uint64(2 * len(lines))}); stats != expected {
		t.Errorf("stats %+v, want %+v", stats, expected)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), run); err == nil || !strings.Contains(err.Error(), "4 lines lost") {
		t.Errorf("closed sink: error %v", err)
	}
	if stats := s.Stats(); stats.Dropped != 4 {
		t.Errorf("stats of closed sink: %+v", stats)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("close again: %v", err)
	}
}

// encoding/json reads back what was written, for random strings, floats and tags.
func TestHostile(t *testing.T) {
	words := []string{"", "a", "ab", "a:", "a:b", "a-b", "a_", "\"", "\\", "\n", "\r\t\x00\x1f\x7f", "é", "日本", "🙂", "\u2028", "\xff", "\xed\xa0\x80", "</x>", "{", ","}
	floats := []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e6, 1e20, 1e21, 1e-6, 1e-7, 1e300, 5e-324, math.MaxFloat64, 1 << 53, 1501569018.123}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string { return words[random.IntN(len(words))] + words[random.IntN(len(words))] }
	some := func() (all []sink.Tag) {
		for range random.IntN(5) {
			all = append(all, sink.Tag{Key: word(), Value: word()})
		}
		return all
	}
	instance := some()
	e := newEncoder(instance)
	var block *sink.Block
	for i := range 20_000 {
		if i%3 == 0 {
			block = &sink.Block{Host: word(), Tags: some(), Resource: some()}
		}
		s := &sink.Series{Metric: &sink.Metric{Name: word()}, Block: block, Tags: some(), Value: floats[random.IntN(len(floats))]}
		line := e.appendSeries(nil, s)
		var got struct {
			Name, Type, Host string
			Value            float64
			Tags             []string
		}
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
			t.Fatalf("%q is not a single line", line)
		}
		all := []string{}
		for _, tag := range slices.Concat(instance, block.Tags, block.Resource, s.Tags) {
			all = append(all, tag.Key+":"+tag.Value)
		}
		slices.Sort(all)
		for i := range all {
			all[i] = valid(all[i])
		}
		if got.Name != valid(s.Metric.Name) || got.Host != valid(block.Host) || got.Value != s.Value || got.Tags == nil || !slices.Equal(got.Tags, all) {
			t.Fatalf("%q parsed as %+v; tags %q", line, got, all)
		}
	}
}

// valid replaces each invalid byte of text, as the encoder does.
func valid(s string) string { return string([]rune(s)) }

func TestSpecialValues(t *testing.T) {
	for text, v := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1)} {
		var got string
		if err := json.Unmarshal(appendNumber(nil, v), &got); err != nil || got != text {
			t.Errorf("%g written as %q: %v", v, got, err)
		}
		if back, err := strconv.ParseFloat(got, 64); err != nil || math.Float64bits(back) != math.Float64bits(v) && back == back {
			t.Errorf("%q parsed as %g: %v", got, back, err)
		}
	}
}

func TestStatusNames(t *testing.T) {
	for status, name := range []string{"ok", "warning", "critical", "unknown", "unknown"} {
		if got := statusName(sink.Status(status)); got != name {
			t.Errorf("status %d: %q, want %q", status, got, name)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []Config{{}, {Path: "x", Output: os.Stdout}, {Path: t.TempDir()}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v accepted", c)
		}
	}
}

func TestEndedContext(t *testing.T) {
	var out bytes.Buffer
	s, err := New(Config{Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(ctx, sinktest.Typical(100)); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, out.Len())
	}
	if stats := s.Stats(); stats.Dropped != 100 {
		t.Errorf("stats %+v", stats)
	}
}

// shortWriter fails within the first write, and again on the second.
type shortWriter struct {
	bytes.Buffer
	room   int
	writes int
}

func (w *shortWriter) Write(p []byte) (int, error) {
	w.writes++
	switch w.writes {
	case 1:
		w.Buffer.Write(p[:w.room])
		return w.room, errors.New("no space left")
	case 2:
		return 0, errors.New("no space left")
	}
	return w.Buffer.Write(p)
}

// After failed writes, the next run starts on a new line.
func TestCutShort(t *testing.T) {
	out := &shortWriter{room: 100}
	s, err := New(Config{Output: out})
	if err != nil {
		t.Fatal(err)
	}
	const n = 1000
	for range 2 {
		if err := s.Send(t.Context(), sinktest.Typical(n)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(n, " lines lost")) {
			t.Errorf("error %v", err)
		}
		if out.Len() != 100 {
			t.Errorf("%d bytes written, although writes failed after 100", out.Len())
		}
	}
	if err := s.Send(t.Context(), sinktest.Typical(n)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, line := range lines[1:] {
		if !json.Valid([]byte(line)) {
			t.Fatalf("%q is not JSON", line)
		}
	}
	if len(lines) != n+1 {
		t.Errorf("%d lines, want %d and the truncated one", len(lines), n)
	}
}

func TestSendAllocs(t *testing.T) {
	s, err := New(Config{Output: discard{}, Tags: tags("env=prod")})
	if err != nil {
		t.Fatal(err)
	}
	run := sinktest.Typical(5000)
	const perRun = 20 // closures
	sinktest.CheckAllocs(t, perRun, func() {
		if err := s.Send(t.Context(), run); err != nil {
			t.Error(err)
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
