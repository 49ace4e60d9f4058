package metric_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/metric"
)

var schema = metric.NewSchema("things",
	[]metric.Label{{Name: "namespace", Doc: "namespace"}, {Name: "thing", Doc: "name"}},
	[]metric.Desc{
		{Name: "kube_thing_count", Type: metric.Gauge},
		{Name: "kube_thing_info", Type: metric.Gauge, Labels: []metric.Label{{Name: "a", Doc: "a"}, {Name: "b", Doc: "b"}}},
		{Name: "kube_thing_labels", Type: metric.Gauge, Prefix: "label"},
	})

type recorded struct {
	family        string
	names, values []string
	value         float64
	dynamic       bool
}

// recorder records everything it receives.
type recorder struct {
	identities []string
	samples    []recorded
}

func (r *recorder) Begin(_ *metric.Schema, identity []string) {
	r.identities = append(r.identities, strings.Join(identity, "/"))
}

func (r *recorder) Sample(s *metric.Sample) {
	values := make([]string, len(s.Values))
	for i, v := range s.Values {
		values[i] = strings.Clone(v)
	}
	r.samples = append(r.samples, recorded{s.Desc.Name, slices.Clone(s.Names), values, s.Value, s.Dynamic})
}

func (r *recorder) String() string {
	var b strings.Builder
	for _, s := range r.samples {
		fmt.Fprintf(&b, "%s %q %q %v %t\n", s.family, s.names, s.values, s.value, s.dynamic)
	}
	return b.String()
}

func TestEmitter(t *testing.T) {
	var r recorder
	e := metric.NewEmitter(&r)
	for _, name := range []string{"one", "two"} {
		e.Begin(schema, "ns", name)
		e.Family(0)
		e.Add(2.5)
		e.Family(1)
		e.Add(1, "x", "")
		e.Add(0, "y", "z")
		e.Family(2)
		e.LabelMap("label", map[string]string{"k": "v", "app.io/Name": "n"}, nil)
		e.Label("more", "m")
		e.AddLabeled(1)
		e.AddLabeled(3)
	}
	const each = `kube_thing_count ["namespace" "thing"] ["ns" "NAME"] 2.5 false
kube_thing_info ["namespace" "thing" "a" "b"] ["ns" "NAME" "x" ""] 1 false
kube_thing_info ["namespace" "thing" "a" "b"] ["ns" "NAME" "y" "z"] 0 false
kube_thing_labels ["namespace" "thing" "label_app_io_name" "label_k" "more"] ["ns" "NAME" "n" "v" "m"] 1 true
kube_thing_labels ["namespace" "thing"] ["ns" "NAME"] 3 true
`
	if want := strings.ReplaceAll(each, "NAME", "one") + strings.ReplaceAll(each, "NAME", "two"); r.String() != want {
		t.Errorf("got:\n%swant:\n%s", &r, want)
	}
	if want := []string{"ns/one", "ns/two"}; !slices.Equal(r.identities, want) {
		t.Errorf("objects %q, want %q", r.identities, want)
	}
}

// Labels left by a row that panicked must not appear in the next family.
func TestEmitterForgetsUnfinishedLabels(t *testing.T) {
	var r recorder
	e := metric.NewEmitter(&r)
	e.Begin(schema, "ns", "n")
	e.Family(2)
	e.Label("left", "behind")
	e.Family(2)
	e.Label("own", "v")
	e.AddLabeled(1)
	if want := "kube_thing_labels [\"namespace\" \"thing\" \"own\"] [\"ns\" \"n\" \"v\"] 1 true\n"; r.String() != want {
		t.Errorf("got:\n%swant:\n%s", &r, want)
	}
}

// The samples of a family differ in their labels.
func TestEmitterMixesAddAndLabel(t *testing.T) {
	var r recorder
	e := metric.NewEmitter(&r)
	e.Begin(schema, "ns", "x")
	e.Family(1)
	e.Add(1, "one", "two")
	e.Label("c", "three")
	e.AddLabeled(2)
	e.Add(3, "four", "five")
	const want = `kube_thing_info ["namespace" "thing" "a" "b"] ["ns" "x" "one" "two"] 1 false
kube_thing_info ["namespace" "thing" "c"] ["ns" "x" "three"] 2 true
kube_thing_info ["namespace" "thing" "a" "b"] ["ns" "x" "four" "five"] 3 false
`
	if got := r.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestEmitterPanicsOnWrongTables(t *testing.T) {
	for name, mistake := range map[string]func(*metric.Emitter){
		"identity":      func(e *metric.Emitter) { e.Begin(schema, "ns") },
		"missing label": func(e *metric.Emitter) { e.Begin(schema, "ns", "n"); e.Family(1); e.Add(1, "x") },
		"too many labels": func(e *metric.Emitter) {
			e.Begin(schema, "ns", "n")
			e.Family(0)
			e.Add(1, "x")
		},
		"invalid label":         func(e *metric.Emitter) { e.Begin(schema, "ns", "n"); e.Family(2); e.Label("a\nb", "x") },
		"label without name":    func(e *metric.Emitter) { e.Begin(schema, "ns", "n"); e.Family(2); e.Label("", "x") },
		"label that is a digit": func(e *metric.Emitter) { e.Begin(schema, "ns", "n"); e.Family(2); e.Label("1", "x") },
		"reserved label":        func(e *metric.Emitter) { e.Begin(schema, "ns", "n"); e.Family(2); e.Label("__name__", "x") },
		"invalid prefix": func(e *metric.Emitter) {
			e.Begin(schema, "ns", "n")
			e.Family(2)
			e.LabelMap("a b", map[string]string{"k": "v"}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "thing") {
					t.Errorf("panic %v does not name the table or the family", r)
				}
			}()
			mistake(metric.NewEmitter(&recorder{}))
		})
	}
}

// Strings of the Emitter stay intact while its memory grows.
func TestEmitterStrings(t *testing.T) {
	e := metric.NewEmitter(&recorder{})
	e.Begin(schema, "ns", "n")
	var got, want []string
	for i := range int64(1000) {
		got = append(got, e.Int(i-500), e.Concat("a", fmt.Sprint(i), ""), e.Concat(), e.Lower("AZ[É@"+fmt.Sprint(i)))
		want = append(want, fmt.Sprint(i-500), "a"+fmt.Sprint(i), "", "az[É@"+fmt.Sprint(i))
	}
	if !slices.Equal(got, want) {
		t.Error("strings changed")
	}
}

func TestSortedKeys(t *testing.T) {
	type name string
	e := metric.NewEmitter(&recorder{})
	if got := metric.SortedKeys(e, map[name]int{"b": 1, "B": 2, "a": 3, "": 4}); !slices.Equal(got, []string{"", "B", "a", "b"}) {
		t.Errorf("got %q", got)
	}
	if got := metric.SortedKeys(e, map[name]int(nil)); len(got) != 0 {
		t.Errorf("nil map: got %q", got)
	}
}

func TestHelpText(t *testing.T) {
	for _, c := range []struct {
		desc metric.Desc
		want string
	}{
		{metric.Desc{Stability: metric.Alpha, Help: "Text."}, "Text."},
		{metric.Desc{Stability: metric.Stable, Help: "Text."}, "[STABLE] Text."},
		{metric.Desc{Stability: metric.Alpha, Deprecated: "v2.14.0", Help: "Text."}, "(Deprecated since v2.14.0) Text."},
		{metric.Desc{Stability: metric.Stable, Deprecated: "v2.14.0", Help: "Text."}, "[STABLE] (Deprecated since v2.14.0) Text."},
	} {
		if got := c.desc.HelpText(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestEmitterAllocatesNothing(t *testing.T) {
	e := metric.NewEmitter(discard{})
	m := map[string]string{"k": "v", "app.io/Name": "n"}
	n := testing.AllocsPerRun(100, func() {
		e.Begin(schema, "ns", "n")
		e.Family(1)
		e.Add(1, e.Int(12345678901), e.Concat("n", "-", "x"))
		for _, k := range metric.SortedKeys(e, m) {
			e.Add(1, e.SafeName(k), "")
		}
		e.Family(2)
		e.LabelMap("label", m, nil)
		e.AddLabeled(1)
	})
	if n != 0 {
		t.Errorf("%v allocations per object, want 0", n)
	}
}

type discard struct{}

func (discard) Begin(*metric.Schema, []string) {}
func (discard) Sample(*metric.Sample)          {}

// Of samples with equal labels the first is emitted, whatever their number and however
// their labels are added.
func TestNoSeriesTwice(t *testing.T) {
	schema := metric.NewSchema("things", []metric.Label{{Name: "thing"}}, []metric.Desc{
		{Name: "one", Type: metric.Gauge}, {Name: "many", Type: metric.Gauge, Labels: []metric.Label{{Name: "a"}, {Name: "b"}}},
	})
	for _, n := range []int{1, 2, 16, 17, 18, 200, 5000} {
		var got []string
		e := metric.NewEmitter(collector(func(s *metric.Sample) {
			got = append(got, fmt.Sprintf("%s%s%s%v", s.Desc.Name, s.Names[1:], s.Values[1:], s.Value))
		}))
		var want []string
		for object := range 2 {
			e.Begin(schema, fmt.Sprint(object))
			e.Family(0)
			e.Add(1)
			e.Add(2)
			want = append(want, "one[][]1")
			e.Family(1)
			for round := range 2 {
				for i := range n {
					e.Add(float64(round), "x", fmt.Sprint(i))
					e.Add(float64(round), fmt.Sprint(i), "x")
					e.Label("a", "x")
					e.Label("b", fmt.Sprint(i))
					e.AddLabeled(7)
					e.Label("b", "x")
					e.Label("a", fmt.Sprint(i))
					e.AddLabeled(float64(round))
					if round == 0 {
						want = append(want, fmt.Sprintf("many[a b][x %d]0", i), fmt.Sprintf("many[a b][%d x]0", i), fmt.Sprintf("many[b a][x %d]0", i))
					}
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d samples: got %d, want %d: %.300s", n, len(got), len(want), fmt.Sprint(got))
		}
	}
}

// collector is a sink that calls itself with every sample.
type collector func(*metric.Sample)

func (collector) Begin(*metric.Schema, []string) {}

func (c collector) Sample(s *metric.Sample) { c(s) }

func TestReject(t *testing.T) {
	schema := metric.NewSchema("things", nil, []metric.Desc{{Name: "a", Type: metric.Gauge}, {Name: "b", Type: metric.Gauge}})
	e := metric.NewEmitter(collector(func(*metric.Sample) {}))
	e.Begin(schema)
	e.Family(0)
	if err := e.Rejected(); err != nil {
		t.Errorf("before: %v", err)
	}
	first := errors.New("first")
	e.Reject(first)
	e.Reject(errors.New("second"))
	if err := e.Rejected(); !errors.Is(err, first) {
		t.Errorf("got %v, want the first", err)
	}
	e.Family(1)
	if err := e.Rejected(); err != nil {
		t.Errorf("in the next family: %v", err)
	}
}
