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
		if _, warnings := c.Agent.Receivers(); strings.Contains(strings.Join(warnings, " "), "takes series that do not change for ended") != warned {
			t.Errorf("%s: warnings %q", pace, warnings)
		}
	}
}
