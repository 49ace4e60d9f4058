package reference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/kind"
)

func TestMadeInto(t *testing.T) {
	for metric, want := range map[string][]string{
		"kubernetes_state.pod.status_phase":        {"kube_pod_status_phase"},
		"kubernetes_state.pod.count":               {"kube_pod_info"},
		"kubernetes_state.node.ready":              {"kube_node_status_condition"},
		"kubernetes_state.node.status":             {"kube_node_spec_unschedulable"},
		"kubernetes_state.node.cpu_capacity":       {"kube_node_status_capacity"},
		"kubernetes_state.node.cpu_capacity.total": {"kube_node_status_capacity"},
		"kubernetes_state.resourcequota.pods.used": {"kube_resourcequota"},
		"kubernetes_state.resourcequota.pods.soft": nil,
		"kubernetes_state.cronjob.complete":        {"kube_job_complete", "kube_job_failed"},
		"pod.count":                                nil,
		"kubernetes_state.":                        nil,
	} {
		if got := MadeInto(datadog.Scheme(), metric); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
	plain := &naming.Scheme{Rules: []naming.Rule{
		{Family: "kube_pod_info"}, {Family: "kube_pod_labels", Metric: "{a}.{b}"}, {Family: "kube_pod_owner", Check: &naming.Check{Name: "owned"}},
		{Family: "kube_pod_created", Metric: "reason", States: &naming.States{From: []string{"kube_pod_status_reason"}, Label: "reason"}},
	}}
	for metric, want := range map[string][]string{
		"kube_pod_info": {"kube_pod_info"}, "x.y": {"kube_pod_labels"}, "x": nil, "owned": {"kube_pod_owner"}, "kube_pod_owner": nil,
		"reason": {"kube_pod_created", "kube_pod_status_reason"},
	} {
		if got := MadeInto(plain, metric); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
	rest := &naming.Scheme{Prefix: "my.", Rules: []naming.Rule{{Family: "kube_pod_info", Metric: "info"}}, Rest: &naming.Rule{}}
	for metric, want := range map[string][]string{"my.kube_node_info": {"kube_node_info"}, "my.kube_pod_info": nil} {
		if got := MadeInto(rest, metric); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
}

// Whatever a naming scheme can say is shown: where a field has nothing, what is
// printed is another.
func TestEverythingIsShown(t *testing.T) {
	full := fullNames()
	join := full.Joins["kube_pod_labels"]
	shown := func() string {
		full.Joins["kube_pod_labels"] = join
		var b strings.Builder
		if err := ExplainNames(&b, kind.All(), full); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	all := shown()
	fields := 0
	check := func(path string, leaf reflect.Value) {
		if leaf.IsZero() {
			return
		}
		fields++
		kept := reflect.ValueOf(leaf.Interface())
		leaf.SetZero()
		if shown() == all && path != "Names.Rest.Family" { // that one names none
			t.Errorf("%s is not shown", path)
		}
		leaf.Set(kept)
	}
	eachLeaf(reflect.ValueOf(&join).Elem(), "Join", check)
	joins := full.Joins
	eachLeaf(reflect.ValueOf(full).Elem(), "Names", func(path string, leaf reflect.Value) {
		if path != "Names.Joins" {
			check(path, leaf)
		}
	})
	full.Joins = joins
	if fields < 80 {
		t.Errorf("%d fields", fields)
	}
}

// Rules and totals may need a family for something else than its samples.
func TestUsesOfAFamily(t *testing.T) {
	const rule = "p.m (updown By), service check p.check"
	for family, uses := range map[string][]string{
		"kube_pod_owner": {
			"omitting " + rule + ", of kube_pod_info",
			"omitting the object from p.total (updown s)", "omitting the object from service check p.jobs",
		},
		"kube_pod_created":       {"the start time of " + rule},
		"kube_pod_status_reason": {"the state of " + rule + " that is 1"},
	} {
		var b strings.Builder
		if err := ExplainNamed(&b, kind.All(), fullNames(), family); err != nil {
			t.Fatal(err)
		}
		for _, want := range uses {
			if !strings.Contains(b.String(), want+"\n") {
				t.Errorf("%s: %q is not said:\n%s", family, want, b.String())
			}
		}
	}
}

// eachLeaf calls f for everything in a value that has no fields: also functions,
// lists of text and maps, which are one field each.
func eachLeaf(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			eachLeaf(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		if !v.IsNil() {
			eachLeaf(v.Elem(), path, f)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			eachLeaf(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	default:
		f(path, v)
	}
}

// fullNames is a table in which no field is empty.
func fullNames() *naming.Scheme {
	adjust := func(*naming.Point) bool { return true }
	filter := naming.Filter{
		Equal: new(2.0), Where: map[string][]string{"w": {"a", ""}}, Choose: map[string]map[string]string{"c": {"a": "b"}}, Unless: "kube_pod_owner",
	}
	rule := naming.Rule{
		Family: "kube_pod_info", Metric: "m", Type: naming.UpDown, Unit: "By", Help: "Help.", Value: naming.Age, Start: "kube_pod_created", Filter: filter,
		Tags: naming.Tags{
			Drop: []string{"d"}, Rename: map[string]string{"r": "q"}, Values: map[string]map[string]string{"v": {"a": "b"}},
			Set: map[string]string{"s": "t"}, Capture: map[string]string{"w": "x"},
		},
		States: &naming.States{From: []string{"kube_pod_status_reason"}, Label: "reason", Values: []string{"A"}},
		Check: &naming.Check{
			Name: "check", Message: "text", Status: naming.Warning, By: "by", Statuses: map[string]naming.Status{"a": naming.Critical}, Due: true,
		},
		Adjust: adjust,
	}
	rest := rule
	rest.States = &naming.States{From: []string{"kube_pod_status_phase"}, Label: "phase", Values: []string{"B"}}
	rest.Check = &naming.Check{Name: "other", Message: "m", Status: naming.Unknown, By: "b", Statuses: map[string]naming.Status{"b": naming.OK}, Due: true}
	total := naming.Aggregate{
		Family: "kube_node_info", Metric: "total", Op: naming.Max, By: []string{"l"}, Joined: true, Type: naming.UpDown, Unit: "s", Help: "Total.", Cluster: true,
		Filter: filter, Adjust: adjust,
	}
	checked := naming.Aggregate{
		Family: "kube_job_failed", Op: naming.Latest, By: []string{"k"}, Joined: true, Cluster: true, Filter: filter, Adjust: adjust,
		Check: &naming.Check{Name: "jobs", Status: naming.Critical, By: "z", Statuses: map[string]naming.Status{"c": naming.Warning}},
	}
	return &naming.Scheme{
		Name: "full", Doc: "Doc.", Prefix: "p.", Resources: []string{"roles"}, Rules: []naming.Rule{rule}, Rest: &rest,
		Aggregates: []naming.Aggregate{total, checked},
		Joins:      map[string]naming.Join{"kube_pod_labels": {Match: []string{"pod"}, Get: []string{"label_g"}, All: true, Tags: map[string]string{"label_a": "a"}, Template: "t_%%label%%"}},
		AlwaysGet:  map[string][]string{"kube_pod_labels": {"label_b"}}, AnnotationsAsTags: map[string]map[string]string{"pod": {"x/y": "z"}},
		Labels: map[string]string{"label_c": "c"}, Overrides: []naming.Override{{Prefix: "kube_pod", Tags: map[string]string{"c": "e"}}},
		Owners:   &naming.Owners{Tags: map[string]string{"Job": "job"}, RolloutLabel: "label_f", RolloutTag: "rollout"},
		HostTags: []string{"node"}, ClusterNameTag: "cluster", ClusterIDTag: "id", LowerClusterName: true,
		Entities: []naming.Entity{{Resource: "pods", Tags: []string{"pod"}, UID: "pod_uid"}},
		Tracker:  datadog.Scheme().Tracker,
	}
}
