package deploy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// usage is a value of the chart kube-state-metrics, and what must be set with it for
// the value to have an effect.
type usage struct {
	Key   string         `json:"key"`
	Value any            `json:"value"`
	With  map[string]any `json:"with"`
	// Has is a text that the rendered objects contain only if the value is set.
	Has string `json:"has"`
	// Lacks is a text that they contain only if the value is not set.
	Lacks string `json:"lacks"`
}

// Every value of the chart kube-state-metrics 8.4.0 is accepted and has an effect.
func TestValuesOfKubeStateMetrics(t *testing.T) {
	data, err := os.ReadFile("testdata/kube-state-metrics-values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var usages []usage
	if err := yaml.UnmarshalStrict(data, &usages); err != nil {
		t.Fatal(err)
	}
	var tried []string
	for _, u := range usages {
		tried = append(tried, u.Key)
		if (u.Has == "") == (u.Lacks == "") {
			t.Errorf("%s: must have one of has and lacks", u.Key)
		}
		without, err := template(t, u.With)
		if err != nil {
			t.Errorf("%s: without it: %v", u.Key, err)
			continue
		}
		with, err := template(t, set(u.With, u.Value, strings.Split(u.Key, ".")...))
		if err != nil {
			t.Errorf("%s: %v", u.Key, err)
			continue
		}
		objects(t, with)
		if u.Has != "" && (!strings.Contains(with, u.Has) || strings.Contains(without, u.Has)) {
			t.Errorf("%s: %q is in the objects with it: %t, without it: %t",
				u.Key, u.Has, strings.Contains(with, u.Has), strings.Contains(without, u.Has))
		}
		if u.Lacks != "" && (strings.Contains(with, u.Lacks) || !strings.Contains(without, u.Lacks)) {
			t.Errorf("%s: %q is in the objects with it: %t, without it: %t",
				u.Key, u.Lacks, strings.Contains(with, u.Lacks), strings.Contains(without, u.Lacks))
		}
	}
	list, err := os.ReadFile("testdata/kube-state-metrics-values.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields(string(list)) {
		if !slices.ContainsFunc(tried, func(k string) bool { return k == key || strings.HasPrefix(k, key+".") }) {
			t.Errorf("%s is not tried", key)
		}
	}
}

// set returns a copy of values with a value at a path.
func set(values map[string]any, value any, path ...string) map[string]any {
	copied := map[string]any{}
	for k, v := range values {
		copied[k] = v
	}
	if len(path) == 1 {
		copied[path[0]] = value
		return copied
	}
	inner, _ := copied[path[0]].(map[string]any)
	copied[path[0]] = set(inner, value, path[1:]...)
	return copied
}
