package kind_test

import (
	"cmp"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// catalogResource describes a resource of kube-state-metrics 2.20.
type catalogResource struct {
	Resource, Group, Version, Kind string
	Namespaced, Default            bool
	Identity                       []string
	Families                       []catalogFamily
}

type catalogFamily struct {
	Name, Type, Stability string
	Labels                []string // all, in order
	Prefix                string
	AllowList             string `json:"allow_list"`
	OptIn                 bool   `json:"opt_in"`
	Deprecated            string
}

// ownResources are the resources that kube-state-metrics does not have.
var ownResources = []string{"apiservices", "controllerrevisions", "customresourcedefinitions", "resourceclaims", "resourceslices", "verticalpodautoscalers"}

// repairedAllowLists are the families whose labels need an allow-list, as for all other
// kinds, while kube-state-metrics shows all of them.
var repairedAllowLists = map[string]string{"kube_volumeattachment_labels": "labels"}

func TestCatalog(t *testing.T) {
	data, err := os.ReadFile("testdata/catalog.json")
	if err != nil {
		t.Fatal(err)
	}
	var catalog []catalogResource
	if err := json.Unmarshal(data, &catalog); err != nil {
		t.Fatal(err)
	}
	for _, r := range catalog {
		if tableOf(r.Resource) == nil {
			t.Errorf("%s: no table", r.Resource)
		}
	}
	for _, table := range kind.All() {
		i := slices.IndexFunc(catalog, func(r catalogResource) bool { return r.Resource == table.Name })
		if i < 0 {
			if d := describe(table); !slices.Contains(ownResources, table.Name) || d.Default || len(d.Families) > 0 {
				t.Errorf("%s: not in the catalog", table.Name)
			}
			continue
		}
		for j := range catalog[i].Families {
			f := &catalog[i].Families[j]
			f.AllowList = cmp.Or(repairedAllowLists[f.Name], f.AllowList)
		}
		if diff := gocmp.Diff(catalog[i], describe(table)); diff != "" {
			t.Errorf("%s: -kube-state-metrics +ours:\n%s", table.Name, diff)
		}
	}
}

// describe returns a table in the form of the catalog, without the families that
// kube-state-metrics does not have.
func describe(table *kind.Table) catalogResource {
	s := table.Schema()
	r := catalogResource{
		Resource: table.Name, Group: table.Group, Version: table.Version, Kind: table.Kind,
		Namespaced: table.Namespaced, Default: !table.NotDefault,
	}
	for _, l := range s.Identity {
		r.Identity = append(r.Identity, l.Name)
	}
	for i := range s.Families {
		d := &s.Families[i]
		if d.Beyond {
			continue
		}
		f := catalogFamily{
			Name: d.Name, Type: string(d.Type), Stability: string(d.Stability), Labels: s.LabelNames(i),
			AllowList: allowLists[d.AllowList], OptIn: d.OptIn, Deprecated: d.Deprecated,
		}
		if d.Prefix != "" {
			f.Prefix = d.Prefix + "_"
		}
		r.Families = append(r.Families, f)
	}
	return r
}

var allowLists = map[metric.AllowList]string{metric.Labels: "labels", metric.Annotations: "annotations"}

func TestTablesAscend(t *testing.T) {
	if !slices.IsSortedFunc(kind.All(), func(a, b *kind.Table) int { return cmp.Compare(a.Name, b.Name) }) {
		t.Error("the tables are not in ascending order of their names")
	}
}

var (
	metricName = regexp.MustCompile(`^kube_[a-z0-9_]+$`)
	labelName  = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
)

func TestDescriptors(t *testing.T) {
	owner := map[string]string{}
	for _, table := range kind.All() {
		s := table.Schema()
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
		for i := range s.Families {
			d := &s.Families[i]
			if other, ok := owner[d.Name]; ok {
				t.Errorf("%s: duplicate family in %s and %s", d.Name, other, table.Name)
			}
			owner[d.Name] = table.Name
			checkDescriptor(t, d)
			checkLabels(t, d.Name, slices.Concat(s.Identity, d.Labels))
		}
	}
}

func checkDescriptor(t *testing.T, d *metric.Desc) {
	t.Helper()
	if !metricName.MatchString(d.Name) {
		t.Errorf("%s: invalid family name", d.Name)
	}
	if total := strings.HasSuffix(d.Name, "_total"); total != (d.Type == metric.Counter) {
		t.Errorf("%s: invalid type %s", d.Name, d.Type)
	}
	if !strings.HasSuffix(d.Help, ".") || strings.ContainsAny(d.Help, "\n\\\"") || strings.TrimSpace(d.Help) != d.Help || strings.Contains(d.Help, ". ") {
		t.Errorf("%s: help %q is not one plain sentence", d.Name, d.Help)
	}
}

func checkLabels(t *testing.T, family string, labels []metric.Label) {
	t.Helper()
	for _, l := range labels {
		if !labelName.MatchString(l.Name) {
			t.Errorf("%s: label %q is not all lower case", family, l.Name)
		}
		if l.Doc == "" || strings.HasSuffix(l.Doc, ".") {
			t.Errorf("%s: label %s: doc %q must be a phrase without a full stop", family, l.Name, l.Doc)
		}
	}
}
