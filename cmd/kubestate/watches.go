package main

import (
	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/kubewatch"
)

func exporterConsumers(x *kubestate.Exporter) []*kubewatch.Consumer {
	consumers := kubewatch.Consumers("exporter", x.Tables(), x.NewFeed)
	sources := kubewatch.Consumers("joins", x.SourceTables(), x.NewSourceFeed)
	for _, c := range sources {
		c.Whole = true
	}
	return append(consumers, sources...)
}

func agentConsumers(a *agent.Agent) []*kubewatch.Consumer {
	consumers := kubewatch.Consumers("agent", a.Tables(), a.NewFeed)
	for _, c := range consumers {
		c.FieldSelector = a.FieldSelector(c.Table.Name)
	}
	return consumers
}

// planOf returns what to read for consumers in the scope that settings give.
func planOf(s conf.Settings, consumers ...*kubewatch.Consumer) kubewatch.Plan {
	return kubewatch.NewPlan(kubewatch.Scope{Namespaces: s.Namespaces, FieldSelector: s.FieldSelector}, consumers...)
}
