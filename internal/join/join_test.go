package join_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/join"
)

// model is an Index as plain as can be.
type model struct {
	given      map[string]map[string]join.Gift // by key, by join and source
	dependents map[string]map[int]bool
}

func id(g join.Gift) string { return fmt.Sprint(g.Join, g.Source) }

// Random changes leave an Index that holds what a plain model holds, and it tells
// of every change that dependents could see, and of no other.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := join.NewIndex[int]()
	m := model{map[string]map[string]join.Gift{}, map[string]map[int]bool{}}
	for range 5_000 {
		key := fmt.Sprint("k", r.IntN(6))
		if m.given[key] == nil {
			m.given[key], m.dependents[key] = map[string]join.Gift{}, map[int]bool{}
		}
		g := join.Gift{Join: r.IntN(2), Source: join.Source{Name: fmt.Sprint("s", r.IntN(3))}}
		before := labels(m.given[key])
		switch d := r.IntN(4); r.IntN(4) {
		case 0:
			for range r.IntN(3) {
				g.Labels = append(g.Labels, join.Label{Name: "l", Value: fmt.Sprint(r.IntN(2))})
			}
			changed := x.Leaf([]byte(key)).Give(g)
			old := m.given[key][id(g)].Labels
			m.given[key][id(g)] = g
			if want := !slices.Equal(old, g.Labels); changed != want {
				t.Fatalf("giving %v in place of %v changes: %v", g.Labels, old, changed)
			}
		case 1:
			l := x.Get([]byte(key))
			if l == nil {
				break
			}
			changed := l.Take(g.Join, g.Source)
			delete(m.given[key], id(g))
			if want := !slices.Equal(before, labels(m.given[key])); changed != want {
				t.Fatalf("taking changes: %v, want %v", changed, want)
			}
		case 2:
			x.Leaf([]byte(key)).Depend(d)
			m.dependents[key][d] = true
		case 3:
			if l := x.Get([]byte(key)); l != nil {
				l.Forget(d)
				delete(m.dependents[key], d)
			}
		}
		compare(t, x, &m)
	}
}

// labels returns what is given under a key, ascending by join and source.
func labels(given map[string]join.Gift) (all []join.Label) {
	for _, k := range slices.Sorted(maps.Keys(given)) {
		all = append(all, given[k].Labels...)
	}
	return all
}

func compare(t *testing.T, x *join.Index[int], m *model) {
	t.Helper()
	leaves := 0
	for key, given := range m.given {
		l := x.Get([]byte(key))
		if needed := len(given)+len(m.dependents[key]) > 0; needed != (l != nil) {
			t.Fatalf("%s is needed: %v, and kept: %v", key, needed, l != nil)
		}
		if l == nil {
			continue
		}
		leaves++
		var got []join.Label
		for _, g := range l.Given() {
			got = append(got, g.Labels...)
		}
		if diff := cmp.Diff(labels(given), got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", key, diff)
		}
		dependents := map[int]bool{}
		l.Dependents(func(d int) { dependents[d] = true })
		if diff := cmp.Diff(m.dependents[key], dependents); diff != "" {
			t.Fatalf("dependents of %s (-want +got):\n%s", key, diff)
		}
	}
	if x.Len() != leaves {
		t.Fatalf("%d leaves are kept, %d are needed", x.Len(), leaves)
	}
}
