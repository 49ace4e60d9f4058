package agentconf

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

func TestParseSink(t *testing.T) {
	key := write(t, "key", "abc")
	for text, want := range map[string]settings{
		"stdout":                              &Stdout{Common{Type: "stdout"}},
		"stdout?interval=5s&name=x":           &Stdout{Common{Type: "stdout", Name: "x", Interval: 5 * time.Second}},
		"file:lines.json":                     &File{Common{Type: "file"}, "lines.json"},
		"file:///tmp/lines.json":              &File{Common{Type: "file"}, "/tmp/lines.json"},
		"udp://127.0.0.1:8125?maxPacket=8192": &DogStatsD{Common: Common{Type: "dogstatsd"}, Address: "udp://127.0.0.1:8125", MaxPacket: 8192},
		"unix:///run/d.sock?spread=5s":        &DogStatsD{Common: Common{Type: "dogstatsd"}, Address: "unix:///run/d.sock", Spread: 5 * time.Second},
		"unixstream:///run/d.sock":            &DogStatsD{Common: Common{Type: "dogstatsd"}, Address: "unixstream:///run/d.sock"},
		"datadog+https://api.datadoghq.eu?keyFile=" + key: &Datadog{
			Common: Common{Type: "datadog"}, URL: "https://api.datadoghq.eu", KeyFile: key},
		"otlp+http://c:4318":                     &OTLP{Common: Common{Type: "otlp"}, URL: "http://c:4318"},
		"otlp+grpc://c:4317":                     &OTLP{Common: Common{Type: "otlp"}, URL: "http://c:4317", Protocol: "grpc"},
		"otlp+grpcs://c:4317?noCompression=true": &OTLP{Common: Common{Type: "otlp"}, URL: "https://c:4317", Protocol: "grpc", NoCompression: true},
		"remotewrite+https://p/api/v1/write?maxSeries=5&version=2.0": &RemoteWrite{
			Common: Common{Type: "remotewrite"}, URL: "https://p/api/v1/write", MaxSeries: 5, Version: "2.0"},
	} {
		got, err := ParseSink(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got.settings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseSinkProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `invalid sink "": must be one of: ` + SinkForms()},
		{"stdouts", `invalid sink "stdouts": must be one of: ` + SinkForms()},
		{"stdot", `invalid sink "stdot": must be one of: ` + SinkForms()},
		{"http://me:secret@x", `invalid sink (not shown): must be one of: ` + SinkForms()},
		{"datadog+https://x", `sink "datadog+https://x": missing key keyFile`},
		{"stdout?%zz", `invalid sink "stdout": must have settings behind the question mark as in a URL: key=value&key=value`},
		{"stdout?color=red", `sink "stdout": unknown key "color": must be one of: type, name, interval, heartbeat, tags`},
		{"stdout?interval=1&interval=2s", `sink "stdout": interval: invalid duration "1": must be a number with a unit, such as 500ms, 30s or 1m30s
sink "stdout": interval: duplicate key: must be set once`},
		{"udp://x", `sink "udp://x": dogstatsd: invalid address "udp://x": missing host or port; must be udp://host:port, unix:///path or unixstream:///path`},
		{"otlp+grpc://x/path?maxSeries=0", `sink "otlp+grpc://x/path": maxSeries: invalid value "0": must be at least 1`},
		{"remotewrite+http://me:secret@x/", `sink (not shown): remote write: URL of host "x": must not contain a user; secrets are read from files`},
	} {
		_, err := ParseSink(c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// The short forms shown by help and documentation are valid.
func TestSinkForms(t *testing.T) {
	page, err := os.ReadFile("../../docs/agent-config.md")
	if err != nil {
		t.Fatal(err)
	}
	key := write(t, "key", "abc")
	for _, form := range shortForms() {
		text := form.begins + form.rest
		if !strings.Contains(string(page), "`"+text+"`") {
			t.Errorf("docs/agent-config.md lacks %s", text)
		}
		if len(text) > 39 {
			t.Errorf("%s is too long for its column", text)
		}
		typical := strings.NewReplacer("keyFile=PATH", "keyFile="+key, "HOST", "h", "PORT", "1", "PATH", "p").Replace(text)
		if form.begins == "file://" {
			continue // the directory does not exist
		}
		if s, err := ParseSink(typical); err != nil || s.common().Type != form.typ {
			t.Errorf("%s: %v", typical, err)
		}
	}
}

// An opened sink has the tags of its settings.
func TestOpen(t *testing.T) {
	c, err := Reader{}.Read("c.yaml", []byte("agent:\n  sinks:\n  - {type: stdout, tags: {b: x, a: y}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	outputs, _, _ := c.Agent.Outputs()
	var out bytes.Buffer
	s, err := outputs[0].Open(Environment{Stdout: &out, Version: "v1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	run := sinktest.Run(0, []sink.Series{{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{}, Value: 1}}, nil)
	sinktest.Send(t, s, run)
	if want := `"tags":["a:y","b:x"]`; !strings.Contains(out.String(), want) {
		t.Errorf("got %s, want %s in it", out.String(), want)
	}
}
