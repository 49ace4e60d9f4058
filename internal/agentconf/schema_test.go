package agentconf

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// schema compiles the JSON schema of configuration files.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := JSONSchema(func(reflect.Type, string) string { return "" }, nil)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate validates YAML against a schema.
func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(instance)
}

// The schema and the program accept and reject the same documents, as far as their form is
// concerned.
func TestSchemaAgrees(t *testing.T) {
	s := schema(t)
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"agent: {}", true},
		{"agents: {}", false},
		{"agent: {names: datadog}", true},
		{"agent: {names: 1}", false},
		{"agent: {names: {name: mine, rules: [{family: kube_pod_info, value: one}], rest: {}}}", true},
		{"agent: {names: {rules: []}}", false},
		{"agent: {names: {name: mine, rules: [{family: kube_pod_info, value: two}]}}", false},
		{"agent: {names: {name: mine, owners: {}}}", false},
		{"agent: {interval: 1m30s}", true},
		{"agent: {interval: 15}", false},
		{"agent: {interval: fast}", false},
		{"agent: {labelsAsTags: {pod: {app: app}, node: null}}", true},
		{"agent: {labelsAsTags: {pod: [app]}}", false},
		{"agent: {podCollectionMode: node_kubelet}", false},
		{"agent: {aggregates: [{family: kube_pod_info, metric: m, op: count, equal: 1, where: {node: [a]}}]}", true},
		{"agent: {aggregates: [{family: kube_pod_info}]}", false},
		{"agent: {leaderElection: {enabled: yes}}", false},
		{"agent: {leaderElection: {enabled: true, leaseDuration: 15s}}", true},
		{"agent: {sinks: [{type: stdout, tags: {a: b}}]}", true},
		{"agent: {sinks: [{type: stdout, path: x}]}", false},
		{"agent: {sinks: [{type: file}]}", false},
		{"agent: {sinks: [{path: x}]}", false},
		{"agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', buffer: 32MiB, maxPacket: 8192}]}", true},
		{"agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', buffer: many}]}", false},
		{"agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', maxPacket: 0}]}", false},
		{"agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', buffer: 2147483647}]}", true},
		{"agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', buffer: 2147483648}]}", false},
		{"agent: {aggregates: [{family: kube_pod_info, metric: m, op: count, equal: '1'}]}", false},
		{"agent: {aggregates: [{family: kube_pod_info, metric: m, op: count, equal: NaN}]}", false},
		{"agent: {joins: {kube_pod_labels: {get: [a, null]}}}", false},
		{"agent: {joins: {kube_pod_labels: }}", false},
		{"agent: {labels: {pods: }}", false},
		{"agent: {tags: {team: }}", false},
		{"agent: {sinks: [null]}", false},
		{"agent: {sinks: [{type: dogstatsd, address: 'udp://127.0.0.1:8125', maxPacket: '8192'}]}", true},
		{"agent: {sinks: [{type: otlp, url: 'http://x', maxSeries: '5'}]}", false},
		{"agent: {sinks: [{type: remotewrite, url: 'http://x/w', version: '2.0', attempts: 3}]}", true},
		{"agent: {sinks: [{type: remotewrite, url: 'http://x/w', version: 2.0}]}", false},
		{"agent: {sinks: [{type: otlp, url: 'http://x', protocol: grpc, maxSeries: 0}]}", false},
	} {
		bySchema := validate(t, s, c.text)
		_, byProgram := Reader{}.Read("c.yaml", []byte(c.text))
		if (bySchema == nil) != c.ok || (byProgram == nil) != c.ok {
			t.Errorf("%s: want ok %t\nschema: %v\nprogram: %v", c.text, c.ok, bySchema, byProgram)
		}
	}
}
