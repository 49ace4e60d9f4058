package agent_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
)

// All problems are reported at once, each with its place.
func TestConfigErrors(t *testing.T) {
	_, err := agent.New(agent.Config{
		Scheme: &naming.Scheme{
			Rules: []naming.Rule{
				{Family: "kube_nope"},
				{Family: "kube_pod_info", Type: "histogram", Value: "double"},
				{Family: "kube_pod_ips", Metric: "{ip", Filter: naming.Filter{Where: map[string][]string{"ip": {"a*b*"}}}},
				{Family: "kube_pod_created", Check: &naming.Check{Status: "bad", Statuses: map[string]naming.Status{"x": "worse"}}},
				{Family: "kube_pod_owner", Filter: naming.Filter{Choose: map[string]map[string]string{"x": {"**": ""}}}},
				{Family: "kube_pod_scheduler", Tags: naming.Tags{Capture: map[string]string{"name": "n"}}},
			},
			Aggregates: []naming.Aggregate{
				{Family: "kube_never", Metric: "m", Op: naming.Sum},
				{Family: "kube_pod_start_time", Op: "median"},
				{Family: "kube_secret_info", Metric: "latest", Op: naming.Latest}, // nobody reads Secrets
				{Family: "kube_job_info", Op: naming.Max, Check: &naming.Check{Name: "c"}},
				{Family: "kube_job_failed", Op: naming.Latest, Metric: "m", Check: &naming.Check{Name: "c", Message: "{job_name}", Due: true}},
			},
			Rest: &naming.Rule{Value: "none"},
		},
		Joins: map[string]naming.Join{
			"kube_missing":   {Get: []string{"x"}},
			"kube_node_info": {Match: []string{"node"}},
		},
		LabelsAsTags:      map[string]map[string]string{"spaceship": {"a": "b"}, "node": {"a": ""}},
		AnnotationsAsTags: map[string]map[string]string{"rocket": {"a": "b"}},
		Kinds:             append(kind.Defaults(), kind.Pods),
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`rule: family "kube_nope" does not exist`,
		`rule for kube_pod_info: value: invalid value "double": must be one of: one, age`, `rule for kube_pod_info: type: invalid type "histogram": must be one of: gauge, counter, updown`,
		`rule for kube_pod_ips: where.ip[0]: invalid pattern "a*b*": must have at most one *`, `rule for kube_pod_ips: metric: invalid template "{ip": must have labels as {label}`,
		`rule for kube_pod_created: check.status: invalid status "bad": must be one of: ok, warning, critical, unknown`, `check.statuses.x: invalid status "worse"`, `check.name: empty name: must name the check`,
		`rule for kube_pod_owner: choose.x.**: invalid pattern "**": must have at most one *`,
		`rule for kube_pod_scheduler: capture.name: label without a pattern: must also be a key of where`,
		`rule for the rest: value: invalid value "none"`,
		`aggregate: family "kube_never" does not exist`,
		`aggregate of kube_pod_start_time: op: invalid operation "median": must be one of: sum, count, min, max, latest`, `aggregate of kube_pod_start_time: neither a metric nor a check: must have one of them`,
		`aggregate of kube_job_info: op: invalid operation "max": must be latest for a check, and for nothing else`,
		`aggregate of kube_secret_info: op: invalid operation "latest": must be latest for a check, and for nothing else`,
		`aggregate of kube_job_failed: metric: the check of an aggregate has none`,
		`aggregate of kube_job_failed: check.message: the check of an aggregate has none`, `aggregate of kube_job_failed: check.due: the check of an aggregate has none`,
		`join: family "kube_missing" does not exist`,
		`join kube_node_info: no labels to get`,
		`kind "spaceship" does not exist`, `kind "rocket" does not exist`,
		`join kube_node_labels: label label_a: empty tag name`,
		`duplicate resource pods`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if _, err := agent.New(agent.Config{PodMode: "kubelet"}); err == nil || !strings.Contains(err.Error(), "cluster_unassigned") {
		t.Errorf("error of a bad mode: %v", err)
	}
}

// An agent that could never send anything is rejected.
func TestErrorIfNothingToSend(t *testing.T) {
	_, err := agent.New(agent.Config{
		Scheme: &naming.Scheme{Name: "mine", Rules: []naming.Rule{{Family: "kube_pod_info"}}}, Kinds: []*kind.Table{kind.Leases, kind.Nodes},
	})
	if err == nil || err.Error() != "nothing to send: naming scheme mine has no series for leases, nodes" {
		t.Errorf("got %v", err)
	}
	_, err = agent.New(agent.Config{PodMode: agent.ClusterAggregatesOnly, Kinds: []*kind.Table{kind.Nodes}})
	if err == nil || err.Error() != "nothing to send: naming scheme ksm has no series for nodes in pod mode cluster_aggregates_only" {
		t.Errorf("got %v", err)
	}
}

// References to unknown names can be ignored, and are logged.
func TestIgnoreUnknown(t *testing.T) {
	var log strings.Builder
	a, err := agent.New(agent.Config{
		Scheme:        &naming.Scheme{Rules: []naming.Rule{{Family: "kube_nope"}, {Family: "kube_pod_info"}}},
		Joins:         map[string]naming.Join{"kube_spaceship_labels": {Match: []string{"namespace"}, All: true}},
		LabelsAsTags:  map[string]map[string]string{"spaceship": {"a": "b"}},
		IgnoreUnknown: true,
		Logger:        slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kind.Names(a.Tables()), " "); got != "pods" {
		t.Errorf("tables %q, want pods", got)
	}
	for _, want := range []string{"kube_nope", "kube_spaceship_labels", "spaceship"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not name %s:\n%s", want, log.String())
		}
	}
}

// Only families, labels and annotations that are used are collected.
func TestTablesCollectOnlyWhatIsUsed(t *testing.T) {
	a, err := agent.New(agent.Config{Scheme: &naming.Scheme{
		Rules: []naming.Rule{
			{Family: "kube_pod_created", Metric: "age", Value: naming.Age, Filter: naming.Filter{Unless: "kube_pod_completion_time"}},
			{Family: "kube_pod_container_status_restarts_total", Start: "kube_pod_start_time"},
			{Family: "kube_pod_container_status_running", States: &naming.States{From: []string{"kube_pod_container_status_waiting_reason"}, Label: "reason"}},
		},
		Aggregates: []naming.Aggregate{{Family: "kube_deployment_created", Metric: "n", Op: naming.Count, Filter: naming.Filter{Unless: "kube_deployment_owner"}}},
		Joins: map[string]naming.Join{
			"kube_pod_labels":       {Match: []string{"pod", "namespace"}, Get: []string{"label_app"}},
			"kube_node_labels":      {Match: []string{"node"}, Get: []string{"label_zone"}},            // nothing has a node
			"kube_deployment_info":  {Match: []string{"namespace"}, Get: []string{"deployment"}},       // there is no such family
			"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}},       // Pods match
			"kube_cronjob_labels":   {Match: []string{"cronjob", "namespace"}, Get: []string{"label"}}, // nothing of CronJobs is sent
		},
	}, IgnoreUnknown: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, table := range a.Tables() {
		for _, d := range table.Schema().Families {
			got = append(got, d.Name)
		}
	}
	want := "kube_deployment_owner kube_deployment_created kube_namespace_labels " +
		"kube_pod_completion_time kube_pod_container_status_restarts_total kube_pod_container_status_running " +
		"kube_pod_container_status_waiting_reason kube_pod_created kube_pod_labels kube_pod_start_time"
	if strings.Join(got, " ") != want {
		t.Errorf("families\n%s, want\n%s", strings.Join(got, " "), want)
	}
	if _, err := a.NewFeed("nodes"); err == nil || !strings.Contains(err.Error(), "must be one of: deployments, namespaces, pods") {
		t.Errorf("error of a feed that is not collected: %v", err)
	}
}
