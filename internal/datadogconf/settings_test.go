package datadogconf

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// everyKey has each key that the check's instances have (as of Agent 7.7x), and some
// that are the Agent's.
const everyKey = `ad_identifiers: [x]
cluster_check: true
init_config:
  service: all
instances:
- collectors: [pods, nodes, devicetaintrules, pod, pods]
  custom_resource:
    spec: {resources: [{groupVersionKind: {group: a, version: b, kind: c}}]}
  label_joins:
    kube_pod_labels:
      labels_to_match: [pod, namespace]
      labels_to_get: [label_team, label_tier]
    kube_node_labels: {labels_to_match: [node], get_all_labels: true}
    kube_deployment_labels: {labels_to_match: [deployment, namespace], labels_to_get: ["*"]}
    kube_job_labels: {labels_to_match: [job_name, namespace]}
  labels_as_tags:
    pod: {app: app, "*": "x_%%label%%", a.b/c: ""}
    node:
  annotations_as_tags:
    deployment: {owner: team}
  labels_mapper: {namespace: ns, count: 1}
  tags: [env:prod, "a:b:c", flag, ":x"]
  disable_global_tags: true
  namespaces: [shop, billing]
  resync_period: 500
  telemetry: true
  skip_leader_election: true
  use_apiserver_cache: true
  pod_collection_mode: cluster_unassigned
  cluster_aggregates_enabled: true
  dra_device_classes: [gpu]
  precompute_series_tags: true
  shard_criteria: [namespace]
  shard_id: 1
  shard_count: 2
  min_collection_interval: 30
  empty_default_hostname: true
  service: mine
  name: x
  colectors: []
`

func TestEveryKey(t *testing.T) {
	got, err := Read("conf.yaml", []byte(everyKey), 0)
	if err != nil {
		t.Fatal(err)
	}
	if names := kind.Names(got.Agent.Kinds); cmp.Diff([]string{"nodes", "pods"}, names) != "" {
		t.Errorf("resources %v", names)
	}
	if got.Agent.Scheme.Name != "datadog" {
		t.Errorf("names %q", got.Agent.Scheme.Name)
	}
	got.Agent.Scheme, got.Agent.Kinds = nil, nil
	want := &Check{Interval: 30 * time.Second, Settings: agentconf.Settings{
		Agent: agent.Config{
			Joins: map[string]naming.Join{
				"kube_pod_labels":        {Match: []string{"pod", "namespace"}, Get: []string{"label_team", "label_tier"}},
				"kube_node_labels":       {Match: []string{"node"}, All: true},
				"kube_deployment_labels": {Match: []string{"deployment", "namespace"}, Get: []string{"*"}},
				"kube_job_labels":        {},
			},
			LabelsAsTags:      map[string]map[string]string{"pod": {"app": "app", "*": "x_%%label%%"}, "node": nil},
			AnnotationsAsTags: map[string]map[string]string{"deployment": {"owner": "team"}},
			LabelsMapper:      map[string]string{"namespace": "ns", "count": "1"},
			Tags:              []sink.Tag{{Key: "env", Value: "prod"}, {Key: "a", Value: "b:c"}, {Key: "flag"}, {Key: "service", Value: "mine"}},
			PodMode:           agent.ClusterUnassigned, ClusterAggregates: true, IgnoreUnknown: true,
		},
		Namespaces: []string{"shop", "billing"}, CheckTelemetry: true,
		Warnings: []string{
			"conf.yaml:40: instances[0].colectors: unknown key, ignored",
			"conf.yaml:6: instances[0].collectors[2]: resource devicetaintrules is not supported yet; ignored",
			`conf.yaml:6: instances[0].collectors[3]: unknown resource "pod", ignored; did you mean pods?`,
			"conf.yaml:15: instances[0].label_joins.kube_job_labels: join without labels; series get no labels of the family, not even the default ones",
			"conf.yaml:17: instances[0].labels_as_tags.pod.a.b/c: empty tag, ignored",
			`conf.yaml:22: instances[0].tags[2]: tag "flag" without a value; sent as "flag:"`,
			`conf.yaml:22: instances[0].tags[3]: tag ":x" without a name, ignored`,
			"conf.yaml:7: instances[0].custom_resource: custom resources are not supported yet; ignored",
			"conf.yaml:31: instances[0].dra_device_classes: device classes are not supported; counting all claims",
			"conf.yaml:33: instances[0].shard_criteria: sharding is not supported; this instance sends all series, so run only one",
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Without keys it is what the check does without: kube-state-metrics' default
// resources and endpoints, of all namespaces, elected, every 15 seconds.
func TestDefaults(t *testing.T) {
	for _, text := range []string{"instances: [{}]", "init_config:\ninstances:\n- {}\n", "collectors: []", "", "instances: [{collectors: [nonsense]}]"} {
		c, err := Read("conf.yaml", []byte(text), 0)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		names := kind.Names(c.Agent.Kinds)
		if !slices.Contains(names, "endpoints") || !slices.Contains(names, "endpointslices") || slices.Contains(names, "customresourcedefinitions") {
			t.Errorf("%q: resources %v", text, names)
		}
		if c.Namespaces != nil || !c.LeaderElection.Enabled || c.Interval != 0 || c.Agent.PodMode != agent.AllPods {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestInstances(t *testing.T) {
	two := "init_config: {service: s}\ninstances:\n- {tags: [a:b], odd: 1}\n- {tags: [c:d], service: own}\n"
	if _, err := Read("conf.yaml", []byte(two), 0); err == nil || err.Error() != "conf.yaml:2: instances: 2 instances: must choose one with --datadog-instance, 1 to 2" {
		t.Errorf("got %v", err)
	}
	for _, number := range []int{3, -1} {
		if _, err := Read("conf.yaml", []byte(two), number); err == nil {
			t.Errorf("there is no instance %d", number)
		}
	}
	if _, err := Read("conf.yaml", []byte("collectors: [pods]"), 1); err != nil {
		t.Error(err)
	}
	if _, err := Read("conf.yaml", []byte("collectors: [pods]"), 2); err == nil || err.Error() != "conf.yaml: no instance 2: must be 1: the file is an instance itself" {
		t.Errorf("got %v", err)
	}
	if _, err := Read("conf.yaml", []byte("init_config:\ninstances:\n"), 0); err == nil || err.Error() != "conf.yaml:2: instances: no instance: must have at least one" {
		t.Errorf("got %v", err)
	}
	for number, want := range map[int][]sink.Tag{
		1: {{Key: "a", Value: "b"}, {Key: "service", Value: "s"}},
		2: {{Key: "c", Value: "d"}, {Key: "service", Value: "own"}},
	} {
		c, err := Read("conf.yaml", []byte(two), number)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Agent.Tags); diff != "" {
			t.Errorf("instance %d (-want +got):\n%s", number, diff)
		}
		if warned := len(c.Warnings) == 1; warned != (number == 1) {
			t.Errorf("instance %d: warnings %q", number, c.Warnings)
		}
	}
}

func TestModes(t *testing.T) {
	for text, want := range map[string]struct {
		mode    agent.PodMode
		warning string
	}{
		"default":                 {agent.AllPods, ""},
		"cluster_unassigned":      {agent.ClusterUnassigned, ""},
		"cluster_aggregates_only": {agent.ClusterAggregatesOnly, ""},
		"node_kubelet":            {agent.AllPods, "conf.yaml:1: pod_collection_mode: kubestate reads the API server, not kubelets; using default"},
		"all":                     {agent.AllPods, `conf.yaml:1: pod_collection_mode: unknown mode "all": must be one of: default, cluster_unassigned, cluster_aggregates_only; using default`},
	} {
		c, err := Read("conf.yaml", []byte("pod_collection_mode: "+text), 0)
		if err != nil {
			t.Fatal(err)
		}
		if c.Agent.PodMode != want.mode || strings.Join(c.Warnings, "\n") != want.warning {
			t.Errorf("%s: %s, %q", text, c.Agent.PodMode, c.Warnings)
		}
	}
}

// Who sends nothing but totals over Pods reads these, whatever is to be collected.
func TestTotalsNeedPods(t *testing.T) {
	c, err := Read("conf.yaml", []byte("pod_collection_mode: cluster_aggregates_only\ncollectors: [nodes, deployments]"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if names := kind.Names(c.Agent.Kinds); !slices.Equal(names, []string{"pods"}) {
		t.Errorf("resources %v", names)
	}
}

// What the check cannot read at all is an error here, too.
func TestProblems(t *testing.T) {
	_, err := Read("conf.yaml", []byte("collectors: pods\nlabel_joins: {a: [b]}\nmin_collection_interval: fast\n"), 0)
	want := `conf.yaml:1: collectors: invalid value "pods": must be a list
conf.yaml:2: label_joins.a: invalid value that is a list: must have keys with values
conf.yaml:3: min_collection_interval: invalid number "fast": must be a number`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, interval := range []string{"0.1", "-1", "1e+18"} {
		_, err := Read("conf.yaml", []byte("min_collection_interval: "+interval), 0)
		if want := "conf.yaml:1: min_collection_interval: invalid interval " + interval + ": must be between 1 and 31536000 seconds"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// The example of the documentation needs no warning.
func TestExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/agent-config.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```yaml\ninit_config:")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("docs/agent-config.md has no configuration of the check")
	}
	c, err := Read("conf.yaml", []byte("init_config:"+text), 0)
	if err != nil || len(c.Warnings) > 0 {
		t.Fatalf("%v, warnings %q", err, c.Warnings)
	}
	if c.LeaderElection.Enabled || !c.CheckTelemetry || len(c.Agent.Joins) != 1 || len(c.Agent.Kinds) != 3 {
		t.Errorf("got %+v", c)
	}
}
