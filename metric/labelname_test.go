package metric_test

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/kubestate/kubestate/metric"
)

func TestLabelNames(t *testing.T) {
	data, err := os.ReadFile("testdata/label-names.json")
	if err != nil {
		t.Fatal(err)
	}
	// Label names of kube-state-metrics 2.20 for Kubernetes keys.
	var vectors []struct {
		In, Label    string
		SanitizeOnly string `json:"sanitize_only"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	e := metric.NewEmitter(&recorder{})
	for range 2 { // the second time from the cache
		for _, v := range vectors {
			if got := "label_" + metric.DeriveName(v.In); got != v.Label {
				t.Errorf("key %q: label %s, want %s", v.In, got, v.Label)
			}
			if name := metric.DeriveName(v.In); !metric.Derives(v.In, name) || metric.Derives(v.In, name+"_") || metric.Derives(v.In+"x", name) {
				t.Errorf("Derives(%q, %q) = false", v.In, name)
			}
			if got := metric.SafeName(v.In); got != v.SanitizeOnly {
				t.Errorf("SafeName(%q) = %s, want %s", v.In, got, v.SanitizeOnly)
			}
			if got := e.SafeName(v.In); got != v.SanitizeOnly {
				t.Errorf("Emitter.SafeName(%q) = %s, want %s", v.In, got, v.SanitizeOnly)
			}
		}
	}
}

func TestNamesOfInvalidUTF8(t *testing.T) {
	if got := metric.SafeName("a\xff\xfeb"); got != "a__b" {
		t.Errorf("SafeName: %q", got)
	}
	if got := metric.DeriveName("a\xff\xfeB"); got != "a__b" {
		t.Errorf("DeriveName: %q", got)
	}
}

func TestLabelMapConflicts(t *testing.T) {
	for _, c := range []struct {
		keys []string // sorted
		want []string
	}{
		{[]string{"a"}, []string{"x_a"}},
		{[]string{"a-b", "a.b"}, []string{"x_a_b_conflict1", "x_a_b_conflict2"}},
		{[]string{"a-b", "a.b", "a_b"}, []string{"x_a_b_conflict1", "x_a_b_conflict2", "x_a_b_conflict3"}},
		{[]string{"a-b", "a.b", "c"}, []string{"x_a_b_conflict1", "x_a_b_conflict2", "x_c"}},
		{[]string{"A.b.conflict1", "a-b", "a.b"}, []string{"x_a_b_conflict1", "x_a_b_conflict2", "x_a_b_conflict3"}},
		{[]string{"a-b", "a.b", "a_b_conflict1"}, []string{"x_a_b_conflict2", "x_a_b_conflict3", "x_a_b_conflict1"}},
		{
			[]string{"a-b", "a.b", "a.b.conflict1", "a_b_conflict1"},
			[]string{"x_a_b_conflict2", "x_a_b_conflict3", "x_a_b_conflict1_conflict1", "x_a_b_conflict1_conflict2"},
		},
		{[]string{"B", "Z", "a", "b", "z-1", "z.1"}, []string{"x_b_conflict1", "x_z", "x_a", "x_b_conflict2", "x_z_1_conflict1", "x_z_1_conflict2"}},
	} {
		m := map[string]string{}
		for i, k := range c.keys {
			m[k] = strconv.Itoa(i)
		}
		var r recorder
		e := metric.NewEmitter(&r)
		e.Begin(schema, "ns", "n")
		e.Family(2)
		e.LabelMap("x", m, nil)
		e.AddLabeled(1)
		if got := r.samples[0].names[2:]; !slices.Equal(got, c.want) {
			t.Errorf("keys %q: got %q, want %q", c.keys, got, c.want)
		}
		for i, v := range r.samples[0].values[2:] {
			if v != strconv.Itoa(i) {
				t.Errorf("keys %q: value %d is %q", c.keys, i, v)
			}
		}
	}
}

// Far more keys than the cache holds, so that it is cleared in between.
func TestManyKeys(t *testing.T) {
	m := map[string]string{}
	for i := range 25_000 {
		m["key."+strconv.Itoa(i)] = strconv.Itoa(i)
	}
	var r recorder
	e := metric.NewEmitter(&r)
	for range 2 {
		e.Begin(schema, "ns", "n")
		e.Family(2)
		e.LabelMap("x", m, func(key string) bool { return key != "key.7" })
		e.AddLabeled(1)
	}
	for _, s := range r.samples {
		if len(s.names) != 2+24_999 {
			t.Fatalf("%d labels", len(s.names))
		}
		for i, name := range s.names[2:] {
			if want := "x_key_" + s.values[2+i]; name != want {
				t.Fatalf("label %s has value %s", name, s.values[2+i])
			}
		}
	}
}
