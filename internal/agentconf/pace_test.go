package agentconf

import (
	"strings"
	"testing"
)

// TestSpreadLeavesTime: a flush spread over the whole interval would never be completed.
func TestSpreadLeavesTime(t *testing.T) {
	for spread, want := range map[string]string{
		"14s": "",
		"15s": `c.yaml:1: agent.sinks[0].spread: invalid duration "15s": must be less than 95% of the interval, 15s`,
	} {
		_, err := Reader{}.Read("c.yaml", []byte("agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', spread: "+spread+"}]}"))
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("spread %s: error %v, want %q", spread, err, want)
		}
	}
}

// TestHeartbeatNearStaleness: the flush after the heartbeat must come before Prometheus
// marks a series stale.
func TestHeartbeatNearStaleness(t *testing.T) {
	for pace, warned := range map[string]bool{
		"heartbeat: 4m": false, "heartbeat: 4m50s": true, "heartbeat: 4m30s, interval: 30s": true, "interval: 10m": false,
	} {
		c, err := Reader{}.Read("c.yaml", []byte("agent: {sinks: [{type: remotewrite, url: 'http://127.0.0.1:1/w', "+pace+"}]}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, warnings, _ := c.Agent.Outputs(); strings.Contains(strings.Join(warnings, " "), "Prometheus marks series stale") != warned {
			t.Errorf("%s: warnings %q", pace, warnings)
		}
	}
}

// Sinks that flags replace need only be syntactically valid.
func TestReadWithoutSinks(t *testing.T) {
	const sinks = "agent:\n  heartbeat: 5s\n  sinks:\n  - {type: datadog, keyFile: /no/such/key, name: a}\n  - {type: stdout, name: a}\n"
	c, err := Reader{WithoutSinks: true}.Read("c.yaml", []byte(sinks))
	if err != nil || len(c.Agent.Sinks) != 0 {
		t.Fatalf("%v, %v", c, err)
	}
	if c.Agent.Sinks, err = parse("stdout", "stdout?interval=1s&name=b", "stdout?name=b"); err != nil {
		t.Fatal(err)
	}
	const want = `sink stdout: heartbeat: invalid duration "5s": must be at least the interval, 15s, or left out
sink b: heartbeat: invalid duration "5s": must be at least the interval, 15s, or left out
sink b: name: duplicate name "b": must differ from that of sinks[1]`
	if _, _, err := c.Agent.Outputs(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := (Reader{WithoutSinks: true}).Read("c.yaml", []byte(sinks+"  - {type: nothing}\n  - {type: stdout, heartbeat: -5s}\n")); err == nil || strings.Count(err.Error(), "\n") != 1 {
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
