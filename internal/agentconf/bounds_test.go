package agentconf

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// Every number and duration in the configuration file has bounds.
func TestBounds(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for f := range typ.Fields() {
			number := f.Type == reflect.TypeFor[time.Duration]() || f.Type.Kind() == reflect.Int && f.Type != reflect.TypeFor[Bytes]()
			if number && f.Tag.Get("json") != "" && (f.Tag.Get("minimum") == "" || f.Tag.Get("maximum") == "") {
				t.Errorf("%s.%s has no minimum or no maximum", typ, f.Name)
			}
			walk(f.Type)
		}
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Agent](), namesType, reflect.TypeFor[Stdout](), reflect.TypeFor[File](), reflect.TypeFor[DogStatsD](),
		reflect.TypeFor[Datadog](), reflect.TypeFor[OTLP](), reflect.TypeFor[RemoteWrite](),
	} {
		walk(typ)
	}
	if !seen[reflect.TypeFor[Requests]()] || !seen[reflect.TypeFor[LeaderElection]()] {
		t.Errorf("visited only %v", seen)
	}
}

func TestAbsurdNumbers(t *testing.T) {
	const file = `agent:
  interval: 2562047h
  leaderElection: {leaseDuration: 2h, renewDeadline: 100h, retryPeriod: 2562047h}
  sinks:
  - {type: dogstatsd, address: "udp://127.0.0.1:1", timeout: 2h, spread: 2562047h, maxPacket: 9999999999999, heartbeat: 9000h}
  - {type: otlp, url: "http://127.0.0.1:1", attempts: 2147483647, maxSeries: 9223372036854775807, timeout: 1ns}
  - {type: remotewrite, url: "http://127.0.0.1:1", metadataInterval: 99999h, maxSeries: -1, buffer: -1}
`
	_, err := Reader{}.Read("c.yaml", []byte(file))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`c.yaml:2: agent.interval: invalid value "2562047h": must be at most 8760h`,
		`c.yaml:3: agent.leaderElection.leaseDuration: invalid value "2h": must be at most 1h`,
		`c.yaml:3: agent.leaderElection.renewDeadline: invalid value "100h": must be at most 1h`,
		`c.yaml:3: agent.leaderElection.retryPeriod: invalid value "2562047h": must be at most 1h`,
		`c.yaml:5: agent.sinks[0].timeout: invalid value "2h": must be at most 1h`,
		`c.yaml:5: agent.sinks[0].spread: invalid value "2562047h": must be at most 8760h`,
		`c.yaml:5: agent.sinks[0].heartbeat: invalid value "9000h": must be at most 8760h`,
		`c.yaml:5: agent.sinks[0].maxPacket: invalid size "9999999999999": must be at most 2147483647 bytes`,
		`c.yaml:6: agent.sinks[1].attempts: invalid value "2147483647": must be at most 1000`,
		`c.yaml:6: agent.sinks[1].maxSeries: invalid value "9223372036854775807": must be at most 1000000`,
		`c.yaml:6: agent.sinks[1].timeout: invalid value "1ns": must be at least 1ms`,
		`c.yaml:7: agent.sinks[2].metadataInterval: invalid value "99999h": must be at most 8760h`,
		`c.yaml:7: agent.sinks[2].maxSeries: invalid value "-1": must be at least 1`,
		`c.yaml:7: agent.sinks[2].buffer: invalid size "-1": must be a positive number of bytes`,
	} {
		if !strings.Contains("\n"+err.Error(), "\n"+want) {
			t.Errorf("error\n%v\nlacks %s", err, want)
		}
	}
}
