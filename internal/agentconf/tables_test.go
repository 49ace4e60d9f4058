package agentconf

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/kind"
)

// Every naming scheme works with any resource, or reports that it has no series for it.
func TestTablesForAnyResources(t *testing.T) {
	for _, name := range BuiltIn() {
		for _, table := range kind.All() {
			names, err := Table(name)
			if err != nil {
				t.Fatal(err)
			}
			a, err := agent.New(agent.Config{Scheme: names, Kinds: []*kind.Table{table}})
			if err != nil {
				if want := "nothing to send: naming scheme " + name + " has no series for " + table.Name; err.Error() != want {
					t.Errorf("%s, %s: %v", name, table.Name, err)
				}
				continue
			}
			if got := kind.Names(a.Tables()); len(got) != 1 || got[0] != table.Name {
				t.Errorf("%s, %s: reads %q", name, table.Name, got)
			}
		}
	}
	a, err := agent.New(agent.Config{Scheme: datadog.Scheme(), Kinds: []*kind.Table{kind.Deployments}})
	if err != nil {
		t.Fatal(err)
	}
	s := a.Tables()[0].Schema()
	var families []string
	for i := range s.Families {
		families = append(families, s.Families[i].Name)
	}
	if !slices.Contains(families, "kube_deployment_ongoing_rollout_duration") {
		t.Errorf("the families lack that of the Tracker: %s", strings.Join(families, ", "))
	}
	if _, err := agent.New(agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{Family: "kube_pod_inf"}}}, Kinds: []*kind.Table{kind.Pods}}); err == nil {
		t.Error("no error for a family that does not exist")
	}
}
