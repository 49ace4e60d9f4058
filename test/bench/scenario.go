package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is a cluster to measure.
type scenario struct {
	Name  string  `json:"name"`
	Nodes int     `json:"nodes"`
	Pods  int     `json:"pods"`
	Churn float64 `json:"churn"` // changes per second of the row that scrapes under change
}

func (s scenario) String() string {
	return fmt.Sprintf("%s: %s nodes, %s pods", s.Name, thousands(s.Nodes), thousands(s.Pods))
}

// pace says how long and how often to measure.
type pace struct {
	settle  time.Duration // idle time after which the program counts as done
	rest    time.Duration // from then until steady memory is read
	quiet   time.Duration // between a change and a scrape, in the rows with such a pause
	scrapes int           // per figure
}

func scenarioNames() []string { return []string{"small", "20k", "100k", "growth", "all"} }

// chooseScenarios returns the scenarios of a name. Nodes and pods above 0 take
// the place of those of a single scenario.
func chooseScenarios(name string, nodes, pods int) ([]scenario, error) {
	small := scenario{Name: "small", Nodes: 50, Pods: 1_000}
	twenty := scenario{Name: "20k", Nodes: 500, Pods: 20_000}
	hundred := scenario{Name: "100k", Nodes: 5_000, Pods: 100_000}
	// A fifth of the largest in everything. DaemonSets have a pod per node, so
	// that with 500 nodes the other objects would not be a fifth.
	growthBase := scenario{Name: "growth base", Nodes: 1_000, Pods: 20_000}
	chosen := map[string][]scenario{
		"small":  {small},
		"20k":    {twenty},
		"100k":   {hundred},
		"growth": {growthBase, hundred},
		"all":    {twenty, growthBase, hundred},
	}[name]
	if chosen == nil {
		return nil, fmt.Errorf("invalid --scenario %q: must be one of: %s", name, strings.Join(scenarioNames(), ", "))
	}
	if nodes == 0 && pods == 0 {
		return chosen, nil
	}
	if len(chosen) > 1 || nodes < 0 || pods < 0 {
		return nil, fmt.Errorf("--nodes %d, --pods %d: want numbers above 0, and a single scenario to change, not %q", nodes, pods, name)
	}
	s := slices.Clone(chosen)[0]
	if nodes > 0 {
		s.Nodes = nodes
	}
	if pods > 0 {
		s.Pods = pods
	}
	s.Name = "custom"
	return []scenario{s}, nil
}
