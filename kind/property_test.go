package kind_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/internal/quantity"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// yearOne is the zero time in Unix seconds.
const yearOne = -62135596800

// walk calls visit with every settable value below v, outer values first.
func walk(v reflect.Value, visit func(reflect.Value)) {
	if !v.CanSet() && v.Kind() != reflect.Pointer {
		return
	}
	if v.CanSet() {
		visit(v)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), visit)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			walk(field, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			item := reflect.New(v.Type().Elem()).Elem()
			item.Set(v.MapIndex(k))
			walk(item, visit)
			v.SetMapIndex(k, item)
		}
	}
}

// counted are the families whose value counts or sums items of a list, so that a duplicate
// item changes it.
var counted = []string{
	"kube_certificatesigningrequest_condition", "kube_certificatesigningrequest_cert_length", "kube_cronjob_status_active",
	"kube_endpointslice_service_endpoints", "kube_networkpolicy_spec_ingress_rules", "kube_networkpolicy_spec_egress_rules",
	"kube_resourceclaim_status_allocated_devices", "kube_resourceslice_capacity", "kube_resourceslice_spec_devices",
	"kube_service_status_load_balancer_addresses",
}

// TestNoDuplicateSeries collects objects whose lists contain every item twice: each series
// is emitted once, with the value of the first item.
func TestNoDuplicateSeries(t *testing.T) {
	for _, table := range kind.All() {
		planned, object := rich(t, table)
		want := kindtest.Record(t, planned, object)
		walk(reflect.ValueOf(object), func(v reflect.Value) {
			if v.Kind() == reflect.Slice {
				v.Set(reflect.AppendSlice(v.Slice3(0, v.Len(), v.Len()), v))
			}
		})
		checkSamples(t, planned, object)
		value := map[string]float64{}
		for _, s := range kindtest.Record(t, planned, object) {
			value[fmt.Sprintf("%s%q", s.Family, s.Values)] = s.Value
		}
		for _, s := range want {
			got, ok := value[fmt.Sprintf("%s%q", s.Family, s.Values)]
			if ok && got != s.Value && !slices.Contains(counted, s.Family) {
				t.Errorf("%s%q is %v, want %v as of the first item", s.Family, s.Values, got, s.Value)
			}
		}
		sink := &counting{}
		e := metric.NewEmitter(sink)
		if n := testing.AllocsPerRun(10, func() { _ = planned.Collect(object, e) }); n != 0 {
			t.Errorf("%s: %v allocations per object, want none", table.Name, n)
		}
	}
}

// TestZeroTimeHasNoSample: a time that is null or zero has no sample, whatever other fields
// are set.
func TestZeroTimeHasNoSample(t *testing.T) {
	for _, table := range kind.All() {
		for name, empty := range map[string]func(reflect.Value){"zero": zeroTime, "null": nullTime} {
			planned, object := rich(t, table)
			whole := kindtest.Record(t, planned, object)
			walk(reflect.ValueOf(object), empty)
			for _, s := range kindtest.Record(t, planned, object) {
				if s.Value == yearOne {
					t.Errorf("%s with times that are %s: %s%q is the zero time", table.Name, name, s.Family, s.Values)
				}
			}
			if name == "zero" && slices.ContainsFunc(whole, func(s kindtest.Sample) bool { return s.Value == yearOne }) {
				t.Errorf("%s: the rich case has a zero time", table.Name)
			}
		}
	}
}

func zeroTime(v reflect.Value) {
	switch v.Interface().(type) {
	case metav1.Time, metav1.MicroTime:
		v.SetZero()
	}
}

func nullTime(v reflect.Value) {
	switch v.Interface().(type) {
	case metav1.Time, *metav1.Time, metav1.MicroTime, *metav1.MicroTime:
		v.SetZero()
	}
}

// setQuantities sets the quantities of an object whose numbers pick selects.
func setQuantities(object kind.Object, q apiresource.Quantity, pick func(n int) bool) (found int) {
	walk(reflect.ValueOf(object), func(v reflect.Value) {
		if _, ok := reflect.TypeAssert[apiresource.Quantity](v); ok {
			if pick(found) {
				v.Set(reflect.ValueOf(q))
			}
			found++
		}
	})
	return found
}

func all(int) bool { return true }

// TestQuantityOutOfBounds: a quantity that would take hours to convert loses only its own
// samples, and the error names the family.
func TestQuantityOutOfBounds(t *testing.T) {
	huge := apiresource.MustParse("1e2147483647")
	for _, table := range kind.All() {
		planned, object := rich(t, table)
		before := kindtest.Record(t, planned, object)
		for n := range setQuantities(object, huge, func(int) bool { return false }) {
			changed := object.DeepCopyObject().(kind.Object)
			setQuantities(changed, huge, func(i int) bool { return i == n })
			var r kindtest.Recorder
			err := planned.Collect(changed, metric.NewEmitter(&r))
			checkOutOfBounds(t, planned, before, r.Samples, err)
		}
		for _, text := range []string{"-5e999999999", quantity.TooLarge} {
			changed := object.DeepCopyObject().(kind.Object)
			found := setQuantities(changed, apiresource.MustParse(text), all)
			var r kindtest.Recorder
			if err := planned.Collect(changed, metric.NewEmitter(&r)); err == nil && found > 0 {
				t.Errorf("%s with quantities of %s: no error", table.Name, text)
			}
		}
	}
}

// checkOutOfBounds compares samples with those before one quantity was out of bounds.
func checkOutOfBounds(t *testing.T, table *kind.Table, before, after []kindtest.Sample, err error) {
	t.Helper()
	left := map[string]bool{}
	for _, s := range after {
		left[fmt.Sprint(s)] = true
	}
	missing := map[string]int{}
	for _, s := range before {
		if !left[fmt.Sprint(s)] {
			missing[s.Family]++
		}
	}
	for family, n := range missing {
		if err == nil || !strings.Contains(err.Error(), family+": quantity out of bounds") {
			t.Errorf("%s: samples of %s are missing, error %v", table.Name, family, err)
		}
		if n > 2 { // a resource may have a series in bytes and one in pieces
			t.Errorf("%s: %d samples of %s are missing because of one quantity", table.Name, n, family)
		}
	}
}

// TestZeroWithHugeExponent: a zero with any exponent is converted immediately.
func TestZeroWithHugeExponent(t *testing.T) {
	for _, table := range kind.All() {
		planned, object := rich(t, table)
		setQuantities(object, apiresource.MustParse("0e2147483647"), all)
		kindtest.Record(t, planned, object)
	}
}

// Quantities of equal length: one to encode, and one out of bounds to replace it.
const (
	plainText = "123456789123"
	hugeText  = "1e-214748364"
)

// TestQuantitiesAreBoundedBeforeDecoding: no quantity out of bounds reaches a
// decoder, in any field of any kind.
func TestQuantitiesAreBoundedBeforeDecoding(t *testing.T) {
	tested := 0
	for _, table := range kind.All() {
		planned, object := rich(t, table)
		if setQuantities(object, apiresource.MustParse(plainText), all) == 0 {
			continue
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte(plainText), []byte(hugeText))
		decodeBounded(t, planned, wire.BoundJSON(table.New(), text), func(o kind.Object, b []byte) error { return json.Unmarshal(b, o) })
		if message := bytes.ReplaceAll(encode(t, object), []byte(plainText), []byte(hugeText)); len(message) > 0 {
			filter, err := wire.Compile(table.New(), kind.Reads(planned))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []*wire.Filter{filter, wire.Whole(table.New())} {
				decodeBounded(t, planned, f.Append(nil, message), func(o kind.Object, b []byte) error { return o.Unmarshal(b) })
			}
		}
		tested++
	}
	if tested < 8 {
		t.Errorf("%d kinds have quantities", tested)
	}
}

func decodeBounded(t *testing.T, table *kind.Table, encoded []byte, decode func(kind.Object, []byte) error) {
	t.Helper()
	if bytes.Contains(encoded, []byte(hugeText)) {
		t.Fatalf("%s: a quantity out of bounds is left in %.2000q", table.Name, encoded)
	}
	o := table.New()
	if err := decode(o, encoded); err != nil {
		t.Fatalf("%s: %v", table.Name, err)
	}
	found := 0
	walk(reflect.ValueOf(o), func(v reflect.Value) {
		if q, ok := reflect.TypeAssert[apiresource.Quantity](v); ok && !q.IsZero() {
			found++
			if q.String() != quantity.TooLarge {
				t.Errorf("%s: a quantity is %s, want %s", table.Name, q.String(), quantity.TooLarge)
			}
		}
	})
	if found == 0 {
		t.Errorf("%s: no quantity is left", table.Name)
	}
}
