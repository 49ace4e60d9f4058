package agentconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// write writes a file for a test and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// All problems are reported at once, with lines.
func TestProblems(t *testing.T) {
	broken := write(t, "names.yaml", "name: mine\nrules:\n- family: kube_pod_inf\n- metric: x\n")
	text := `agents: {}
resources: {pods: {}}
shard: 1
agent:
  names: ` + broken + `
  resources: [pods, pod, nodes, pods]
  labels: {pods: ["*a*"], "*": [app], pod: [app]}
  joins:
    kube_pod_labels: {match: [pod, namespace]}
    kube_pods_labels: {get: [a]}
  labelsAsTags: {pod: {app: ""}, pods: {app: app}}
  aggregates:
  - {family: kube_pod_info, op: add}
  - {family: kube_pod, by: [node]}
  tags: {team: 1}
  podCollectionMode: node_kubelet
  interval: 10ms
  heartbeat: 5s
  leaderElection: {enabled: true, leaseDuration: 2500ms, renewDeadline: 3s, retryPeriod: 4s, name: a}
  sinks:
  - {type: stdout, path: x}
  - {type: dogstatd}
  - {type: dogstatsd, address: "tcp://a:1", maxPacket: 0, spread: -1s}
  - {type: dogstatsd, address: "tcp://a:1"}
  - {type: datadog, keyFile: /no/such/key}
  - {type: datadog, url: "ftp://x"}
  - {type: otlp, url: "https://me:secret@x/", protocol: udp}
  - {type: otlp, url: "https://me:secret@x/", protocol: grpc, name: a}
  - {type: remotewrite, url: "http://x/write", version: 2.0}
  - {type: remotewrite, url: "http://x/write", version: "2.0", tokenFile: ., name: a}
  - {type: file, path: /no/such/dir/file}
  - {address: x}
  - text
`
	want := `c.yaml:1: unknown key "agents": did you mean agent? must be one of: agent
c.yaml:2: unknown key "resources": must be one of: agent
c.yaml:3: unknown key "shard": must be one of: agent
c.yaml:5: agent.names: NAMES:3: rules[0].family: family "kube_pod_inf" does not exist: did you mean kube_pod_info?
c.yaml:5: agent.names: NAMES:4: rules[1]: missing key family
c.yaml:6: agent.resources[1]: resource "pod" does not exist: did you mean pods?
c.yaml:6: agent.resources[3]: duplicate resource "pods": must be listed once
c.yaml:7: agent.labels.pod: resource "pod" does not exist: did you mean pods?
c.yaml:7: agent.labels.pods[0]: invalid pattern "*a*": must have at most one *
c.yaml:9: agent.joins.kube_pod_labels: join without labels: must have get, or all: true
c.yaml:10: agent.joins.kube_pods_labels: family "kube_pods_labels" does not exist: did you mean kube_pod_labels?
c.yaml:11: agent.labelsAsTags.pod.app: empty tag: must be the name of a tag
c.yaml:11: agent.labelsAsTags.pods: kind "pods" does not exist: did you mean pod?
c.yaml:13: agent.aggregates[0].op: unknown value "add": must be one of: sum, count, min, max, latest
c.yaml:13: agent.aggregates[0]: neither a metric nor a check: must have one of them
c.yaml:14: agent.aggregates[1]: missing key op
c.yaml:14: agent.aggregates[1].family: family "kube_pod" does not exist
c.yaml:14: agent.aggregates[1]: neither a metric nor a check: must have one of them
c.yaml:15: agent.tags.team: invalid value 1: must be text, in quotes: "1"
c.yaml:16: agent.podCollectionMode: unknown value "node_kubelet": must be one of: default, cluster_unassigned, cluster_aggregates_only
c.yaml:17: agent.interval: invalid value "10ms": must be at least 1s
c.yaml:19: agent.leaderElection.leaseDuration: invalid duration "2.5s": must be whole seconds
c.yaml:19: agent.leaderElection.renewDeadline: invalid duration "3s": must be less than leaseDuration, 2.5s
c.yaml:19: agent.leaderElection.retryPeriod: invalid duration "4s": must be less than renewDeadline, 3s
c.yaml:21: agent.sinks[0]: unknown key "path": must be one of: type, name, interval, heartbeat, tags
c.yaml:22: agent.sinks[1].type: unknown type "dogstatd": did you mean dogstatsd? must be one of: datadog, dogstatsd, file, otlp, remotewrite, stdout
c.yaml:23: agent.sinks[2].maxPacket: invalid size "0": must be a positive number of bytes, such as 65536, 64KiB or 32MiB
c.yaml:23: agent.sinks[2].spread: invalid value "-1s": must be at least 0s
c.yaml:24: agent.sinks[3]: dogstatsd: invalid address "tcp://a:1": unknown scheme; must be udp://host:port, unix:///path or unixstream:///path
c.yaml:25: agent.sinks[4].keyFile: cannot read file with the API key: stat /no/such/key: no such file or directory
c.yaml:26: agent.sinks[5]: missing key keyFile
c.yaml:27: agent.sinks[6].protocol: unknown value "udp": must be one of: http, grpc
c.yaml:28: agent.sinks[7]: otlp: URL of host "x": must not contain a user; secrets are read from files
c.yaml:29: agent.sinks[8].version: invalid value 2.0: must be text, in quotes: "2.0"
c.yaml:30: agent.sinks[9].tokenFile: invalid path ".": must be a file with a token or password, not a directory
c.yaml:30: agent.sinks[9].name: duplicate name "a": must differ from that of sinks[7]
c.yaml:31: agent.sinks[10].path: invalid path "/no/such/dir/file": must be in a directory that exists
c.yaml:32: agent.sinks[11]: missing key type: must be one of: datadog, dogstatsd, file, otlp, remotewrite, stdout
c.yaml:33: agent.sinks[12]: invalid sink "text": must have keys with values, one of them the type: datadog, dogstatsd, file, otlp, remotewrite, stdout`
	_, err := Reader{}.Read("c.yaml", []byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	got := strings.NewReplacer(broken, "NAMES", strings.Join(kind.Names(kind.All()), ", "), "RESOURCES").Replace(err.Error())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Rules of a naming scheme without effect, or with an unexpected one, are reported with
// their line, whether or not their resource is read.
func TestNamesProblems(t *testing.T) {
	const text = `agent:
  resources: [nodes]
  names:
    name: mine
    rules:
    - {family: kube_pod_info, metric: "{pod", where: {nodes: [a], node: [a, "b*c*"]}, choose: {uid: {"**": x}}, unless: kube_pod_inf}
    - {family: kube_pod_created, start: kube_node_created, capture: {pod: p}, check: {name: "", message: "{", statuses: {a: ok}}}
    - family: kube_pod_owner
      metric: "{owner_kind}.{kind}"
      check: {name: "c{name}", message: "{pod} {nam}", by: kin, statuses: {a: ok}}
      drop: [uid, owner]
      rename: {owner_nam: o}
      values: {owner: {a: b}}
    - family: kube_pod_container_status_running
      states: {from: [kube_pod_container_status_waiting_reason, kube_node_info, kube_x], label: raeson, values: [a]}
    rest: {unless: kube_node_inf, metric: "{}"}
    aggregates:
    - {family: kube_pod_labels, metric: m, op: sum, by: [label_app, app], unless: kube_node_info}
    - {family: kube_pod_info, metric: m, op: sum, joined: true, by: [label_app]}
    - {family: kube_pod_info, op: latest, by: [node], check: {name: c, by: node}}
    joins:
      kube_pod_info: {match: [pod, name], get: [node, nod], tags: {node: "", nods: n}}
      kube_pod_owner: {match: [pod], get: ["*"]}
    alwaysGet: {kube_pod_label: [label_app], kube_pod_labels: [app]}
    entities: [{resource: pod, tags: [pod]}, {resource: "*", tags: [uid]}]
  aggregates:
  - {family: kube_pod_info, metric: m, op: latest, by: [nodes]}
`
	const want = `c.yaml:6: agent.names.rules[0].metric: invalid template "{pod": must have labels as {label}
c.yaml:6: agent.names.rules[0].where.node[1]: invalid pattern "b*c*": must have at most one *
c.yaml:6: agent.names.rules[0].choose.uid.**: invalid pattern "**": must have at most one *
c.yaml:6: agent.names.rules[0].unless: family "kube_pod_inf" does not exist: did you mean kube_pod_info?
c.yaml:6: agent.names.rules[0].where.nodes: family kube_pod_info has no label "nodes": did you mean node?
c.yaml:7: agent.names.rules[1].capture.pod: label without a pattern: must also be a key of where
c.yaml:7: agent.names.rules[1].check.name: empty name: must name the check
c.yaml:7: agent.names.rules[1].check.message: invalid template "{": must have labels as {label}
c.yaml:7: agent.names.rules[1].start: family kube_node_created of resource nodes: must be a family of pods, as kube_pod_created is
c.yaml:9: agent.names.rules[2].metric: family kube_pod_owner has no label "kind": did you mean uid? must be one of: OWNERS
c.yaml:10: agent.names.rules[2].check.name: family kube_pod_owner has no label "name": must be one of: OWNERS
c.yaml:10: agent.names.rules[2].check.message: family kube_pod_owner has no label "nam": must be one of: OWNERS
c.yaml:10: agent.names.rules[2].check.by: family kube_pod_owner has no label "kin": must be one of: OWNERS
c.yaml:11: agent.names.rules[2].drop[1]: family kube_pod_owner has no label "owner": must be one of: OWNERS
c.yaml:12: agent.names.rules[2].rename.owner_nam: family kube_pod_owner has no label "owner_nam": did you mean owner_name? must be one of: OWNERS
c.yaml:13: agent.names.rules[2].values.owner: family kube_pod_owner has no label "owner": must be one of: OWNERS
c.yaml:15: agent.names.rules[3].states.label: family kube_pod_container_status_waiting_reason has no label "raeson": did you mean reason? must be one of: namespace, pod, uid, container, reason
c.yaml:15: agent.names.rules[3].states.from[1]: family kube_node_info of resource nodes: must be a family of pods, as kube_pod_container_status_running is
c.yaml:15: agent.names.rules[3].states.from[2]: family "kube_x" does not exist
c.yaml:16: agent.names.rest.metric: invalid template "{}": must have labels as {label}
c.yaml:16: agent.names.rest.unless: family "kube_node_inf" does not exist: did you mean kube_node_info?
c.yaml:18: agent.names.aggregates[0].unless: family kube_node_info of resource nodes: must be a family of pods, as kube_pod_labels is
c.yaml:18: agent.names.aggregates[0].by[1]: family kube_pod_labels has no label "app": must be one of: namespace, pod, uid, label_*
c.yaml:22: agent.names.joins.kube_pod_info.match[1]: family kube_pod_info has no label "name": did you mean node?
c.yaml:22: agent.names.joins.kube_pod_info.get[1]: family kube_pod_info has no label "nod": did you mean pod?
c.yaml:22: agent.names.joins.kube_pod_info.tags.nods: family kube_pod_info has no label "nods": did you mean node?
c.yaml:22: agent.names.joins.kube_pod_info.tags.node: empty tag: must be the name of a tag
c.yaml:24: agent.names.alwaysGet.kube_pod_label: family "kube_pod_label" does not exist: did you mean kube_pod_labels?
c.yaml:24: agent.names.alwaysGet.kube_pod_labels[0]: family kube_pod_labels has no label "app": must be one of: namespace, pod, uid, label_*
c.yaml:25: agent.names.entities[0].resource: resource "pod" does not exist: did you mean pods?
c.yaml:27: agent.aggregates[0].op: invalid operation "latest": must be latest for a check, and for nothing else
c.yaml:27: agent.aggregates[0].by[0]: family kube_pod_info has no label "nodes": did you mean node?`
	_, err := Reader{}.Read("c.yaml", []byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	const labels = "namespace, pod, uid, host_ip, pod_ip, node, created_by_kind, created_by_name, priority_class, host_network"
	const owners = "namespace, pod, uid, owner_kind, owner_name, owner_is_controller"
	got := strings.NewReplacer(strings.Join(kind.Names(kind.All()), ", "), "RESOURCES", labels, "LABELS", owners, "OWNERS").Replace(err.Error())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHeartbeat(t *testing.T) {
	_, err := Reader{}.Read("c.yaml", []byte("agent:\n  heartbeat: 5s\n  sinks:\n  - type: stdout\n  - {type: stdout, interval: 2s}\n"))
	want := `c.yaml:4: agent.sinks[0].heartbeat: invalid duration "5s": must be at least the interval, 15s, or left out`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Settings of a file reach the packages that use them, and missing settings have their
// defaults.
func TestSettings(t *testing.T) {
	key := write(t, "key", "abc")
	c, err := Reader{}.Read("c.yaml", []byte(`agent:
  names: datadog
  resources: [pods, nodes]
  labels: {pods: [app]}
  joins:
    kube_pod_labels: {match: [pod, namespace], get: [label_team], tags: {label_team: team}}
  labelsAsTags: {node: {zone: az}, pod: }
  labelsMapper: {pod: podname}
  aggregates:
  - {family: kube_pod_info, metric: pods, op: count, by: [node], where: {node: [a*]}}
  tags: {team: x, env: prod}
  clusterName: c1
  podCollectionMode: cluster_unassigned
  clusterAggregates: true
  interval: 30s
  heartbeat: 10m
  leaderElection: {enabled: true, leaseDuration: 9s}
  sinks:
  - {type: dogstatsd, address: "udp://127.0.0.1:8125"}
  - {type: datadog, keyFile: "`+key+`", name: dogstatsd-2}
  - {type: dogstatsd, address: "unix:///run/d.sock", interval: 1m, heartbeat: 2m, maxPacket: 4KiB}
  - {type: remotewrite, url: "http://x/w"}
`))
	if err != nil {
		t.Fatal(err)
	}
	s := c.Agent.Settings()
	a := s.Agent
	if a.Scheme.Name != "datadog" {
		t.Errorf("names %q", a.Scheme.Name)
	}
	want := agent.Config{
		Labels: map[string][]string{"pods": {"app"}},
		Joins: map[string]naming.Join{"kube_pod_labels": {
			Match: []string{"pod", "namespace"}, Get: []string{"label_team"}, Tags: map[string]string{"label_team": "team"},
		}},
		LabelsAsTags: map[string]map[string]string{"node": {"zone": "az"}, "pod": nil},
		LabelsMapper: map[string]string{"pod": "podname"},
		Aggregates: []naming.Aggregate{{
			Family: "kube_pod_info", Metric: "pods", Op: naming.Count, By: []string{"node"},
			Filter: naming.Filter{Where: map[string][]string{"node": {"a*"}}},
		}},
		Tags: []sink.Tag{{Key: "env", Value: "prod"}, {Key: "team", Value: "x"}}, ClusterName: "c1",
		PodMode: agent.ClusterUnassigned, ClusterAggregates: true,
	}
	if got := kind.Names(a.Kinds); cmp.Diff([]string{"nodes", "pods"}, got) != "" {
		t.Errorf("resources %v", got)
	}
	a.Scheme, a.Kinds = nil, nil
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantElection := LeaderElection{
		Enabled: true, Name: "kubestate-agent", LeaseDuration: 9 * time.Second, RenewDeadline: 6 * time.Second, RetryPeriod: 1200 * time.Millisecond,
	}
	if diff := cmp.Diff(wantElection, s.LeaderElection); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	outputs, warnings, err := c.Agent.Outputs()
	if err != nil {
		t.Error(err)
	}
	type receiver struct {
		Name                string
		Interval, Heartbeat time.Duration
	}
	var got []receiver
	for _, r := range outputs {
		got = append(got, receiver{r.Name, r.Interval, r.Heartbeat})
	}
	if diff := cmp.Diff([]receiver{
		{"dogstatsd", 30 * time.Second, 10 * time.Minute}, {"dogstatsd-2", 30 * time.Second, 10 * time.Minute},
		{"dogstatsd-3", time.Minute, 2 * time.Minute}, {"remotewrite", 30 * time.Second, 10 * time.Minute},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sink remotewrite: heartbeat 10m0s is too long: Prometheus marks series stale after 5m0s without a sample"}, warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"65": 65, "2147483647": 1<<31 - 1, "4 KiB": 4096, "2MiB": 2 << 20, "70B": 70} {
		c, err := Reader{}.Read("c.yaml", []byte("agent: {sinks: [{type: dogstatsd, address: 'unix:///d.sock', maxPacket: 64, buffer: "+text+"}]}"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Agent.Sinks[0].settings.(*DogStatsD).Buffer; got != want {
			t.Errorf("%s is %d bytes, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"2GiB":                 `invalid size "2GiB": must be at most 2147483647 bytes`,
		"3000000000":           `invalid size "3000000000": must be at most 2147483647 bytes`,
		"99999999999999999999": `invalid size "99999999999999999999": must be at most 2147483647 bytes`,
		"0":                    `invalid size "0": must be a positive number`, "-1": `invalid size "-1": must be`, "2KB": `invalid size "2KB": must be`, "[]": "invalid size that is a list: must be",
	} {
		_, err := Reader{}.Read("c.yaml", []byte("agent: {sinks: [{type: dogstatsd, address: 'unix:///d.sock', maxPacket: 64, buffer: "+text+"}]}"))
		if err == nil || !strings.Contains(err.Error(), "c.yaml:1: agent.sinks[0].buffer: "+want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, in := range []string{"", "agent:\n", "# nothing"} {
		c, err := Reader{}.Read("c.yaml", []byte(in))
		if err != nil || c.Agent != nil {
			t.Errorf("%q: %v, %v", in, c, err)
		}
	}
	if (Names{}).Get().Name != "ksm" {
		t.Error("the default naming scheme is not ksm")
	}
}

// An inline naming scheme and the same scheme in a file are equal.
func TestOwnNames(t *testing.T) {
	table := `name: mine
prefix: k8s.
rules:
- family: kube_pod_status_phase
  metric: pod.{phase}
  equal: 1
  choose: {phase: {Running: running}}
  drop: [uid]
rest: {}
owners: {tags: {Deployment: kube_deployment}}
`
	fromFile, err := Table(write(t, "n.yaml", table))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Reader{}.Read("c.yaml", []byte("agent:\n  names:\n    "+strings.ReplaceAll(strings.TrimSpace(table), "\n", "\n    ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromFile, c.Agent.Names.Get()); diff != "" {
		t.Errorf("(-file +inline):\n%s", diff)
	}
	one := 1.0
	if diff := cmp.Diff(naming.Rule{
		Family: "kube_pod_status_phase", Metric: "pod.{phase}",
		Filter: naming.Filter{Equal: &one, Choose: map[string]map[string]string{"phase": {"Running": "running"}}},
		Tags:   naming.Tags{Drop: []string{"uid"}},
	}, fromFile.Rules[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Table("datadgo"); err == nil || !strings.Contains(err.Error(), `unknown naming scheme "datadgo": did you mean datadog? must be one of: datadog, ksm, otel, or a readable file (open `) {
		t.Errorf("got %v", err)
	}
	for _, name := range BuiltIn() {
		if n, err := Table(name); err != nil || n.Name != name {
			t.Errorf("%s: %v, %v", name, n, err)
		}
	}
}
