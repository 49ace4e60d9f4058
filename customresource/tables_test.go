package customresource

import (
	"testing"

	"github.com/kubestate/kubestate/kind"
)

// A resource keeps its table while others come and go.
func TestTables(t *testing.T) {
	c, got := problems(t, Source{"test.yaml", []byte("spec: {resources: [{groupVersionKind: {group: a}}, {groupVersionKind: {group: b, version: v1, kind: B}}]}")})
	if len(got) > 0 {
		t.Fatal(got)
	}
	tables := NewTables(c, nil)
	a := kind.Resource{Group: "a", Version: "v1beta1", Kind: "A", Name: "as", Namespaced: true}
	newer := kind.Resource{Group: "a", Version: "v1", Kind: "A", Name: "as", Namespaced: true}
	b := kind.Resource{Group: "b", Version: "v1", Kind: "B", Name: "bs"}
	ask := func(served []kind.Resource, names string, unmatched int) []*kind.Table {
		t.Helper()
		made, without, err := tables.For(served)
		text := ""
		for _, table := range made {
			text += table.Name + "." + table.Version + "." + table.Group + " "
		}
		if err != nil || text != names || len(without) != unmatched {
			t.Fatalf("tables %s, unmatched %v, error %v; want %s", text, without, err, names)
		}
		return made
	}
	ask(nil, "", 2)
	first := ask([]kind.Resource{a}, "as.v1beta1.a ", 1)
	second := ask([]kind.Resource{a, b}, "as.v1beta1.a bs.v1.b ", 0)
	third := ask([]kind.Resource{a, newer, b}, "as.v1.a bs.v1.b ", 0)
	if first[0] != second[0] || second[1] != third[1] {
		t.Error("a table was made again though its resource did not change")
	}
	ask([]kind.Resource{newer}, "as.v1.a ", 1)
}
