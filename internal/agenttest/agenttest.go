// Package agenttest feeds an Agent with objects in tests, cut down to what its
// tables say they read as a watch does, and writes its runs as text. It refuses to
// know which names there are.
//
// A line is a series or a service check:
//
//	container.ready 1 @node-1 kube_namespace:shop pod_name:web-0
//	check node.ready ok "condition Ready of node n is true" @node-1 node:node-1
//
// What stands behind @ is the host, left out where there is none; what stands in
// braces are attributes of the entity. Tags are sorted, values are as Go prints
// them.
package agenttest

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// Cluster is an Agent with one Feed for each resource that it wants.
type Cluster struct {
	*agent.Agent
	t       testing.TB
	feeds   map[string]*agent.Feed
	filters map[string]*wire.Filter
}

// New returns a Cluster whose Feeds have been read completely: there is nothing.
func New(t testing.TB, c agent.Config) *Cluster {
	t.Helper()
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	x := &Cluster{a, t, map[string]*agent.Feed{}, map[string]*wire.Filter{}}
	for _, table := range a.Tables() {
		f, err := a.NewFeed(table.Name)
		if err != nil {
			t.Fatal(err)
		}
		f.Begin()
		f.Commit()
		x.feeds[table.Name] = f
		if x.filters[table.Name], err = wire.Compile(table.New(), kind.Reads(table)); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// Feed returns the Feed of a resource; nil where the Agent wants none of it.
func (x *Cluster) Feed(resource string) *agent.Feed { return x.feeds[resource] }

// Put feeds objects. Those of kinds that the Agent does not want are left out.
func (x *Cluster) Put(objects ...kind.Object) {
	x.t.Helper()
	for _, o := range objects {
		table := TableOf(x.t, o)
		if f := x.feeds[table.Name]; f != nil {
			f.Put(x.Filtered(o))
		}
	}
}

// Filtered returns what a watch decodes of an object of a kind that the Agent wants.
func (x *Cluster) Filtered(o kind.Object) kind.Object {
	x.t.Helper()
	table := TableOf(x.t, o)
	m, ok := o.(interface{ Marshal() ([]byte, error) })
	if !ok {
		return o // read as JSON
	}
	whole, err := m.Marshal()
	if err != nil {
		x.t.Fatal(err)
	}
	short := table.New()
	if err := short.Unmarshal(x.filters[table.Name].Append(nil, whole)); err != nil {
		x.t.Fatal(err)
	}
	return short
}

// Delete takes objects away.
func (x *Cluster) Delete(objects ...kind.Object) {
	x.t.Helper()
	for _, o := range objects {
		if f := x.feeds[TableOf(x.t, o).Name]; f != nil {
			f.Delete(o.GetNamespace(), o.GetName())
		}
	}
}

// Lines returns everything that there is now, sorted.
func (x *Cluster) Lines(now time.Time) []string { return Lines(x.NewReader().Run(now)) }

// TableOf returns the table of an object of the catalog.
func TableOf(t testing.TB, o kind.Object) *kind.Table {
	t.Helper()
	for _, table := range kind.All() {
		if fmt.Sprintf("%T", table.New()) == fmt.Sprintf("%T", o) {
			return table
		}
	}
	t.Fatalf("no table has objects of type %T", o)
	return nil
}

// Objects decodes YAML documents. Unknown fields fail the test.
func Objects(t testing.TB, text string) []kind.Object {
	t.Helper()
	var objects []kind.Object
	for doc := range bytes.SplitSeq([]byte(text), []byte("\n---\n")) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(doc, &head); err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		o := newObject(t, head.APIVersion, head.Kind)
		if err := yaml.UnmarshalStrict(doc, o); err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		objects = append(objects, o)
	}
	return objects
}

func newObject(t testing.TB, apiVersion, kindName string) kind.Object {
	t.Helper()
	for _, table := range kind.All() {
		if g := table.GroupVersionKind(); g.Kind == kindName && g.GroupVersion().String() == apiVersion {
			return table.New()
		}
	}
	t.Fatalf("there is no kind %s of %s", kindName, apiVersion)
	return nil
}

// Lines returns the series and checks of a run, sorted.
func Lines(r *sink.Run) []string {
	lines := Series(r.Series)
	for c := range r.Checks {
		lines = append(lines, fmt.Sprintf("check %s %s %q%s", c.Name, [...]string{"ok", "warning", "critical", "unknown"}[c.Status],
			c.Message, origin(c.Block, c.Tags)))
	}
	slices.Sort(lines)
	return lines
}

// Series returns series as lines, sorted.
func Series(all iter.Seq[*sink.Series]) []string {
	var lines []string
	for s := range all {
		lines = append(lines, s.Metric.Name+" "+strconv.FormatFloat(s.Value, 'g', -1, 64)+origin(s.Block, s.Tags))
	}
	slices.Sort(lines)
	return lines
}

func origin(b *sink.Block, own []sink.Tag) string {
	var text strings.Builder
	if b.Host != "" {
		text.WriteString(" @" + b.Host)
	}
	if len(b.Resource) > 0 {
		text.WriteString(" {" + strings.Join(texts(b.Resource), " ") + "}")
	}
	for _, tag := range texts(slices.Concat(b.Tags, own)) {
		text.WriteString(" " + tag)
	}
	return text.String()
}

func texts(tags []sink.Tag) []string {
	var all []string
	for _, t := range tags {
		all = append(all, t.Key+":"+t.Value)
	}
	slices.Sort(all)
	return all
}
