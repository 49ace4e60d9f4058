package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/kind"
)

// workloadRules paraphrase the eight rules that record
// namespace_workload_pod:kube_pod_owner:relabel: group k8s.rules.pod_owner of the
// Kubernetes mixin, Apache-2.0, rules/apps.libsonnet at commit 03a94e9 of
// https://github.com/kubernetes-monitoring/kubernetes-mixin. typ is the label
// workload_type that a rule adds; the last one takes it from the owner's kind.
var workloadRules = []struct{ typ, expr string }{
	{"replicaset", `
max by (cluster, namespace, pod, workload) (
    label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="ReplicaSet"}, "workload", "$1", "owner_name", "(.*)")
  * on (cluster, namespace, workload) group_left ()
    max by (cluster, namespace, workload) (
      label_replace(kube_replicaset_owner{job="kube-state-metrics",owner_kind=""}, "workload", "$1", "replicaset", "(.*)")))`},
	{"deployment", `
max by (cluster, namespace, pod, workload) (
    label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.*)")
  * on (cluster, namespace, replicaset) group_left (workload)
    topk by (cluster, namespace, replicaset) (1, max by (cluster, namespace, replicaset, workload) (
      label_replace(kube_replicaset_owner{job="kube-state-metrics",owner_kind="Deployment"}, "workload", "$1", "owner_name", "(.*)"))))`},
	{"daemonset", `
max by (cluster, namespace, pod, workload) (
  label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="DaemonSet"}, "workload", "$1", "owner_name", "(.*)"))`},
	{"statefulset", `
max by (cluster, namespace, pod, workload) (
  label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="StatefulSet"}, "workload", "$1", "owner_name", "(.*)"))`},
	{"job", `
group by (cluster, namespace, pod, workload) (
    label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="Job"}, "workload", "$1", "owner_name", "(.*)")
  * on (cluster, namespace, workload) group_left ()
    group by (cluster, namespace, workload) (
      label_replace(kube_job_owner{job="kube-state-metrics",owner_kind=~"|Pod"}, "workload", "$1", "job_name", "(.*)")))`},
	{"barepod", `
max by (cluster, namespace, pod, workload) (
  label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="",owner_name=""}, "workload", "$1", "pod", "(.+)"))`},
	{"staticpod", `
max by (cluster, namespace, pod, workload) (
  label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="Node"}, "workload", "$1", "pod", "(.+)"))`},
	{"", `
group by (cluster, namespace, pod, workload, workload_type) (
  label_replace(label_replace(
      label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="Job"}, "job_name", "$1", "owner_name", "(.*)")
    * on (cluster, namespace, job_name) group_left (owner_kind, owner_name)
      group by (cluster, namespace, job_name, owner_kind, owner_name) (
        kube_job_owner{job="kube-state-metrics",owner_kind!~"|Pod"})
  or
      label_replace(kube_pod_owner{job="kube-state-metrics",owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.*)")
    * on (cluster, namespace, replicaset) group_left (owner_kind, owner_name)
      group by (cluster, namespace, replicaset, owner_kind, owner_name) (
        kube_replicaset_owner{job="kube-state-metrics",owner_kind!~"|Deployment"})
  or
    kube_pod_owner{job="kube-state-metrics",owner_kind!~"|DaemonSet|Job|Node|ReplicaSet|StatefulSet"},
  "workload", "$1", "owner_name", "(.*)"), "workload_type", "$1", "owner_kind", "(.*)"))`},
}

// workload is the content of a series about a Pod.
type workload struct{ namespace, pod, name, typ string }

func compareWorkloads(a, b workload) int {
	return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.pod, b.pod), cmp.Compare(a.name, b.name), cmp.Compare(a.typ, b.typ))
}

func newWorkload(l labels.Labels) workload {
	return workload{l.Get("namespace"), l.Get("pod"), l.Get("workload"), l.Get("workload_type")}
}

// ofFamily returns the workloads in kube_pod_workload, sorted.
func ofFamily(samples []sample) (workloads []workload) {
	for _, s := range samples {
		if s.labels.Get(model.MetricNameLabel) == "kube_pod_workload" && s.value == 1 {
			workloads = append(workloads, newWorkload(s.labels))
		}
	}
	slices.SortFunc(workloads, compareWorkloads)
	return workloads
}

// ofRules returns the workloads according to the rules, sorted, and evaluation errors.
func ofRules(t *testing.T, samples []sample) (workloads []workload, failed []error) {
	t.Helper()
	now := time.Unix(1_700_000_000, 0)
	db := store(t, samples, now)
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	defer engine.Close()
	for _, rule := range workloadRules {
		query, err := engine.NewInstantQuery(t.Context(), db, nil, rule.expr, now)
		if err != nil {
			t.Fatalf("rule %q: %v", rule.typ, err)
		}
		vector, err := query.Exec(t.Context()).Vector()
		if err != nil {
			failed = append(failed, fmt.Errorf("rule %q: %w", rule.typ, err))
		}
		for _, s := range vector {
			w := newWorkload(s.Metric)
			w.typ = cmp.Or(rule.typ, w.typ)
			workloads = append(workloads, w)
		}
		query.Close()
	}
	slices.SortFunc(workloads, compareWorkloads)
	return workloads, failed
}

// store returns a database with the samples as if scraped at a moment, without the
// label cluster.
func store(t *testing.T, samples []sample, at time.Time) storage.Queryable {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	appender := db.Appender(context.Background())
	for _, s := range samples {
		scraped := labels.NewBuilder(s.labels).Set("job", "kube-state-metrics").Set("instance", "i").Labels()
		if _, err := appender.Append(0, scraped, at.UnixMilli(), s.value); err != nil {
			t.Fatalf("append %s: %v", scraped, err)
		}
	}
	if err := appender.Commit(); err != nil {
		t.Fatal(err)
	}
	return db
}

// situation is a cluster, and the expected workloads of its Pods: of the rules and the
// family alike, or of only one of them.
type situation struct {
	random    *rand.Rand
	namespace string

	pods, replicaSets, jobs        []kind.Object
	byBoth, byRulesOnly, byFamOnly []workload
}

// by returns an owner that is the controller of the object; others are not.
func by(kind, name string) metav1.OwnerReference {
	controller := true
	return metav1.OwnerReference{Kind: kind, Name: name, Controller: &controller}
}
func also(kind, name string) metav1.OwnerReference {
	return metav1.OwnerReference{Kind: kind, Name: name}
}

func (s *situation) meta(name string, hash map[string]string, owners []metav1.OwnerReference) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name, Labels: hash, OwnerReferences: owners}
}

func (s *situation) replicaSet(name string, hash map[string]string, owners ...metav1.OwnerReference) {
	s.replicaSets = append(s.replicaSets, &appsv1.ReplicaSet{ObjectMeta: s.meta(name, hash, owners)})
}

func (s *situation) job(name string, owners ...metav1.OwnerReference) {
	s.jobs = append(s.jobs, &batchv1.Job{ObjectMeta: s.meta(name, nil, owners)})
}

// somePods adds one to three Pods with the same owners, and returns their names.
func (s *situation) somePods(hash map[string]string, owners ...metav1.OwnerReference) (names []string) {
	for range 1 + s.random.IntN(3) {
		name := "pod"
		if len(owners) > 0 {
			name = owners[0].Name
		}
		name += fmt.Sprintf("-%d", len(s.pods))
		s.pods = append(s.pods, &corev1.Pod{ObjectMeta: s.meta(name, hash, owners)})
		names = append(names, name)
	}
	return names
}

// workloads returns the workloads of some Pods, named like the Pods if name is empty.
func (s *situation) workloads(pods []string, name, typ string) (w []workload) {
	for _, pod := range pods {
		w = append(w, workload{s.namespace, pod, cmp.Or(name, pod), typ})
	}
	return w
}

func (s *situation) both(pods []string, name, typ string) {
	s.byBoth = append(s.byBoth, s.workloads(pods, name, typ)...)
}

func (s *situation) rulesOnly(pods []string, name, typ string) {
	s.byRulesOnly = append(s.byRulesOnly, s.workloads(pods, name, typ)...)
}

func (s *situation) familyOnly(pods []string, name, typ string) {
	s.byFamOnly = append(s.byFamOnly, s.workloads(pods, name, typ)...)
}

// hash returns the hash of a Pod template and its label.
func (s *situation) hash(label string) (hash string, l map[string]string) {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	for range 1 + s.random.IntN(10) {
		hash += string(letters[s.random.IntN(len(letters))])
	}
	return hash, map[string]string{label: hash}
}

func newSituation(seed uint64) *situation {
	return &situation{random: rand.New(rand.NewPCG(seed, 0)), namespace: "ns"}
}

// samples returns what Prometheus scrapes in the situation. The order of initial lists
// must not matter.
func (s *situation) samples(t *testing.T) []sample {
	t.Helper()
	x, log := newExporter(t)
	feeds := []func(){
		func() { feed(t, x, kind.Pods, s.pods...) },
		func() { feed(t, x, kind.ReplicaSets, s.replicaSets...) },
		func() { feed(t, x, kind.Jobs, s.jobs...) },
	}
	for _, i := range s.random.Perm(len(feeds)) {
		feeds[i]()
	}
	return check(t, x, log)
}

// prove fails the test unless the rules and the family return the expected workloads.
func (s *situation) prove(t *testing.T) {
	t.Helper()
	samples := s.samples(t)
	ruled, failed := ofRules(t, samples)
	for _, err := range failed {
		t.Error(err)
	}
	expect(t, "the rules say", ruled, slices.Concat(s.byBoth, s.byRulesOnly))
	expect(t, "the family says", ofFamily(samples), slices.Concat(s.byBoth, s.byFamOnly))
}

func expect(t *testing.T, who string, got, want []workload) {
	t.Helper()
	slices.SortFunc(want, compareWorkloads)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nnot:\n%s", who, list(got), list(want))
	}
}

func list(workloads []workload) string {
	var b strings.Builder
	for _, w := range workloads {
		fmt.Fprintf(&b, "\t%s/%s belongs to %s %s\n", w.namespace, w.pod, w.typ, w.name)
	}
	return b.String()
}

// Each situation on its own.
func TestWorkloadSituations(t *testing.T) {
	for name, arise := range agreements {
		t.Run(name, func(t *testing.T) {
			s := newSituation(1)
			arise(s, "app")
			if len(s.byRulesOnly)+len(s.byFamOnly) > 0 {
				t.Error("the situation is not an agreement")
			}
			s.prove(t)
		})
	}
	for name, arise := range differences {
		t.Run(name, func(t *testing.T) {
			s := newSituation(1)
			arise(s, "app")
			s.prove(t)
		})
	}
}

// All situations mixed in clusters with namespaces in which the same names have
// different meanings.
func TestWorkloadRandomClusters(t *testing.T) {
	for seed := range uint64(30) {
		s := newSituation(seed)
		for _, s.namespace = range []string{"default", "default-2", "kube-system"} {
			for i := range 40 {
				situations := agreements
				if s.random.IntN(5) == 0 {
					situations = differences
				}
				names := slices.Sorted(maps.Keys(situations))
				app := fmt.Sprintf("%s-%d", []string{"web", "db", "web.v2"}[s.random.IntN(3)], i)
				situations[names[s.random.IntN(len(names))]](s, app)
			}
		}
		s.prove(t)
		if t.Failed() {
			t.Fatalf("the seed is %d", seed)
		}
	}
}

// Pods with two owners that lead to one workload have one series, as with the rules.
func TestWorkloadOnce(t *testing.T) {
	s := newSituation(1)
	s.replicaSet("a-1", nil, by("Deployment", "a"))
	s.replicaSet("a-2", nil, by("Deployment", "a"))
	s.both(s.somePods(nil, by("ReplicaSet", "a-1"), also("ReplicaSet", "a-2")), "a", "deployment")
	s.both(s.somePods(nil, by("Node", "a-1"), also("Node", "a-2")), "", "staticpod")
	s.prove(t)
}
