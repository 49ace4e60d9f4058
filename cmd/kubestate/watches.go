package main

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// exporterConsumers returns what an exporter wants: objects of the shard, and all objects
// that others need for joins.
func exporterConsumers(x *kubestate.Exporter) []*kubewatch.Consumer {
	consumers := kubewatch.Consumers("exporter", x.Tables(), x.NewFeed)
	sources := kubewatch.Consumers("joins", x.SourceTables(), x.NewSourceFeed)
	for _, c := range sources {
		c.Whole = true
	}
	return append(consumers, sources...)
}

// keepConsumers replaces consumers by those before of the same tables, whose watches and
// stores are kept.
func keepConsumers(consumers, before []*kubewatch.Consumer) {
	for i, c := range consumers {
		if at := slices.IndexFunc(before, func(old *kubewatch.Consumer) bool { return old.Owner == c.Owner && old.Table == c.Table }); at >= 0 {
			consumers[i] = before[at]
		}
	}
}

// agentConsumers returns what an agent wants: all objects, because it aggregates and joins
// across them.
func agentConsumers(a *agent.Agent) []*kubewatch.Consumer {
	consumers := kubewatch.Consumers("agent", a.Tables(), func(r kind.Resource) (*agent.Feed, error) { return a.NewFeed(r.Name) })
	for _, c := range consumers {
		c.FieldSelector, c.Whole = a.FieldSelector(c.Table.Name), true
	}
	return consumers
}

// planOf returns what to read for consumers, as one shard, in the scope that options and
// settings give.
func planOf(s conf.Settings, of shard.Shard, consumers ...*kubewatch.Consumer) kubewatch.Plan {
	scope := kubewatch.Scope{
		Namespaces: s.Namespaces, FieldSelector: s.FieldSelector, Shard: of,
		Lists: kubewatch.Lists{PageSize: max(0, s.Options.ObjectLimit), Cached: s.Options.UseAPIServerCache},
	}
	if selector := podSelector(&s.Options.Shards); selector != "" {
		scope.FieldSelectors = map[string]string{kind.Pods.Name: selector}
	}
	return kubewatch.NewPlan(scope, consumers...)
}

// sharded reports whether options divide objects among instances.
func sharded(o *conf.ShardOptions) bool { return o.Automatic() || shardOf(o) != shard.Shard{} }

// scopeOf returns what identifies the objects of a resource that are read from a server.
// A shard is none of it: watches change from one to the next.
func scopeOf(s conf.Settings, server string) func(kind.Resource) string {
	return func(r kind.Resource) string {
		scope := []string{server}
		if r.Namespaced {
			scope = append(scope, s.FieldSelector, strings.Join(s.Namespaces, ","))
		}
		if r.Name == kind.Pods.Name {
			scope = append(scope, podSelector(&s.Options.Shards))
		}
		return strings.Join(scope, " ")
	}
}

// shardOf returns the shard of --shard and --total-shards; zero: all objects.
func shardOf(o *conf.ShardOptions) shard.Shard {
	switch {
	case o.Shard < 0 || o.Shard >= o.TotalShards:
		return shard.None()
	case o.TotalShards == 1:
		return shard.Shard{}
	}
	return shard.Shard{Index: int32(o.Shard), Total: o.TotalShards, Ranges: o.ServerSide}
}

// podSelector returns the field selector of the Pods to read; empty: all.
func podSelector(o *conf.ShardOptions) string {
	switch {
	case o.TrackUnscheduledPods:
		return "spec.nodeName="
	case o.Node != "":
		return fields.OneTermEqualSelector("spec.nodeName", o.Node).String()
	}
	return ""
}
