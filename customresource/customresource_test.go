package customresource

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// compileOne compiles the one entry of a configuration, whose metrics are given.
func compileOne(t *testing.T, metrics string) *Resource {
	t.Helper()
	c, err := Parse([]byte("spec:\n  resources:\n  - groupVersionKind: {group: myteam.io, version: v1, kind: Foo}\n    metrics:\n" + metrics))
	if err != nil || len(c.Problems) > 0 || len(c.Resources) != 1 {
		t.Fatal(err, c)
	}
	return &c.Resources[0]
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
			`{"labels":{"a.b/c":"1","0":"2","":"3","none":null}}`,
			"kube_customresource_m_info{_=\"3\"_0=\"2\"a_b_c=\"1\"} 1\n",
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
			"what is no number is skipped and counted",
			"    - {name: m, each: {type: Gauge, gauge: {path: [l], labelsFromPath: {n: [n]}, valueFrom: [v]}}}\n",
			`{"l":[{"n":"a","v":"Unknown!"},{"n":"b","v":3},{"n":"c","v":"1e-2147483648"},{"n":"d","v":"` + strings.Repeat("9", 10_000) + `"}]}`,
			"kube_customresource_m{n=\"b\"} 3\nkube_customresource_m: 3 skipped\n",
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

// All problems of an entry are reported at once, with their lines.
func TestProblems(t *testing.T) {
	r := compileOne(t, `    - name: 'a b'
      commonLabels: {'x.y': z}
      each: {type: Counter}
    - name: m
      each: {type: StateSet, stateSet: {path: ['[x]'], valueFrom: ['[y]'], labelsFromPath: {l: ['[z]']}}}
    - name: m
      each: {type: Gauge}
    - {name: n, each: {type: gauge, gauge: {labelFromKey: 'a-b'}}}
    - {name: n, each: {type: info, info: {}}}
    - {name: o, each: {type: gauge, gauge: {path: {cel: 'o.spec +'}}}}
`)
	want := []string{
		`line 5: spec.resources[0].metrics[0]: invalid metric name "kube_customresource_a b": must match ^[a-zA-Z_:][a-zA-Z0-9_:]*$`,
		`line 5: spec.resources[0].metrics[0]: invalid label name "x.y" in commonLabels: must match ^[a-zA-Z_][a-zA-Z0-9_]*$`,
		`line 5: spec.resources[0].metrics[0]: invalid type "Counter": must be Gauge, Info or StateSet`,
		`line 8: spec.resources[0].metrics[1]: each.stateSet: path: invalid list lookup "[x]": must be [key=value]`,
		`line 8: spec.resources[0].metrics[1]: each.stateSet: valueFrom: invalid list lookup "[y]": must be [key=value]`,
		`line 8: spec.resources[0].metrics[1]: each.stateSet: labelsFromPath: l: invalid list lookup "[z]": must be [key=value]`,
		`line 8: spec.resources[0].metrics[1]: each.stateSet: invalid label name "" in labelName: must match ^[a-zA-Z_][a-zA-Z0-9_]*$`,
		`line 10: spec.resources[0].metrics[2]: missing each.gauge: it is required by type Gauge`,
		`line 12: spec.resources[0].metrics[3]: each.gauge: invalid label name "a-b" in labelFromKey: must match ^[a-zA-Z_][a-zA-Z0-9_]*$`,
		`line 13: spec.resources[0].metrics[4]: type info of kube_customresource_n: a metric above gives it type gauge`,
		`line 14: spec.resources[0].metrics[5]: each.gauge: path: invalid CEL expression, line 1, column 9: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
	}
	var got []string
	for _, p := range r.Check() {
		got = append(got, p.Error())
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An entry of a wrong shape is off, and only that.
func TestOneBadEntry(t *testing.T) {
	c, err := Parse([]byte(`spec:
  resources:
  - groupVersionKind: {group: a, version: v1, kind: A}
    metrics: {name: m}
    errorLogV: loud
  - groupVersionKind: {group: b, version: v1, kind: B}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Resources) != 1 || c.Resources[0].GVK.Kind != "B" {
		t.Errorf("resources %+v, want B alone", c.Resources)
	}
	want := []string{
		"line 4: spec.resources[0]: cannot unmarshal !!map",
		"line 5: spec.resources[0]: cannot unmarshal !!str `loud`",
	}
	var got []string
	for _, p := range c.Problems {
		got = append(got, p.Error())
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
