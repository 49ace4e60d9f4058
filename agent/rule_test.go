package agent_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/sink"
)

const quota = `{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: shop},
 status: {hard: {requests.cpu: "4", pods: "10", requests.hugepages-2Mi: "8"}, used: {requests.cpu: "1"}}}`

const waiting = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, creationTimestamp: "2026-01-02T11:00:00Z"}, status: {
 startTime: "2026-01-02T11:00:30Z", containerStatuses: [
 {name: a, restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}}, {name: b, restartCount: 3, state: {running: {}}}]}}`

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		rules  []naming.Rule
		names  naming.Scheme
		object string
		want   string // lines
	}{
		"a family as it is": {
			rules:  []naming.Rule{{Family: "kube_resourcequota"}},
			object: quota,
			want: `kube_resourcequota 1 namespace:shop resource:requests.cpu resourcequota:q type:used
kube_resourcequota 10 namespace:shop resource:pods resourcequota:q type:hard
kube_resourcequota 4 namespace:shop resource:requests.cpu resourcequota:q type:hard
kube_resourcequota 8 namespace:shop resource:requests.hugepages-2Mi resourcequota:q type:hard`,
		},
		"another name, for samples of one value": {
			rules:  []naming.Rule{{Family: "kube_resourcequota", Metric: "q", Filter: naming.Filter{Equal: new(4.0)}}},
			object: quota,
			want:   `q 4 namespace:shop resource:requests.cpu resourcequota:q type:hard`,
		},
		"several rules for one family, by labels": {
			rules: []naming.Rule{
				{Family: "kube_resourcequota", Metric: "used", Filter: naming.Filter{Where: map[string][]string{"type": {"USED", "other"}}}},
				{
					Family: "kube_resourcequota", Metric: "huge", Value: naming.One,
					Filter: naming.Filter{Where: map[string][]string{"resource": {"Requests.hugepages-*"}}},
					Tags:   naming.Tags{Capture: map[string]string{"resource": "size"}, Drop: []string{"resource"}},
				},
			},
			object: quota,
			want: `huge 1 namespace:shop resourcequota:q size:2Mi type:hard
used 1 namespace:shop resource:requests.cpu resourcequota:q type:used`,
		},
		"names with labels in them": {
			rules: []naming.Rule{{
				Family: "kube_resourcequota", Metric: "q.{resource}.{type}.x",
				Filter: naming.Filter{Choose: map[string]map[string]string{"type": {"hard": "limit"}}},
			}},
			object: quota,
			want: `q.pods.limit.x 10 namespace:shop resource:pods resourcequota:q type:hard
q.requests.cpu.limit.x 4 namespace:shop resource:requests.cpu resourcequota:q type:hard
q.requests.hugepages_2Mi.limit.x 8 namespace:shop resource:requests.hugepages-2Mi resourcequota:q type:hard`,
		},
		"the longest pattern says what stands in a name": {
			rules: []naming.Rule{{
				Family: "kube_resourcequota", Metric: "q.{resource}",
				Filter: naming.Filter{Choose: map[string]map[string]string{"resource": {"*": "any", "requests.*": "request", "requests.cpu": "cpu"}, "type": {"hard": ""}}},
			}},
			object: quota,
			want: `q.any 10 namespace:shop resource:pods resourcequota:q type:hard
q.cpu 4 namespace:shop resource:requests.cpu resourcequota:q type:hard
q.request 8 namespace:shop resource:requests.hugepages-2Mi resourcequota:q type:hard`,
		},
		"tags dropped, renamed, set, with other values": {
			rules: []naming.Rule{{
				Family: "kube_resourcequota", Metric: "q", Filter: naming.Filter{Where: map[string][]string{"resource": {"pods"}}},
				Tags: naming.Tags{
					Drop: []string{"resource"}, Rename: map[string]string{"type": "sort"},
					Values: map[string]map[string]string{"type": {"hard": "limit"}}, Set: map[string]string{"b": "2", "a": "1"},
				},
			}},
			object: quota,
			want:   `q 10 a:1 b:2 namespace:shop resourcequota:q sort:limit`,
		},
		"a label that is dropped is in the way of no join": {
			rules: []naming.Rule{{
				Family: "kube_resourcequota", Metric: "q", Filter: naming.Filter{Where: map[string][]string{"resource": {"pods"}}},
				Tags: naming.Tags{Drop: []string{"type", "resource"}},
			}},
			names: naming.Scheme{Joins: map[string]naming.Join{
				"kube_service_spec_type": {Match: []string{"type"}, Get: []string{"service"}},
			}},
			object: quota + "\n---\n{apiVersion: v1, kind: Service, metadata: {name: s, namespace: other}, spec: {type: hard}}",
			want:   `q 10 namespace:shop resourcequota:q service:s`,
		},
		"ages, and ones": {
			rules: []naming.Rule{
				{Family: "kube_pod_created", Metric: "age", Value: naming.Age},
				{Family: "kube_pod_created", Metric: "there", Value: naming.One},
			},
			object: waiting,
			want: `age 3600 namespace:shop pod:web uid:u
there 1 namespace:shop pod:web uid:u`,
		},
		"unless the object has another family": {
			rules: []naming.Rule{
				{Family: "kube_pod_created", Metric: "running", Value: naming.One, Filter: naming.Filter{Unless: "kube_pod_container_status_waiting_reason"}},
				{Family: "kube_pod_created", Metric: "alive", Value: naming.One, Filter: naming.Filter{Unless: "kube_pod_deletion_timestamp"}},
			},
			object: waiting,
			want:   `alive 1 namespace:shop pod:web uid:u`,
		},
		"all states of each container, the zeroes too": {
			rules: []naming.Rule{{
				Family: "kube_pod_container_status_running", Metric: "state",
				States: &naming.States{
					From: []string{"kube_pod_container_status_waiting_reason", "kube_pod_container_status_terminated_reason"}, Label: "reason",
					Values: []string{"CrashLoopBackOff", "OOMKilled"},
				},
				Tags: naming.Tags{Rename: map[string]string{"reason": "why"}, Values: map[string]map[string]string{"reason": {"OOMKilled": "oom"}}},
			}},
			object: waiting,
			want: `state 0 container:a namespace:shop pod:web uid:u why:oom
state 0 container:b namespace:shop pod:web uid:u why:CrashLoopBackOff
state 0 container:b namespace:shop pod:web uid:u why:oom
state 1 container:a namespace:shop pod:web uid:u why:CrashLoopBackOff`,
		},
		"what only a function can say": {
			rules: []naming.Rule{{
				Family: "kube_pod_container_status_restarts_total", Metric: "restarts",
				Adjust: func(p *naming.Point) bool {
					p.Set("letter", strings.ToUpper(p.Label("container")))
					p.Drop("container")
					p.Value *= 10
					return p.Label("container") != "b" && p.Label("missing") == ""
				},
			}},
			object: waiting,
			want:   `restarts 20 letter:A namespace:shop pod:web uid:u`,
		},
		"service checks by a label": {
			rules: []naming.Rule{{
				Family: "kube_resourcequota", Check: &naming.Check{
					Name: "quota.{type}", Message: "{resource} is {type}", By: "type", Status: naming.Unknown,
					Statuses: map[string]naming.Status{"used": naming.Warning},
				},
				Filter: naming.Filter{Where: map[string][]string{"resource": {"requests.cpu"}}}, Tags: naming.Tags{Drop: []string{"type", "resource"}},
			}},
			object: quota,
			want: `check quota.hard unknown "requests.cpu is hard" namespace:shop resourcequota:q
check quota.used warning "requests.cpu is used" namespace:shop resourcequota:q`,
		},
		"a check and a metric of one rule": {
			rules: []naming.Rule{{
				Family: "kube_pod_created", Metric: "m", Value: naming.One, Check: &naming.Check{Name: "c", Status: naming.Critical},
			}},
			object: waiting,
			want: `check c critical "" namespace:shop pod:web uid:u
m 1 namespace:shop pod:web uid:u`,
		},
		"a check that is due": {
			rules: []naming.Rule{
				{Family: "kube_pod_created", Check: &naming.Check{Name: "late", Message: "{pod} is", Due: true}},
				{Family: "kube_pod_created", Check: &naming.Check{Name: "early", Due: true}, Adjust: func(p *naming.Point) bool { p.Value += 3600; return true }},
			},
			object: waiting,
			want: `check early ok "" namespace:shop pod:web uid:u
check late critical "web is late by 3600 seconds" namespace:shop pod:web uid:u`,
		},
		"labels are tags, and those may differ by family": {
			rules: []naming.Rule{{Family: "kube_pod_container_status_running", Metric: "a"}, {Family: "kube_pod_created", Metric: "b", Value: naming.One}},
			names: naming.Scheme{
				Prefix: "p.", Labels: map[string]string{"container": "c", "pod": "pod_name", "namespace": "ns"},
				Overrides: []naming.Override{{Prefix: "kube_pod_container", Tags: map[string]string{"c": "kube_c", "pod_name": "p"}}},
			},
			object: waiting,
			want: `p.a 0 kube_c:a ns:shop p:web uid:u
p.a 1 kube_c:b ns:shop p:web uid:u
p.b 1 ns:shop pod_name:web uid:u`,
		},
		"entities": {
			rules: []naming.Rule{{Family: "kube_pod_container_status_running", Metric: "a"}, {Family: "kube_resourcequota", Metric: "q", Filter: naming.Filter{Where: map[string][]string{"type": {"used"}}}}},
			names: naming.Scheme{
				Labels: map[string]string{"container": "k8s.container.name", "pod": "k8s.pod.name"},
				Entities: []naming.Entity{
					{Resource: "pods", Tags: []string{"k8s.pod.name", "k8s.container.name"}, UID: "k8s.pod.uid"},
					{Resource: "*", Tags: []string{"namespace"}, UID: "uid"},
				},
			},
			object: waiting + "\n---\n" + strings.Replace(quota, "namespace: shop", "namespace: shop, uid: v", 1),
			want: `a 0 {k8s.container.name:a k8s.pod.name:web k8s.pod.uid:u} namespace:shop
a 1 {k8s.container.name:b k8s.pod.name:web k8s.pod.uid:u} namespace:shop
q 1 {namespace:shop uid:v} resource:requests.cpu resourcequota:q type:used`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.names.Rules = c.rules
			x := agenttest.New(t, agent.Config{Scheme: &c.names})
			x.Put(agenttest.Objects(t, c.object)...)
			if diff := cmp.Diff(strings.Split(c.want, "\n"), x.Lines(runAt)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A metric is one pointer for all objects, and has its description.
func TestMetrics(t *testing.T) {
	n := &naming.Scheme{Rules: []naming.Rule{
		{Family: "kube_pod_container_status_restarts_total", Metric: "restarts", Start: "kube_pod_start_time", Unit: "{restart}"},
		{Family: "kube_pod_created", Metric: "created", Type: naming.UpDown, Help: "When."},
		{Family: "kube_pod_container_status_ready", Metric: "ready"},
	}}
	x := agenttest.New(t, agent.Config{Scheme: n})
	x.Put(objects(t, waiting, strings.Replace(waiting, "name: web", "name: db", 1))...)
	metrics := map[string]*sink.Metric{}
	start := time.Date(2026, 1, 2, 11, 0, 30, 0, time.UTC).UnixMilli()
	for s := range x.NewReader().Run(runAt).Series {
		if m := metrics[s.Metric.Name]; m != nil && m != s.Metric {
			t.Errorf("%s has two metrics", m.Name)
		}
		metrics[s.Metric.Name] = s.Metric
		if want := map[string]int64{"restarts": start}[s.Metric.Name]; s.Start != want {
			t.Errorf("%s starts at %d, want %d", s.Metric.Name, s.Start, want)
		}
	}
	want := map[string]*sink.Metric{
		"restarts": {Name: "restarts", Type: sink.Counter, Unit: "{restart}", Help: "How often a container was restarted."},
		"created":  {Name: "created", Type: sink.UpDown, Help: "When."},
		"ready":    {Name: "ready", Type: sink.Gauge, Help: "1 if a container passes its readiness probe, else 0."},
	}
	if diff := cmp.Diff(want, metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Configured tags are in the right place.
func TestConfiguredTags(t *testing.T) {
	n := &naming.Scheme{
		Rules:          []naming.Rule{{Family: "kube_configmap_info", Metric: "m"}},
		Aggregates:     []naming.Aggregate{{Family: "kube_configmap_info", Metric: "total", Op: naming.Count}},
		ClusterNameTag: "cluster", ClusterIDTag: "cluster_id", HostTags: []string{"host"},
		Entities: []naming.Entity{{Resource: "*", Tags: []string{"cluster"}}},
	}
	x := agenttest.New(t, agent.Config{
		Scheme: n, ClusterName: "c1", ClusterID: "id", Tags: []sink.Tag{{Key: "z", Value: "1"}, {Key: "host", Value: "no host"}},
	})
	x.Put(objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}`)...)
	expect(t, x,
		"m 1 {cluster:c1} cluster_id:id configmap:a host:no host namespace:ns z:1",
		"total 1 {cluster:c1} cluster_id:id host:no host z:1",
	)
}

// Characters that are invalid in metric names become underscores: all except dots,
// underscores, and ASCII letters and digits, including the first and last of each range.
func TestInvalidCharactersInNames(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{
		Family: "kube_secret_type", Metric: "s.{type}", Tags: naming.Tags{Drop: []string{"type"}},
	}}}})
	x.Feed("secrets").Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Type: "/0189:@ABYZ[`abyz{._-é\x00\x7f"})
	expect(t, x, "s._0189__ABYZ__abyz_.______ 1 namespace: secret:a")
}

// Names made from labels are never released, so their number is limited: series with other
// names are omitted, and that is logged once.
func TestTooManyMetrics(t *testing.T) {
	var log bytes.Buffer
	x := agenttest.New(t, agent.Config{Logger: slog.New(slog.NewTextHandler(&log, nil)), Scheme: &naming.Scheme{
		Rules:      []naming.Rule{{Family: "kube_secret_type", Metric: "secret.{secret}"}, {Family: "kube_secret_info", Metric: "all"}},
		Aggregates: []naming.Aggregate{{Family: "kube_secret_type", Metric: "secrets.{type}", Op: naming.Count}},
	}})
	const more = 100
	for i := range 10_000 + more {
		x.Feed("secrets").Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: fmt.Sprint("s", i)}, Type: "Opaque"})
	}
	count := map[string]int{}
	for s := range x.NewReader().Run(runAt).Series {
		name, _, _ := strings.Cut(s.Metric.Name, ".")
		count[name]++
	}
	// Two names do not belong to a Secret: all and secrets.Opaque.
	if diff := cmp.Diff(map[string]int{"secret": 9998, "all": 10_000 + more, "secrets": 1}, count); diff != "" {
		t.Errorf("series by metric (-want +got):\n%s", diff)
	}
	if s := x.Stats(); s.Failures != more+2 {
		t.Errorf("%d failures, want %d", s.Failures, more+2)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `metric \"secret.{secret}\": too many names from labels: must be at most 10000`) {
		t.Errorf("log:\n%s", text)
	}
}

// A check may apply to some values of a label only, without a metric.
func TestCheckWithChoose(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{
		Family: "kube_pod_status_phase", Filter: naming.Filter{Equal: new(1.0), Choose: map[string]map[string]string{"phase": {"Failed": "failed"}}},
		Check: &naming.Check{Name: "pod.{phase}", Status: naming.Critical},
	}}}})
	running := `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u}, status: {phase: Running}}`
	for range 2 {
		x.Put(objects(t, running)...)
		expect(t, x)
		x.Put(objects(t, strings.Replace(running, "Running", "Failed", 1))...)
		expect(t, x, `check pod.failed critical "" namespace:shop phase:Failed pod:web uid:u`)
	}
}

// The scheme of kube-state-metrics changes nothing.
func TestKSM(t *testing.T) {
	x := agenttest.New(t, agent.Config{Labels: map[string][]string{"configmaps": {"app"}}})
	x.Put(objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns, resourceVersion: "7", labels: {app: x, other: z}}}`)...)
	expect(t, x,
		"kube_configmap_info 1 configmap:a namespace:ns",
		"kube_configmap_labels 1 configmap:a label_app:x namespace:ns",
		"kube_configmap_metadata_resource_version 7 configmap:a namespace:ns",
	)
}

// The cluster ID may become known after there are objects and aggregations.
func TestSetClusterID(t *testing.T) {
	n := ready(nil)
	n.ClusterIDTag = "id"
	n.Aggregates = []naming.Aggregate{{Family: "kube_pod_info", Metric: "pods", Op: naming.Count}}
	x := agenttest.New(t, agent.Config{Scheme: n, Tags: []sink.Tag{{Key: "z", Value: "1"}}})
	x.Put(objects(t, pod)...)
	expect(t, x, "pod 1 namespace:shop pod:web uid:u z:1", "pods 1 z:1")
	x.SetClusterID("c")
	expect(t, x, "pod 1 id:c namespace:shop pod:web uid:u z:1", "pods 1 id:c z:1")
	if diff := cmp.Diff([]sink.Tag{{Key: "z", Value: "1"}, {Key: "id", Value: "c"}}, x.Tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}
