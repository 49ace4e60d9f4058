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

// model is a naive Index.
type model struct {
	provided   map[string]map[string]join.JoinedLabels // by key, by join and source
	dependents map[string]map[int]bool
}

func id(g join.JoinedLabels) string { return fmt.Sprint(g.Join, g.Source) }

// TestIndex applies random changes to an Index and to a model. Both have the same content,
// and the Index reports exactly the changes of labels.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := join.NewIndex[int]()
	m := model{map[string]map[string]join.JoinedLabels{}, map[string]map[int]bool{}}
	for range 5_000 {
		key := fmt.Sprint("k", r.IntN(6))
		if m.provided[key] == nil {
			m.provided[key], m.dependents[key] = map[string]join.JoinedLabels{}, map[int]bool{}
		}
		g := join.JoinedLabels{Join: r.IntN(2), Source: join.Source{Name: fmt.Sprint("s", r.IntN(3))}}
		before := labels(m.provided[key])
		switch d := r.IntN(4); r.IntN(4) {
		case 0:
			for range r.IntN(3) {
				g.Labels = append(g.Labels, join.Label{Name: "l", Value: fmt.Sprint(r.IntN(2))})
			}
			changed := x.Leaf([]byte(key)).Set(g)
			old := m.provided[key][id(g)].Labels
			m.provided[key][id(g)] = g
			if want := !slices.Equal(old, g.Labels); changed != want {
				t.Fatalf("Set(%v) in place of %v reports a change: %v", g.Labels, old, changed)
			}
		case 1:
			l := x.Get([]byte(key))
			if l == nil {
				break
			}
			changed := l.Delete(g.Join, g.Source)
			delete(m.provided[key], id(g))
			if want := !slices.Equal(before, labels(m.provided[key])); changed != want {
				t.Fatalf("Delete reports a change: %v, want %v", changed, want)
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

// labels returns the labels provided under a key, ascending by join and source.
func labels(provided map[string]join.JoinedLabels) (all []join.Label) {
	for _, k := range slices.Sorted(maps.Keys(provided)) {
		all = append(all, provided[k].Labels...)
	}
	return all
}

func compare(t *testing.T, x *join.Index[int], m *model) {
	t.Helper()
	leaves := 0
	for key, provided := range m.provided {
		l := x.Get([]byte(key))
		if needed := len(provided)+len(m.dependents[key]) > 0; needed != (l != nil) {
			t.Fatalf("leaf %s is in use: %v, exists: %v", key, needed, l != nil)
		}
		if l == nil {
			continue
		}
		leaves++
		var got []join.Label
		for _, g := range l.Provided() {
			got = append(got, g.Labels...)
		}
		if diff := cmp.Diff(labels(provided), got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", key, diff)
		}
		dependents := map[int]bool{}
		l.Dependents(func(d int) { dependents[d] = true })
		if diff := cmp.Diff(m.dependents[key], dependents); diff != "" {
			t.Fatalf("dependents of %s (-want +got):\n%s", key, diff)
		}
	}
	if x.Len() != leaves {
		t.Fatalf("%d leaves exist, %d are in use", x.Len(), leaves)
	}
}
