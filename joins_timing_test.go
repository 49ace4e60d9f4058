package kubestate_test

import (
	"fmt"
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
)

// benchJoins is an Exporter of Pods, as a benchmark without validation has it.
func benchJoins(b *testing.B, joins ...kubestate.Join) map[string]*kubestate.Feed {
	b.Helper()
	x, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.Pods, kind.Nodes}, Joins: joins})
	if err != nil {
		b.Fatal(err)
	}
	feeds := map[string]*kubestate.Feed{}
	for _, table := range x.Tables() {
		f, err := x.NewFeed(table.Resource)
		if err != nil {
			b.Fatal(err)
		}
		f.Begin()
		f.Commit()
		feeds[table.Name] = f
	}
	return feeds
}

// BenchmarkJoinedPut stores a Pod that has not changed.
func BenchmarkJoinedPut(b *testing.B) {
	for name, joins := range map[string][]kubestate.Join{"plain": nil, "joined": allJoins} {
		b.Run(name, func(b *testing.B) {
			feeds := benchJoins(b, joins...)
			p := joinedPod("cart", "u", "w1", "StatefulSet/cart", map[string]string{"app": "cart", "team.one": "1"})
			p.Status.ContainerStatuses = pod("cart").Status.ContainerStatuses
			feeds["nodes"].Put(zonedNode("w1", "north"))
			b.ReportAllocs()
			for b.Loop() {
				feeds["pods"].Put(p)
			}
		})
	}
}

// BenchmarkJoinedNodeChange changes a label of a Node that 110 Pods have.
func BenchmarkJoinedNodeChange(b *testing.B) {
	feeds := benchJoins(b, allJoins...)
	for i := range 110 {
		p := joinedPod(fmt.Sprintf("p%d", i), "u", "w1", "StatefulSet/cart", map[string]string{"app": "cart"})
		p.Status.ContainerStatuses = pod("cart").Status.ContainerStatuses
		feeds["pods"].Put(p)
	}
	zones := []kind.Object{zonedNode("w1", "north"), zonedNode("w1", "south")}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		feeds["nodes"].Put(zones[i%2])
		i++
	}
}
