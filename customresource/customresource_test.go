package customresource

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// oneEntry is a configuration of one entry, whose metrics are given.
func oneEntry(metrics string) Source {
	return Source{"test.yaml", []byte("spec:\n  resources:\n  - groupVersionKind: {group: myteam.io, version: v1, kind: Foo}\n    metrics:\n" + metrics)}
}

// compileOne compiles the one entry of a configuration, whose metrics are given.
func compileOne(t *testing.T, metrics string) *Resource {
	t.Helper()
	c, err := Parse(oneEntry(metrics))
	if err != nil || len(c.Problems) > 0 || len(c.Resources) != 1 {
		t.Fatal(err, c)
	}
	return c.Resources[0]
}

// lines returns the samples of an object as text.
func lines(t *testing.T, metrics, object string) string {
	t.Helper()
	failures := map[string]int{}
	table, err := tableOf(compileOne(t, metrics), func(family string, _ error) { failures[family]++ })
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range collect(t, table, []byte(object), failures) {
		for _, s := range f.Samples {
			b.WriteString(f.Name + "{")
			for i, name := range s.K {
				if !strings.HasPrefix(name, "customresource_") {
					fmt.Fprintf(&b, "%s=%q", name, s.V[i])
				}
			}
			b.WriteString("} " + s.Val + "\n")
		}
		if len(f.Errors) > 0 {
			fmt.Fprintf(&b, "%s: %d skipped\n", f.Name, len(f.Errors))
		}
	}
	return b.String()
}

func TestValues(t *testing.T) {
	for _, test := range []struct{ name, metrics, object, want string }{
		{
			"two metrics of one name are one family",
			"    - {name: m, each: {type: Gauge, gauge: {path: [a], labelsFromPath: {of: [n]}}}}\n" +
				"    - {name: m, each: {type: Gauge, gauge: {path: [b], labelsFromPath: {of: [n]}}}}\n",
			`{"a":{"n":"a","x":1},"b":{"n":"b","x":2}}`,
			"kube_customresource_m{of=\"a\"} 1\nkube_customresource_m{of=\"b\"} 2\n",
		},
		{
			"nothing is null, not <nil>",
			"    - {name: m_info, each: {type: Info, info: {path: [], labelsFromPath: {l: [list], m: [map], n: [nothing]}}}}\n",
			`{"list":[1,null],"map":{"a":null},"nothing":null}`,
			"kube_customresource_m_info{l=\"[1 null]\"m=\"map[a:null]\"} 1\n",
		},
		{
			"keys of the object make valid label names",
			"    - {name: m_info, each: {type: Info, info: {path: [], labelsFromPath: {'*': [labels]}}}}\n",
			`{"labels":{"a.b/c":"1","0":"2","":"3","none":null,"__d":"4"}}`,
			"kube_customresource_m_info{_=\"3\"_0=\"2\"_d=\"4\"a_b_c=\"1\"} 1\n",
		},
		{
			"an index out of range and a missing path are nothing",
			"    - {name: m, each: {type: Gauge, gauge: {path: [l, '-9', x], nilIsZero: true}}}\n" +
				"    - {name: n_info, each: {type: Info, info: {path: [l, '7'], labelsFromPath: {x: [a, '[b=c]', '0']}}}}\n" +
				"    - {name: o, each: {type: StateSet, stateSet: {path: [no, such], labelName: s, list: [a]}}}\n",
			`{"l":[1]}`,
			"kube_customresource_m{} 0\n",
		},
		{
			"what is not a number is skipped and counted",
			"    - {name: m, each: {type: Gauge, gauge: {path: [l], labelsFromPath: {n: [n]}, valueFrom: [v]}}}\n",
			`{"l":[{"n":"a","v":"Unknown!"},{"n":"b","v":3},{"n":"c","v":"1e-2147483648"},{"n":"d","v":"` + strings.Repeat("9", 10_000) + `"}]}`,
			"kube_customresource_m{n=\"b\"} 3\nkube_customresource_m: 3 skipped\n",
		},
		{
			"text with the unit seconds may be a duration",
			"    - {name: m_seconds, unit: seconds, each: {type: Gauge, gauge: {path: [l], labelsFromPath: {v: []}}}}\n" +
				"    - {name: m, each: {type: Gauge, gauge: {path: [l], labelsFromPath: {v: []}}}}\n",
			`{"l":["5m","2160h0m0s",7,"1970-01-01T00:01:00Z"]}`,
			`kube_customresource_m_seconds{v="1970-01-01T00:01:00Z"} 60` + "\n" + `kube_customresource_m_seconds{v="2160h0m0s"} 7.776e+06` + "\n" +
				`kube_customresource_m_seconds{v="5m"} 300` + "\n" + `kube_customresource_m_seconds{v="7"} 7` + "\n" +
				`kube_customresource_m{v="1970-01-01T00:01:00Z"} 60` + "\n" + `kube_customresource_m{v="5m"} 0.005` + "\n" + `kube_customresource_m{v="7"} 7` + "\n" +
				"kube_customresource_m: 1 skipped\n",
		},
		{
			"CEL makes values",
			"    - {name: ratio, each: {type: Gauge, gauge: {path: {cel: 'double(o.status.ready) / double(o.spec.replicas)'}}}}\n" +
				"    - {name: bytes, each: {type: Gauge, gauge: {path: {cel: 'quantity(o.spec.size)'}}}}\n" +
				"    - {name: age, each: {type: Gauge, gauge: {path: [], valueFrom: {cel: 'unixSeconds(value.metadata.creationTimestamp)'}}}}\n",
			`{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"replicas":4,"size":"2Ki"},"status":{"ready":3}}`,
			"kube_customresource_ratio{} 0.75\nkube_customresource_bytes{} 2048\nkube_customresource_age{} 1.7672256e+09\n",
		},
		{
			"CEL filters lists and makes labels",
			"    - {name: m, each: {type: Gauge, gauge: {path: {cel: 'o.ports.filter(p, p.port > 1000)'}, valueFrom: [port], " +
				"labelsFromPath: {name: {cel: 'value.name.upperAscii()'}, of: {cel: 'o.metadata.name'}}}}}\n",
			`{"metadata":{"name":"x"},"ports":[{"name":"a","port":80},{"name":"b","port":8080},{"name":"c","port":9090}]}`,
			"kube_customresource_m{name=\"B\"of=\"x\"} 8080\nkube_customresource_m{name=\"C\"of=\"x\"} 9090\n",
		},
		{
			"what is absent is nothing in CEL, and nothing has no value",
			"    - {name: m, each: {type: Gauge, gauge: {path: {cel: 'o.spec.none.at.all'}, nilIsZero: true}}}\n" +
				"    - {name: n, each: {type: Gauge, gauge: {path: {cel: 'o.list[7]'}}}}\n",
			`{"spec":{},"list":[]}`,
			"kube_customresource_m{} 0\nkube_customresource_n: 1 skipped\n",
		},
		{
			"CEL that fails is skipped and counted, and so is CEL that costs too much",
			"    - {name: m, each: {type: Gauge, gauge: {path: {cel: 'o.a + o.b'}, nilIsZero: true}}}\n" +
				"    - {name: n, each: {type: Info, info: {path: {cel: 'o.l.map(a, o.l.map(b, o.l.map(c, o.l.map(d, a + b + c + d))))'}, labelsFromPath: {x: []}}}}\n",
			`{"a":1,"b":"x","l":[1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10]}`,
			"kube_customresource_m{} 0\nkube_customresource_m: 1 skipped\nkube_customresource_n: 1 skipped\n",
		},
	} {
		if diff := gocmp.Diff(test.want, lines(t, test.metrics, test.object)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// problems returns the problems of documents.
func problems(t *testing.T, sources ...Source) (c *Config, texts []string) {
	t.Helper()
	c, err := Parse(sources...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Problems {
		texts = append(texts, p.Error())
	}
	return c, texts
}

// All problems are reported at once, each with its file, its line and its path. Only the
// metrics that have one are off.
func TestProblems(t *testing.T) {
	c, got := problems(t, oneEntry(`    - name: 'a b'
      commonLabels: {'x.y': z}
      each: {type: Counter}
    - name: m
      each:
        type: StateSet
        stateSet:
          path: ['[x]']
          valueFrom: ['[y]']
          labelsFromPath: {l: ['[z]']}
    - name: m
      each: {type: Gauge}
    - {name: n, each: {type: gauge, gauge: {labelFromKey: 'a-b'}}}
    - {name: n, each: {type: gauge, gauge: {}}}
    - {name: n, each: {type: info, info: {}}}
    - {name: o, labelsFromPath: {__x: {cel: 'o.'}}, each: {type: gauge, gauge: {path: {cel: 'o.spec +'}}}}
    - {name: p, unit: seconds, each: {type: gauge, gauge: {}}}
    - {name: p_seconds, unit: seconds, commonLabels: {__x: a}, each: {type: info, info: {}}}
`))
	want := []string{
		`test.yaml:5: spec.resources[0].metrics[0].name: invalid metric name "kube_customresource_a b": must consist of letters, digits, _ and :, and not begin with a digit`,
		`test.yaml:6: spec.resources[0].metrics[0].commonLabels.x.y: invalid label name "x.y": must consist of letters, digits and _, and not begin with a digit or __`,
		`test.yaml:7: spec.resources[0].metrics[0].each.type: invalid type "Counter": must be Gauge, Info or StateSet`,
		`test.yaml:12: spec.resources[0].metrics[1].each.stateSet.path: invalid list lookup "[x]": must be [key=value]`,
		`test.yaml:13: spec.resources[0].metrics[1].each.stateSet.valueFrom: invalid list lookup "[y]": must be [key=value]`,
		`test.yaml:14: spec.resources[0].metrics[1].each.stateSet.labelsFromPath.l: invalid list lookup "[z]": must be [key=value]`,
		`test.yaml:12: spec.resources[0].metrics[1].each.stateSet.labelName: invalid label name "": must consist of letters, digits and _, and not begin with a digit or __`,
		`test.yaml:16: spec.resources[0].metrics[2].each: missing gauge: must be given for type Gauge`,
		`test.yaml:17: spec.resources[0].metrics[3].each.gauge.labelFromKey: invalid label name "a-b": must consist of letters, digits and _, and not begin with a digit or __`,
		`test.yaml:19: spec.resources[0].metrics[5]: duplicate metric kube_customresource_n of type info: must be of type gauge as the metric above`,
		`test.yaml:20: spec.resources[0].metrics[6].labelsFromPath.__x: invalid CEL expression, line 1, column 3: Syntax error: no viable alternative at input '.'`,
		`test.yaml:20: spec.resources[0].metrics[6].each.gauge.path: invalid CEL expression, line 1, column 9: Syntax error: mismatched input '<EOF>'`,
		`test.yaml:21: spec.resources[0].metrics[7].unit: invalid unit "seconds" of metric kube_customresource_p: must be how the name of the metric ends, such as seconds or bytes`,
		`test.yaml:22: spec.resources[0].metrics[8].unit: invalid unit "seconds" of type info: must be given for gauges only`,
		`test.yaml:22: spec.resources[0].metrics[8].commonLabels.__x: invalid label name "__x": must consist of letters, digits and _, and not begin with a digit or __`,
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if kept := c.Resources[0].families; len(kept) != 1 || kept[0].desc.Name != "kube_customresource_n" {
		t.Errorf("%d metrics left, want kube_customresource_n alone", len(kept))
	}
}

// An invalid entry is off, and only that, whichever document it is in.
func TestOneBadEntry(t *testing.T) {
	c, got := problems(t, Source{"a.yaml", []byte(`spec:
  resources:
  - groupVersionKind: {group: a, version: v1, kind: A}
    metrics: {name: m}
    errorLogV: loud
  - groupVersionKind: {group: b, version: v1, kind: B}
  - groupVersionKind: {group: '*', version: v*, kind: C}
    labelSelector: a in
`)}, Source{"d.yaml", []byte("spec: {resources: [{groupVersionKind: {group: d}}, {groupVersionKind: {group: d}, groupVersionKind: {group: e}}]}")})
	if len(c.Resources) != 2 || c.Resources[0].GVK.Kind != "B" || c.Resources[1].GVK.Group != "d" {
		t.Errorf("resources %+v, want B and d", c.Resources)
	}
	want := []string{
		"a.yaml:4: spec.resources[0]: invalid map: must be a list",
		"a.yaml:5: spec.resources[0]: invalid str `loud`: must be a whole number",
		`d.yaml:1: spec.resources[1]: mapping key "groupVersionKind" already defined at line 1`,
		`a.yaml:7: spec.resources[2].groupVersionKind.group: invalid group "*": must be the name of an API group, without wildcards`,
		`a.yaml:7: spec.resources[2].groupVersionKind.version: invalid version "v*": must be a name, or * for all`,
		`a.yaml:8: spec.resources[2].labelSelector: invalid label selector "a in": unable to parse requirement: found '' expected: '(': must be a selector as for kubectl --selector`,
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A document that cannot be read at all does not harm the others.
func TestUnreadableDocument(t *testing.T) {
	c, err := Parse(Source{"a.yaml", []byte("spec: [")}, Source{"b.yaml", nil}, Source{"c.yaml", []byte("spec: {resources: [{groupVersionKind: {group: c}}]}")})
	want := "a.yaml: yaml: line 1: did not find expected node content\nb.yaml: empty document: must have spec.resources"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if len(c.Resources) != 1 || c.Resources[0].GVK.Group != "c" {
		t.Errorf("resources %+v, want c", c.Resources)
	}
}

// Metrics of one name are one family with one help, also of several resources.
func TestOneHelp(t *testing.T) {
	c, got := problems(t, Source{"a.yaml", []byte(`spec:
  resources:
  - groupVersionKind: {group: a, version: v1, kind: A}
    metrics: [{name: m, help: First., each: {type: Gauge, gauge: {}}}]
  - groupVersionKind: {group: b, version: v1, kind: B}
    metrics: [{name: m, help: Second., each: {type: Gauge, gauge: {}}}]
  - groupVersionKind: {group: c, version: v1, kind: C}
    metrics: [{name: m, each: {type: Info, info: {}}}]
`)})
	want := []string{"a.yaml:8: spec.resources[2].metrics[0]: duplicate metric kube_customresource_m of type info: must be of type gauge as the metric above"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range c.Resources[:2] {
		if help := r.families[0].desc.Help; help != "First." {
			t.Errorf("%s has help %q, want that of the first", r, help)
		}
	}
}

func TestLabelSelector(t *testing.T) {
	c, got := problems(t, Source{"a.yaml", []byte(`spec:
  resources:
  - groupVersionKind: {group: a, version: v1, kind: A}
    labelSelector: app in (a, b), !old
    metrics: [{name: m, each: {type: Gauge, gauge: {path: [x]}}}]
`)})
	if len(got) > 0 {
		t.Fatal(got)
	}
	table, err := tableOf(c.Resources[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]int{
		`{"metadata":{"labels":{"app":"a"}},"x":1}`:           1,
		`{"metadata":{"labels":{"app":"a","old":"1"}},"x":1}`: 0,
		`{"x":1}`: 0,
	} {
		if n := len(collect(t, table, []byte(object), nil)[0].Samples); n != want {
			t.Errorf("%s has %d samples, want %d", object, n, want)
		}
	}
}

// Only fields that a path names are decoded, and metadata.
func TestDecodesWhatIsRead(t *testing.T) {
	r := compileOne(t, `    - {name: m, each: {type: Gauge, gauge: {path: [status, conditions, '[type=Ready]', status]}}}
    - {name: n, labelsFromPath: {o: [spec, owner, '0', name]}, each: {type: Gauge, gauge: {path: [spec, replicas]}}}
`)
	table, err := tableOf(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := table.New().(*Object) //nolint:forcetypeassert // it is of this table
	if err := o.UnmarshalJSON([]byte(`{"metadata":{"name":"n","namespace":"ns","uid":"u","managedFields":[1],"labels":{"a":"b"},
		"creationTimestamp":"2022-06-28T00:00:00Z","ownerReferences":[{"kind":"K","name":"k","controller":true}]},
		"spec":{"secret":"s3cret","replicas":2,"owner":[{"name":"x","key":"s3cret"},{"name":"y"}]},
		"status":{"conditions":[{"type":"Ready","status":"True","message":"s3cret"}],"large":[[{"a":1}]]}}`)); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"metadata": map[string]any{
			"name": "n", "namespace": "ns", "uid": "u", "labels": map[string]any{"a": "b"}, "creationTimestamp": "2022-06-28T00:00:00Z",
			"ownerReferences": []any{map[string]any{"kind": "K", "name": "k", "controller": true}},
		},
		"spec":   map[string]any{"replicas": int64(2), "owner": []any{map[string]any{"name": "x"}, map[string]any{"name": "y"}}},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
	}
	if diff := gocmp.Diff(want, o.root); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if o.Name != "n" || o.Namespace != "ns" || o.UID != "u" || o.Labels["a"] != "b" || o.CreationTimestamp.Unix() != 1656374400 ||
		len(o.OwnerReferences) != 1 || !*o.OwnerReferences[0].Controller {
		t.Errorf("metadata %+v", o.ObjectMeta)
	}
}

func TestDecodeIsBounded(t *testing.T) {
	table, err := tableOf(compileOne(t, "    - {name: m, each: {type: Gauge, gauge: {path: [a]}}}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]string{
		`{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`: "nested more than 1000 levels deep",
		`[]`:      "not an object",
		`{"a":1`:  "unexpected EOF",
		`{"a":x}`: "invalid character",
	} {
		o := table.New().(*Object) //nolint:forcetypeassert // it is of this table
		if err := o.UnmarshalJSON([]byte(object)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: error %v, want %s", object, err, want)
		}
	}
}
