package agentconf

import (
	"strings"
	"testing"
)

// TestSpreadLeavesTime: a run that is spread over all of the interval would never
// be sent whole.
func TestSpreadLeavesTime(t *testing.T) {
	for spread, want := range map[string]string{
		"14s": "",
		"15s": "c.yaml:1: agent.sinks[0].spread: 15s takes all of the interval, 15s; want less",
	} {
		_, err := Read("c.yaml", []byte("agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', spread: "+spread+"}]}"))
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("spread %s: error %v, want %q", spread, err, want)
		}
	}
}

// TestHeartbeatNearStaleness: the run after the heartbeat must come before Prometheus
// takes a series for ended.
func TestHeartbeatNearStaleness(t *testing.T) {
	for pace, warned := range map[string]bool{
		"heartbeat: 4m": false, "heartbeat: 4m50s": true, "heartbeat: 4m30s, interval: 30s": true, "interval: 10m": false,
	} {
		c, err := Read("c.yaml", []byte("agent: {sinks: [{type: remotewrite, url: 'http://127.0.0.1:1/w', "+pace+"}]}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, warnings, _ := c.Agent.Receivers(); strings.Contains(strings.Join(warnings, " "), "takes series that do not change for ended") != warned {
			t.Errorf("%s: warnings %q", pace, warnings)
		}
	}
}

// Sinks that others replace must be well-formed and no more.
func TestReadWithoutSinks(t *testing.T) {
	const sinks = "agent:\n  heartbeat: 5s\n  sinks:\n  - {type: datadog, keyFile: /no/such/key, name: a}\n  - {type: stdout, name: a}\n"
	c, err := ReadWithoutSinks("c.yaml", []byte(sinks))
	if err != nil || len(c.Agent.Sinks) != 0 {
		t.Fatalf("%v, %v", c, err)
	}
	if c.Agent.Sinks, err = parse("stdout", "stdout?interval=1s&name=b", "stdout?name=b"); err != nil {
		t.Fatal(err)
	}
	const want = `sink stdout: heartbeat: 5s is less than the interval, 15s; want more, or none
sink b: heartbeat: 5s is less than the interval, 15s; want more, or none
sink b: name: sinks[1] has the name "b" already`
	if _, _, err := c.Agent.Receivers(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := ReadWithoutSinks("c.yaml", []byte(sinks+"  - {type: nothing}\n  - {type: stdout, heartbeat: -5s}\n")); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v", err)
	}
}

func parse(forms ...string) ([]Sink, error) {
	var sinks []Sink
	for _, form := range forms {
		s, err := ParseSink(form)
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, s)
	}
	return sinks, nil
}
