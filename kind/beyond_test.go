package kind_test

import (
	"reflect"
	"testing"

	resourcev1beta2 "k8s.io/api/resource/v1beta2"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Families that kube-state-metrics does not have are alpha and opt-in, so that the default
// series are those of kube-state-metrics.
func TestBeyondIsOffByDefault(t *testing.T) {
	beyond := 0
	for _, table := range kind.All() {
		for _, d := range table.Schema().Families {
			if !d.Beyond {
				continue
			}
			beyond++
			if d.Stability != metric.Alpha || !d.OptIn {
				t.Errorf("%s: is %s and opt-in %t", d.Name, d.Stability, d.OptIn)
			}
		}
		for _, d := range (kindtest.Options{}).Plan(t, table).Schema().Families {
			if d.Beyond {
				t.Errorf("%s: served by default", d.Name)
			}
		}
	}
	if beyond == 0 {
		t.Error("no family is marked as beyond kube-state-metrics")
	}
	for _, table := range kind.Defaults() {
		if families := table.Schema().Families; !hasCompatible(families) {
			t.Errorf("%s: is a default resource, but kube-state-metrics has no family of it", table.Name)
		}
	}
}

func hasCompatible(families []metric.Desc) bool {
	for i := range families {
		if !families[i].Beyond {
			return true
		}
	}
	return false
}

// Tables decode older versions into the type of the newest, so the types must have the same
// fields with the same names and protobuf numbers.
func TestOlderVersionsHaveTheSameForm(t *testing.T) {
	older := map[string]any{
		"resourceclaims/v1beta2": resourcev1beta2.ResourceClaim{},
		"resourceslices/v1beta2": resourcev1beta2.ResourceSlice{},
	}
	for _, table := range kind.All() {
		for _, version := range table.Older {
			old, ok := older[table.Name+"/"+version]
			if !ok {
				t.Errorf("%s: this test does not know version %s", table.Name, version)
				continue
			}
			sameForm(t, table.Name, reflect.TypeOf(table.New()).Elem(), reflect.TypeOf(old))
		}
	}
}

// sameForm fails unless a and b have the same form in JSON and protobuf.
func sameForm(t *testing.T, path string, a, b reflect.Type) {
	t.Helper()
	if a == b {
		return
	}
	if a.Kind() != b.Kind() {
		t.Errorf("%s: is a %s and was a %s", path, a.Kind(), b.Kind())
		return
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Slice:
		sameForm(t, path, a.Elem(), b.Elem())
	case reflect.Map:
		sameForm(t, path, a.Key(), b.Key())
		sameForm(t, path, a.Elem(), b.Elem())
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			t.Errorf("%s: has %d fields and had %d", path, a.NumField(), b.NumField())
		}
		for i := range min(a.NumField(), b.NumField()) {
			f, g := a.Field(i), b.Field(i)
			if f.Name != g.Name || f.Tag != g.Tag {
				t.Errorf("%s: field %s %s was %s %s", path, f.Name, f.Tag, g.Name, g.Tag)
			}
			sameForm(t, path+"."+f.Name, f.Type, g.Type)
		}
	}
}
