package kind_test

import (
	"fmt"
	"slices"
	"testing"

	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// TestCollectRandom collects objects that no API server has validated.
func TestCollectRandom(t *testing.T) {
	for _, table := range kind.All() {
		planned, _ := rich(t, table)
		for seed := range byte(50) {
			collectRandom(t, planned, slices.Repeat([]byte{seed, seed * 7, seed * 31}, 50))
		}
	}
}

// FuzzCollect has few seeds, because measuring the coverage of each takes longer than
// running it.
func FuzzCollect(f *testing.F) {
	var tables []*kind.Table
	for i, table := range kind.All() {
		planned, object := rich(f, table)
		tables = append(tables, planned)
		wire := encode(f, object)
		f.Add(uint8(i), wire)
		f.Add(uint8(i), wire[:len(wire)/2])
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) { collectRandom(t, tables[int(which)%len(tables)], data) })
}

// collectRandom collects an object decoded from data and one filled at random, with any
// field missing. No row may panic, and samples must be well formed.
func collectRandom(t *testing.T, table *kind.Table, data []byte) {
	t.Helper()
	if o := table.New(); o.Unmarshal(data) == nil {
		checkSamples(t, table, o)
	}
	o := table.New()
	filler(data).Fill(o)
	checkSamples(t, table, o)
}

// encode returns an object as protobuf, empty for custom resources, which have no protobuf
// form.
func encode(t testing.TB, o kind.Object) []byte {
	t.Helper()
	m, ok := o.(interface{ Marshal() ([]byte, error) })
	if !ok {
		return nil
	}
	message, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func checkSamples(t *testing.T, table *kind.Table, o kind.Object) {
	t.Helper()
	family, known := -1, map[string]bool{}
	for _, s := range kindtest.Record(t, table, o) {
		if series := fmt.Sprintf("%s %q %q", s.Family, s.Names, s.Values); known[series] {
			t.Errorf("duplicate series %s", series)
		} else {
			known[series] = true
		}
		if s.Value == yearOne {
			t.Errorf("%s %q has the zero time", s.Family, s.Values)
		}
		if len(s.Names) != len(s.Values) {
			t.Errorf("%s: %d label names, %d values", s.Family, len(s.Names), len(s.Values))
		}
		names := slices.Sorted(slices.Values(s.Names))
		if len(slices.Compact(names)) != len(s.Names) {
			t.Errorf("%s: duplicate label name in %q", s.Family, s.Names)
		}
		if i := slices.IndexFunc(names, func(n string) bool { return !labelName.MatchString(n) }); i >= 0 {
			t.Errorf("%s: invalid label name %q", s.Family, names[i])
		}
		i := slices.IndexFunc(table.Schema().Families, func(d metric.Desc) bool { return d.Name == s.Family })
		if i < family {
			t.Errorf("%s: after a later family", s.Family)
		}
		family = i
	}
}

// filler returns a generator of random fields: half of all pointers are nil, and lists,
// maps and strings are often empty.
func filler(data []byte) *randfill.Filler {
	quantities := []string{"0", "1", "1500m", "1n", "10E", "-3", "9223372036854775808", "1e30", "0.0000000001"}
	texts := []string{"", "a", "True", "Ready", "PodScheduled", "100%", "x\"\\\n", "\xff\xfe", "# EOF", "node-role.kubernetes.io/", "a.b", "a-b", "hugepages-/"}
	return randfill.NewFromGoFuzz(data).NilChance(0.5).NumElements(0, 3).MaxDepth(12).Funcs(
		func(s *string, c randfill.Continue) { *s = texts[c.Intn(len(texts))] },
		func(q *apiresource.Quantity, c randfill.Continue) {
			if c.Bool() {
				*q = apiresource.MustParse(quantities[c.Intn(len(quantities))])
			}
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			*v = intstr.IntOrString{Type: intstr.Type(c.Intn(3)), IntVal: int32(c.Int31()), StrVal: texts[c.Intn(len(texts))]}
		},
		func(at *metav1.Time, c randfill.Continue) {
			if c.Bool() {
				*at = metav1.Unix(int64(c.Int31()), 0)
			}
		},
		func(*metav1.FieldsV1, randfill.Continue) {},
		func(*runtime.RawExtension, randfill.Continue) {},
	)
}
