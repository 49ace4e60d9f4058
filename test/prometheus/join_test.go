package prometheus

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// joinedFamilies are families of Pods of different shapes: states, resources with a
// label node of their own, and a single series.
var joinedFamilies = []string{"kube_pod_status_phase", "kube_pod_container_resource_requests", "kube_pod_info"}

// builtIn configures the labels that queryJoins adds with PromQL.
var builtIn = kubestate.Join{
	Families: "kube_pod_*", Labels: []string{"app", "team"}, Node: true, NodeLabels: []string{"topology.kubernetes.io/zone"},
	NamespaceLabels: []string{"owner"}, Workload: true,
}

// leftJoin adds labels of right to the series of left with equal labels on, and keeps
// series of left without a match.
func leftJoin(left, on, add, right string) string {
	return fmt.Sprintf("%[1]s * on (%[2]s) group_left (%[3]s) (%[4]s) or on (namespace, pod) (%[1]s)", left, on, add, right)
}

// renamed returns a family with a renamed label.
func renamed(family, from, to string) string {
	return fmt.Sprintf(`label_replace(%s, %q, "$1", %q, "(.+)")`, family, to, from)
}

// queryJoins is the query equivalent to builtIn.
func queryJoins(family string) string {
	const zone, owner = "node_label_topology_kubernetes_io_zone", "namespace_label_owner"
	q := fmt.Sprintf("(%s * 1)", family)
	for _, step := range []struct{ on, add, right string }{
		{"namespace, pod", "label_app, label_team", "kube_pod_labels"},
		{"namespace, pod", "node", "kube_pod_info"},
		{"node", zone, renamed("kube_node_labels", "label_topology_kubernetes_io_zone", zone)},
		{"namespace", owner, renamed("kube_namespace_labels", "label_owner", owner)},
		{"namespace, pod", "workload, workload_type", "kube_pod_workload"},
	} {
		q = "(" + leftJoin(q, step.on, step.add, step.right) + ")"
	}
	return q
}

// neighbours are Pods in every relation to workloads, Nodes and Namespaces, including
// missing ones.
func neighbours(seed uint64) (s *situation, nodes, namespaces []kind.Object) {
	s = newSituation(seed)
	situations := slices.Sorted(maps.Keys(agreements))
	for _, s.namespace = range []string{"shop", "billing", "unlabelled", "unknown"} {
		for i := range 20 {
			agreements[situations[s.random.IntN(len(situations))]](s, fmt.Sprintf("app-%d", i))
		}
	}
	// With two owners, a query finds two workloads and fails.
	s.pods = slices.DeleteFunc(s.pods, func(o kind.Object) bool { return len(o.GetOwnerReferences()) > 1 })
	for _, o := range s.pods {
		decorate(s, o.(*corev1.Pod))
	}
	for i := range 4 { // Pods are on w0 to w4, and w3 has no zone
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("w%d", i), Labels: map[string]string{"disk": "ssd"}}}
		if i < 3 {
			n.Labels["topology.kubernetes.io/zone"] = fmt.Sprintf("zone-%d", i%2)
		}
		nodes = append(nodes, n)
	}
	for _, name := range []string{"shop", "billing", "unlabelled"} {
		n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if name != "unlabelled" {
			n.Labels = map[string]string{"owner": "team " + name, "more": "m"}
		}
		namespaces = append(namespaces, n)
	}
	return s, nodes, namespaces
}

// decorate sets a Pod's phase, resources and, usually, labels and a Node.
func decorate(s *situation, p *corev1.Pod) {
	p.Status.Phase = corev1.PodRunning
	p.Labels = maps.Clone(p.Labels)
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	if s.random.IntN(4) > 0 {
		p.Labels["app"] = `the "app" ` + p.Name
	}
	if s.random.IntN(2) > 0 {
		p.Labels["team"] = "t"
	}
	if n := s.random.IntN(7); n < 5 {
		p.Spec.NodeName = fmt.Sprintf("w%d", n)
	}
	p.Spec.Containers = []corev1.Container{{Name: "main", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU: apiresource.MustParse("250m"), corev1.ResourceMemory: apiresource.MustParse("64Mi"),
	}}}}
}

// scrapeJoins returns what Prometheus scrapes of the neighbours, fed in random order.
func scrapeJoins(t *testing.T, seed uint64, joins ...kubestate.Join) []sample {
	t.Helper()
	s, nodes, namespaces := neighbours(seed)
	log := &bytes.Buffer{}
	all := map[string][]string{kubestate.AllResources: {"*"}}
	x, err := kubestate.New(kubestate.Config{
		Kinds: kind.All(), Keep: func(*metric.Desc) bool { return true }, Labels: all, Joins: joins,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	feeds := []func(){
		func() { feed(t, x, kind.Pods, s.pods...) },
		func() { feed(t, x, kind.ReplicaSets, s.replicaSets...) },
		func() { feed(t, x, kind.Jobs, s.jobs...) },
		func() { feed(t, x, kind.Nodes, nodes...) },
		func() { feed(t, x, kind.Namespaces, namespaces...) },
	}
	for _, i := range s.random.Perm(len(feeds)) {
		feeds[i]()
	}
	return check(t, x, log)
}

// joinedText returns a series without labels that a query drops and without empty
// labels, which Prometheus treats as missing.
func joinedText(l labels.Labels, value float64) string {
	return seriesText(labels.NewBuilder(l).Del(model.MetricNameLabel, "job", "instance").Labels().WithoutEmpty(), value)
}

// The built-in joins equal those of queries, on the same cluster, with Prometheus's
// engine.
func TestJoins(t *testing.T) {
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e7, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	defer engine.Close()
	now := time.Unix(1_700_000_000, 0)
	for seed := range uint64(5) {
		db := store(t, scrapeJoins(t, seed), now)
		joined := scrapeJoins(t, seed, builtIn)
		for _, family := range joinedFamilies {
			query, err := engine.NewInstantQuery(t.Context(), db, nil, queryJoins(family), now)
			if err != nil {
				t.Fatal(err)
			}
			vector, err := query.Exec(t.Context()).Vector()
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, family, err)
			}
			var want, got []string
			for _, s := range vector {
				want = append(want, joinedText(s.Metric, s.F))
			}
			query.Close()
			for _, s := range joined {
				if s.labels.Get(model.MetricNameLabel) == family {
					got = append(got, joinedText(s.labels, s.value))
				}
			}
			compareJoins(t, fmt.Sprintf("seed %d: %s", seed, family), got, want)
		}
	}
}

// compareJoins also checks that the comparison is meaningful: each label must be both
// present and missing.
func compareJoins(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("%s: %d series, the query has %d; series %d:\nbuilt in %s\nqueried  %s", what, len(got), len(want), i,
					strings.Join(got[i:min(i+1, len(got))], ""), strings.Join(want[i:min(i+1, len(want))], ""))
			}
		}
	}
	for _, label := range []string{" label_app=", " label_team=", " node=", " node_label_topology_kubernetes_io_zone=", " namespace_label_owner=", " workload=", " workload_type="} {
		with := 0
		for _, series := range got {
			if strings.Contains(strings.ReplaceAll(series, "{", "{ "), label) {
				with++
			}
		}
		if with == 0 || with == len(got) {
			t.Errorf("%s: %d of %d series have%s", what, with, len(got), label)
		}
	}
}

// Families without joins are unchanged.
func TestJoinsOfOtherFamilies(t *testing.T) {
	plain := scrapeJoins(t, 1)
	other := scrapeJoins(t, 1, kubestate.Join{Families: "kube_node_role", Node: true, NodeLabels: []string{"*"}, NamespaceLabels: []string{"*"}, Workload: true})
	if !slices.EqualFunc(plain, other, same) {
		t.Errorf("%d samples, and with joins of another family %d", len(plain), len(other))
	}
}
