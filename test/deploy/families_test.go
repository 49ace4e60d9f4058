package deploy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Every family that the alerts, rules and dashboards of kubernetes-mixin and
// kube-prometheus read is served by default with the labels that they select on.
func TestFamiliesOfKubernetesMixin(t *testing.T) {
	data, err := os.ReadFile("testdata/kubernetes-mixin.txt")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string][]string{}
	for _, table := range kind.Defaults() {
		schema := table.Schema()
		for i := range schema.Families {
			family := &schema.Families[i]
			if !family.OptIn {
				labels[family.Name] = names(schema.Identity, family.Labels)
			}
		}
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		fields := strings.Fields(line)
		own, found := labels[fields[0]]
		if !found {
			t.Errorf("%s is not served by default", fields[0])
		}
		for _, label := range fields[1:] {
			if found && !slices.Contains(own, label) {
				t.Errorf("%s has no label %s, only %v", fields[0], label, own)
			}
		}
	}
	if n != 49 {
		t.Errorf("%d families, want 49", n)
	}
}

func names(lists ...[]metric.Label) []string {
	var all []string
	for _, l := range slices.Concat(lists...) {
		all = append(all, l.Name)
	}
	return all
}
