package agent_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/agent/naming/ksm"
	"github.com/kubestate/kubestate/agent/naming/otel"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// repeat duplicates every element of every list in a value.
func repeat(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			repeat(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				repeat(field)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			repeat(v.Index(i))
		}
		if v.CanSet() && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.AppendSlice(v, v))
		}
	default:
	}
}

// bare is a naming scheme that drops the labels of all families, so that all samples of an
// object in a family are duplicates.
func bare() *naming.Scheme {
	n := &naming.Scheme{Name: "bare"}
	for _, t := range kind.All() {
		s := t.Schema()
		for i := range s.Families {
			r := naming.Rule{Family: s.Families[i].Name}
			for _, l := range s.Families[i].Labels {
				r.Drop = append(r.Drop, l.Name)
			}
			n.Rules = append(n.Rules, r)
		}
	}
	return n
}

// An object with all its contents duplicated has no duplicate series or checks, in any kind
// and naming scheme.
func TestSeriesAreUnique(t *testing.T) {
	for _, names := range []func() *naming.Scheme{ksm.Scheme, datadog.Scheme, otel.Scheme, bare} {
		all := map[string][]string{"*": {"*"}}
		x := agenttest.New(t, agent.Config{
			Scheme: names(), Kinds: kind.All(), Labels: all, Annotations: all, Keep: func(*metric.Desc) bool { return true },
		})
		for _, table := range x.Tables() {
			for _, c := range kindtest.Load(t, "../kind/testdata/"+table.Name+".txtar") {
				o := kindtest.Decode(t, table, c.Object)
				repeat(reflect.ValueOf(o))
				x.Put(o)
				if twice := duplicates(x); len(twice) > 0 {
					t.Errorf("%s: %s of %s: duplicate series:\n%s", names().Name, c.Name, table.Name, strings.Join(twice, "\n"))
				}
				x.Delete(o)
			}
		}
	}
}

// duplicates returns the series and checks that occur more than once, without their values.
func duplicates(x *agenttest.Cluster) (twice []string) {
	seen := map[string]int{}
	for _, line := range x.Lines(runAt) {
		f := strings.Fields(line)
		name := f[0] + " " + strings.Join(f[2:], " ")
		if f[0] == "check" {
			name = f[0] + " " + f[1] + line[strings.LastIndexByte(line, '"')+1:]
		}
		if seen[name]++; seen[name] == 2 {
			twice = append(twice, name)
		}
	}
	return twice
}

// Of samples that differ only in a dropped label, the first one of each object wins,
// however many there are.
func TestFirstDuplicateWins(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{
		Family: "kube_pod_container_resource_requests", Metric: "r", Tags: naming.Tags{Drop: []string{"container", "unit"}},
	}}}})
	put := func(name string, first, n int) {
		containers := make([]string, n)
		for i := range containers {
			containers[i] = fmt.Sprintf(`{name: c%d, resources: {requests: {cpu: %d, "example.com/r%d": %d}}}`, i, first+i, i/2, i)
		}
		x.Put(objects(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: ns, uid: u}, spec: {containers: [%s]}}`,
			name, strings.Join(containers, ", ")))...)
	}
	wanted := func(name string, first, n int) (want []string) {
		const rest = " namespace:ns node: pod:%s resource:%s uid:u"
		want = append(want, fmt.Sprintf("r %d"+rest, first, name, "cpu"))
		for i := 0; i < n; i += 2 {
			want = append(want, fmt.Sprintf("r %d"+rest, i, name, fmt.Sprintf("example_com_r%d", i/2)))
		}
		return want
	}
	put("a", 7, 3)
	expect(t, x, wanted("a", 7, 3)...)
	put("b", 5, 400)
	put("c", 3, 2)
	put("b", 6, 400)
	want := slices.Concat(wanted("a", 7, 3), wanted("b", 6, 400), wanted("c", 3, 2))
	slices.Sort(want)
	if diff := cmp.Diff(want, x.Lines(runAt)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
