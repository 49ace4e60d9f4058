package dogstatsd

import (
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
)

func TestAddresses(t *testing.T) {
	for text, expected := range map[string]address{
		"udp://127.0.0.1:8125":            {network: "udp", target: "127.0.0.1:8125"},
		"udp://[::1]:8125":                {network: "udp", target: "[::1]:8125"},
		"udp://[::1]:8125/":               {network: "udp", target: "[::1]:8125"},
		"udp://agent.datadog.svc:8125":    {network: "udp", target: "agent.datadog.svc:8125", named: true},
		"unix:///var/run/datadog/d.sock":  {network: "unixgram", target: "/var/run/datadog/d.sock"},
		"unixstream:///var/run/dd/d.sock": {network: "unix", target: "/var/run/dd/d.sock"},
	} {
		expected.text = text
		if got, err := parseAddress(text); err != nil || got != expected {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, expected)
		}
	}
	for _, text := range []string{
		"", "127.0.0.1:8125", "udp://", "udp://host", "udp://:8125", "udp://host:0", "udp://host:8125/path", "udp:host:8125", "tcp://host:8125",
		"unix://", "unix://relative/path", "unix:path", "unixstream:///path?x=1", "udp://user@host:8125", "udp://host:99999x", "%",
	} {
		if got, err := parseAddress(text); err == nil {
			t.Errorf("%q accepted as %+v", text, got)
		} else if !strings.Contains(err.Error(), "udp://host:port") {
			t.Errorf("%q: error does not say what is allowed: %v", text, err)
		}
	}
}

func TestConfigReportsAllProblems(t *testing.T) {
	_, err := New(Config{Address: "tcp://x", MaxPacket: 1 << 20, Buffer: 1, Timeout: -time.Second, Spread: -time.Second})
	sinktest.CheckConfig(t, err, `"tcp://x"`, "packet size 1048576", "buffer size 1:", "timeout -1s", "spread -1s")
}
