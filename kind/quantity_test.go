package kind

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubestate/kubestate/metric"
)

// vectors has the values and labels that kube-state-metrics 2.20 derives from quantities
// and resource names.
type vectors struct {
	Quantities []struct {
		In         string
		ValueInt   string `json:"value_int"`
		MilliAware string `json:"milli_aware"`
	}
	ResourceNameClasses []struct {
		Name, Label                    string
		Hugepage, Attachable, Extended bool
	} `json:"resource_name_classes"`
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/conformance/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Quantities) == 0 || len(v.ResourceNameClasses) == 0 {
		t.Fatal("no vectors")
	}
	return v
}

func TestQuantities(t *testing.T) {
	for _, v := range readVectors(t).Quantities {
		q := apiresource.MustParse(v.In)
		if got := text(whole(q)); got != v.ValueInt {
			t.Errorf("whole(%s) = %s, want %s", v.In, got, v.ValueInt)
		}
		if got := text(fractional(q)); got != v.MilliAware {
			t.Errorf("fractional(%s) = %s, want %s", v.In, got, v.MilliAware)
		}
	}
}

func text(v float64) string {
	if v == 0 {
		v = math.Abs(v)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// units collects the values of resource and unit.
type units struct{ got []string }

func (*units) Begin(*metric.Schema, []string) {}

func (u *units) Sample(s *metric.Sample) { u.got = append(u.got, strings.Join(s.Values, " ")) }

func TestResourceUnits(t *testing.T) {
	own := map[string]string{"cpu": unitCore, "memory": unitByte, "ephemeral-storage": unitByte}
	schema := metric.NewSchema("things", nil, []metric.Desc{{Name: "thing_resource", Labels: labels{resource, unit}}})
	for _, v := range readVectors(t).ResourceNameClasses {
		var want []string
		if u, ok := own[v.Name]; ok {
			want = append(want, v.Label+" "+u)
		}
		if v.Hugepage || v.Attachable {
			want = append(want, v.Label+" "+unitByte)
		}
		if v.Extended {
			want = append(want, v.Label+" "+unitInteger)
		}
		var u units
		e := metric.NewEmitter(&u)
		e.Begin(schema)
		e.Family(0)
		resources(corev1.ResourceList{corev1.ResourceName(v.Name): apiresource.MustParse("1")}, whole, e)
		if strings.Join(u.got, ", ") != strings.Join(want, ", ") {
			t.Errorf("resource %q: got %q, want %q", v.Name, u.got, want)
		}
	}
}

// extendedByLibrary implements extended with the name validation of Kubernetes.
func extendedByLibrary(name string) bool {
	return strings.Contains(name, "/") && !strings.Contains(name, "kubernetes.io/") && !strings.HasPrefix(name, "requests.") &&
		len(validation.IsQualifiedName("requests."+name)) == 0
}

func TestExtended(t *testing.T) {
	names := []string{
		"", "/", "a/", "/a", "a/b", "a/b/c", "A/b", "a/B", "a.b/c", "a..b/c", ".a/b", "a./b", "-a/b", "a-/b", "a_b/c", "a/_b", "a/b_c", "a/b.c", "a/b-", "requests.a/b",
		"kubernetes.io/a", "xkubernetes.io/a", "kubernetes.io.x/a", strings.Repeat("a", 244) + "/b", strings.Repeat("a", 245) + "/b",
		strings.Repeat("a.", 121) + "a/b", strings.Repeat("a.", 122) + "a/b", "a/" + strings.Repeat("b", 63), "a/" + strings.Repeat("b", 64), "a\n/b", "a/b\n", "ä/b", "a/ä",
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range r.IntN(8) {
			b.WriteByte("aZ0/.-_ "[r.IntN(8)])
		}
		names = append(names, b.String(), "a"+b.String()+"/b", "a/b"+b.String())
	}
	extendedNames := 0
	for _, name := range names {
		want := extendedByLibrary(name)
		if got := extended(name); got != want {
			t.Errorf("extended(%q) = %t, want %t", name, got, want)
		}
		extendedNames += int(metric.Float(want))
	}
	if extendedNames < 100 {
		t.Errorf("only %d of %d names are extended, too few for this test", extendedNames, len(names))
	}
}
