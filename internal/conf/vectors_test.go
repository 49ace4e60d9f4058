package conf

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/metric"
)

// vectors is testdata/vectors.json.
type vectors struct {
	Options struct {
		DenylistSelector []struct {
			Deny     []string
			Selector string
		} `json:"denylist_selector"`
		LabelsAllowlist []struct {
			In, Error string
			Out       map[string][]string
		} `json:"labels_allowlist_set"`
		LabelsAllowlistTwice map[string][]string        `json:"labels_allowlist_set_twice_second_replaces"`
		MetricSet            []struct{ In, Out string } `json:"metric_set"`
		NamespaceSet         []string                   `json:"namespace_set_accumulates"`
		LabelsAllowlistYAML  []struct {
			In, Error string
			Out       map[string][]string
		} `json:"labels_allowlist_yaml"`
		YAML []struct {
			In, Error, Allow, Host, Node string
			CRC                          string `json:"crc"`
			AGML                         bool   `json:"agml"`
			Port                         int
			ReadTimeout                  string `json:"read_timeout"`
			Resources                    []string
		} `json:"options_yaml"`
	}
	AllowDeny struct {
		AllowDeny []struct {
			Included   []string
			Mode       string
			Pattern    string
			ParseError string `json:"parse_error"`
		} `json:"allow_deny"`
		BothError string `json:"both_error"`
		Names     []string
		OptIn     []struct {
			Pattern       string
			Error         string
			CSIAttributes bool `json:"kube_persistentvolume_csi_attributes"`
			NodeSelectors bool `json:"kube_pod_nodeselectors"`
			Other         bool `json:"non_optin_family"`
		} `json:"opt_in"`
	}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectorsAllowLists(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Options.LabelsAllowlist {
		if c.In == "pods=[é]" {
			c.Out = map[string][]string{"pods": {"é"}} // kube-state-metrics makes the bracket a part of the key
		}
		got, _, err := parseAllowLists(c.In)
		if err == nil {
			for _, wrong := range checkAllowLists(got) {
				if strings.Contains(wrong.Error(), "wildcard") {
					err = wrong
				}
			}
		}
		switch {
		case c.Error != "":
			if err == nil || !strings.Contains(err.Error(), c.Error) {
				t.Errorf("%q: error %v, want %q", c.In, err, c.Error)
			}
		case err != nil:
			t.Errorf("%q: %v", c.In, err)
		default:
			if diff := cmp.Diff(c.Out, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.In, diff)
			}
		}
	}
	o := parseFlags(t, "--metric-labels-allowlist=pods=[a]", "--metric-labels-allowlist=nodes=[b]")
	if diff := cmp.Diff(v.Options.LabelsAllowlistTwice, o.MetricLabelsAllowlist); diff != "" {
		t.Errorf("flag given twice (-want +got):\n%s", diff)
	}
}

func TestVectorsLists(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Options.MetricSet {
		o := parseFlags(t, "--metric-allowlist="+c.In)
		slices.Sort(o.MetricAllowlist)
		if got := strings.Join(o.MetricAllowlist, ","); got != c.Out {
			t.Errorf("%q: %q, want %q", c.In, got, c.Out)
		}
	}

	o := parseFlags(t, "--namespaces=a, b", "--namespaces=c", "--namespaces", " ,d")
	if diff := cmp.Diff(v.Options.NamespaceSet, o.Namespaces); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}

	for _, c := range v.Options.DenylistSelector {
		o := New()
		o.NamespacesDenylist = c.Deny
		if got := complete(t, o).FieldSelector; got != c.Selector {
			t.Errorf("%q: selector %q, want %q", c.Deny, got, c.Selector)
		}
	}
}

// listsAreFine are files that kube-state-metrics rejects, and we do not.
var listsAreFine = map[string][]string{"resources: [pods]": {"pods"}} //nolint:gochecknoglobals // never changed

func TestVectorsFile(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Options.LabelsAllowlistYAML {
		o := parseFlags(t, "--config="+writeFile(t, "labels_allow_list:\n  "+c.In+"\n"))
		s, err := o.Complete()
		switch {
		case c.Error != "":
			if err == nil {
				t.Errorf("%s: no error, want one as %q", c.In, c.Error)
			}
		case err != nil:
			t.Errorf("%s: %v", c.In, err)
		default:
			if diff := cmp.Diff(c.Out, s.Options.MetricLabelsAllowlist, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.In, diff)
			}
		}
	}
	for _, c := range v.Options.YAML {
		o := parseFlags(t, "--config="+writeFile(t, c.In), "--port=0", "--server-read-timeout=0", "--host=").clone()
		_, problems := o.readFile()
		fine, isList := listsAreFine[c.In]
		switch {
		case isList:
			c.Resources = fine
		case c.Error != "":
			if len(problems) != 1 || problems[0].Line != max(1, strings.Count(c.In, "\n")+1) {
				t.Errorf("%s: problems %v, want one as %q", c.In, problems, c.Error)
			}
			continue
		}
		slices.Sort(c.Resources)
		slices.Sort(o.Resources)
		got := []any{strings.Join(o.MetricAllowlist, ","), o.Host, o.Shards.Node, o.Custom.Inline, o.Memory.Auto, o.Port, o.ServerReadTimeout.String(), o.Resources}
		want := []any{c.Allow, c.Host, c.Node, c.CRC, c.AGML, c.Port, c.ReadTimeout, c.Resources}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || len(problems) > 0 {
			t.Errorf("%s: problems %v (-want +got):\n%s", c.In, problems, diff)
		}
	}
}

func TestVectorsAllowDeny(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.AllowDeny.AllowDeny {
		o := New()
		if c.Mode == "allow" {
			o.MetricAllowlist = []string{c.Pattern}
		} else {
			o.MetricDenylist = []string{c.Pattern}
		}
		f, errs := newFilter(o)
		if c.ParseError != "" {
			wantError(t, errs, c.ParseError)
			continue
		}
		if len(errs) > 0 {
			t.Errorf("%s %q: %v", c.Mode, c.Pattern, errs)
			continue
		}
		got := []string{}
		for _, name := range v.AllowDeny.Names {
			if f.keep(&metric.Desc{Name: name}) {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(c.Included, got); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", c.Mode, c.Pattern, diff)
		}
	}

	o := New()
	o.MetricAllowlist, o.MetricDenylist = []string{"a"}, []string{"b"}
	wantError(t, o.problems(), v.AllowDeny.BothError)
}

func TestVectorsOptIn(t *testing.T) {
	for _, c := range readVectors(t).AllowDeny.OptIn {
		o := New()
		o.MetricOptInList = []string{c.Pattern}
		f, errs := newFilter(o)
		if c.Error != "" {
			wantError(t, errs, c.Error)
			continue
		}
		for _, family := range []struct {
			desc metric.Desc
			want bool
		}{
			{metric.Desc{Name: "kube_persistentvolume_csi_attributes", OptIn: true}, c.CSIAttributes},
			{metric.Desc{Name: "kube_pod_nodeselectors", OptIn: true}, c.NodeSelectors},
			{metric.Desc{Name: "kube_pod_info"}, c.Other},
		} {
			if got := f.keep(&family.desc); got != family.want {
				t.Errorf("%q, %s: %v, want %v", c.Pattern, family.desc.Name, got, family.want)
			}
		}
	}
}

// wantError checks that there is one error and that it contains text.
func wantError(t *testing.T, errs problem.List, text string) {
	t.Helper()
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), text) {
		t.Errorf("errors %q, want one with %q", errs, text)
	}
}
