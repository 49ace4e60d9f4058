package agentconf

import (
	"slices"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/kind"
)

// NewAgent is agent.New for tables of names that speak of more than is read: it
// leaves out the rules for families that a Tracker would add to other resources,
// which an Agent takes for families that do not exist.
func NewAgent(c agent.Config) (*agent.Agent, error) {
	if c.Names == nil || c.Names.Tracker == nil || c.Kinds == nil {
		return agent.New(c)
	}
	known := map[string]bool{}
	learn := func(t *kind.Table) {
		for i := range t.Schema().Families {
			known[t.Schema().Families[i].Name] = true
		}
	}
	for _, t := range kind.All() {
		learn(t)
	}
	tracker := c.Names.Tracker(time.Now)
	for _, t := range c.Kinds {
		extended, err := tracker.Extend(t)
		if err != nil {
			return nil, err
		}
		learn(extended)
	}
	names := *c.Names
	names.Rules = slices.DeleteFunc(slices.Clone(names.Rules), func(r agent.Rule) bool { return !known[r.Family] })
	c.Names = &names
	return agent.New(c)
}
