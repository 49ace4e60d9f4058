package kubestate_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// workloads is an Exporter that serves only kube_pod_workload, with its feeds.
type workloads struct {
	*kubestate.Exporter
	feeds map[string]*kubestate.Feed
}

func newWorkloads(t *testing.T, kinds ...*kind.Table) workloads {
	t.Helper()
	x, err := kubestate.New(kubestate.Config{
		Kinds:  kinds,
		Keep:   func(d *metric.Desc) bool { return d.Name == "kube_pod_workload" },
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := workloads{x, map[string]*kubestate.Feed{}}
	for _, k := range kinds {
		f, err := x.NewFeed(k.Resource)
		if err != nil {
			t.Fatal(err)
		}
		f.Commit()
		w.feeds[k.Name] = f
	}
	return w
}

// got returns "pod workload workload_type" of each series, sorted.
func (w workloads) got(t *testing.T) []string {
	t.Helper()
	var b bytes.Buffer
	if err := w.Write(&b, exposition.Text, kubestate.Selection{}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		var pod, workload, typ string
		rest, ok := strings.CutPrefix(line, `kube_pod_workload{namespace="ns",pod=`)
		if !ok {
			continue
		}
		rest = strings.NewReplacer(`,uid=""`, "", `,workload=`, " ", `,workload_type=`, " ", "} 1", "").Replace(rest)
		if _, err := fmt.Sscanf(rest, "%q %q %q", &pod, &workload, &typ); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, pod+" "+workload+" "+typ)
	}
	slices.Sort(lines)
	return lines
}

// meta returns the metadata of an object with owners, each given as "Kind/name".
func meta(name string, owners ...string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: "ns", Name: name}
	for _, o := range owners {
		k, n, _ := strings.Cut(o, "/")
		m.OwnerReferences = append(m.OwnerReferences, metav1.OwnerReference{Kind: k, Name: n})
	}
	return m
}

func hashed(m metav1.ObjectMeta, label, hash string) metav1.ObjectMeta {
	m.Labels = map[string]string{label: hash}
	return m
}

type event struct {
	resource string
	object   kind.Object
}

func putPod(m metav1.ObjectMeta) event { return event{"pods", &corev1.Pod{ObjectMeta: m}} }
func putReplicaSet(m metav1.ObjectMeta) event {
	return event{"replicasets", &appsv1.ReplicaSet{ObjectMeta: m}}
}
func putJob(m metav1.ObjectMeta) event { return event{"jobs", &batchv1.Job{ObjectMeta: m}} }

// cluster has a Pod for each way to determine a workload.
var cluster = []event{
	putPod(meta("bare")),
	putPod(meta("static", "Node/n1")),
	putPod(meta("ds", "DaemonSet/agent")),
	putPod(meta("sts", "StatefulSet/db")),
	putPod(meta("other", "Workflow/w")),
	putPod(hashed(meta("web", "ReplicaSet/web-5d8f"), "pod-template-hash", "5d8f")),
	putPod(hashed(meta("roll", "ReplicaSet/roll-77"), "rollouts-pod-template-hash", "77")),
	putPod(hashed(meta("odd", "ReplicaSet/odd-99"), "pod-template-hash", "not-the-end")),
	putReplicaSet(meta("odd-99", "Deployment/odd")),
	putPod(meta("rs", "ReplicaSet/lonely")),
	putReplicaSet(meta("lonely")),
	putPod(meta("kruise", "ReplicaSet/k-1")),
	putReplicaSet(meta("k-1", "CloneSet/k")),
	putPod(meta("cron", "Job/backup-29")),
	putJob(meta("backup-29", "CronJob/backup")),
	putPod(meta("once", "Job/migrate")),
	putJob(meta("migrate")),
	putPod(meta("sub", "Job/sub")),
	putJob(meta("sub", "Pod/driver")),
	putPod(meta("orphan", "Job/gone")),
	putPod(meta("two", "Job/migrate", "StatefulSet/db")),
}

var clusterWorkloads = []string{
	"bare bare barepod",
	"cron backup CronJob",
	"ds agent daemonset",
	"kruise k CloneSet",
	"odd odd deployment",
	"once migrate job",
	"other w Workflow",
	"roll roll Rollout",
	"rs lonely replicaset",
	"static static staticpod",
	"sts db statefulset",
	"sub sub job",
	"two db statefulset",
	"two migrate job",
	"web web deployment",
}

func (w workloads) put(events ...event) {
	for _, e := range events {
		w.feeds[e.resource].Put(e.object)
	}
}

func (w workloads) want(t *testing.T, when string, want []string) {
	t.Helper()
	if got := w.got(t); !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", when, got, want)
	}
}

// TestWorkloadInAnyOrder feeds the same objects in many orders.
func TestWorkloadInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		w := newWorkloads(t, kind.Pods, kind.ReplicaSets, kind.Jobs)
		events := slices.Clone(cluster)
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		w.put(events...)
		w.want(t, "all read", clusterWorkloads)
	}
}

// TestWorkloadFollowsOwners changes owners after their Pods were rendered.
func TestWorkloadFollowsOwners(t *testing.T) {
	w := newWorkloads(t, kind.Pods, kind.ReplicaSets, kind.Jobs)
	w.put(putPod(meta("p", "Job/j")))
	w.want(t, "the Job is not known", nil)
	w.put(putJob(meta("j", "CronJob/c")))
	w.want(t, "it came", []string{"p c CronJob"})
	w.put(putJob(meta("j")))
	w.want(t, "it was orphaned", []string{"p j job"})
	w.feeds["jobs"].Delete("ns", "j")
	w.want(t, "it was deleted", nil)
	w.put(putJob(meta("j", "CronJob/d")))
	w.want(t, "it was created again", []string{"p d CronJob"})
	w.feeds["jobs"].Begin()
	w.feeds["jobs"].Commit()
	w.want(t, "a full read found no Job", nil)
	w.put(putPod(meta("p", "Job/k")), putJob(meta("k")))
	w.want(t, "the Pod has another owner", []string{"p k job"})
	w.put(putPod(meta("p", "ReplicaSet/r-1")), putReplicaSet(meta("r-1", "CloneSet/r")))
	w.want(t, "a ReplicaSet owns it", []string{"p r CloneSet"})
	w.put(putReplicaSet(hashed(meta("r-1", "Deployment/r"), "pod-template-hash", "1")))
	w.want(t, "another has the name, of which its Pods tell the owner", nil)
	w.feeds["pods"].Delete("ns", "p")
	w.put(putJob(meta("k", "CronJob/c")))
	w.want(t, "the Pod was deleted", nil)
	if s := w.Stats(kind.Pods.Resource); s.Series != 0 || s.Bytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}

// TestWorkloadWithoutOwners serves Pods only: the chain ends at their owners.
func TestWorkloadWithoutOwners(t *testing.T) {
	w := newWorkloads(t, kind.Pods)
	w.put(putPod(meta("a", "Job/j")), putPod(meta("b", "ReplicaSet/r")), putPod(hashed(meta("c", "ReplicaSet/c-1"), "pod-template-hash", "1")))
	w.want(t, "Pods alone", []string{"a j job", "b r replicaset", "c c deployment"})
}

// TestWorkloadConcurrently has one goroutine for each resource, like watches.
func TestWorkloadConcurrently(t *testing.T) {
	w := newWorkloads(t, kind.Pods, kind.ReplicaSets, kind.Jobs)
	var running sync.WaitGroup
	for resource := range w.feeds {
		running.Go(func() {
			for range 200 {
				for _, e := range cluster {
					if e.resource == resource {
						w.put(e)
					}
				}
				if resource == "jobs" {
					w.feeds["jobs"].Delete("ns", "backup-29")
				}
			}
		})
	}
	running.Wait()
	w.put(putJob(meta("backup-29", "CronJob/backup")))
	w.want(t, "after the storm", clusterWorkloads)
}

// TestWorkloadOfAChangingPod: an update caused by a change of an owner never restores an
// earlier state of the Pod.
func TestWorkloadOfAChangingPod(t *testing.T) {
	const pods = 50
	var orphans []string
	for i := range pods {
		orphans = append(orphans, fmt.Sprintf("p%02d p%02d barepod", i, i))
	}
	name := func(i int) string { return fmt.Sprintf("p%02d", i) }
	w := newWorkloads(t, kind.Pods, kind.Jobs)
	for range 50 {
		w.put(putJob(meta("j", "CronJob/c")))
		for i := range pods {
			w.put(putPod(meta(name(i), "Job/j")))
		}
		var running sync.WaitGroup
		running.Go(func() { w.feeds["jobs"].Delete("ns", "j") })
		running.Go(func() {
			for i := range pods {
				if i%2 == 0 {
					w.feeds["pods"].Delete("ns", name(i))
				}
				w.put(putPod(meta(name(i))))
			}
		})
		running.Wait()
		if w.want(t, "the Job was deleted, its Pods orphaned", orphans); t.Failed() {
			return
		}
	}
}
