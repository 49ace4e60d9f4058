package kubestate_test

import (
	"log/slog"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// ownKind is a table of an API that is not in the catalog, with one family and an
// allow-list. Its objects are Jobs, to detect confusion with batch/v1 Jobs.
func ownKind(t *testing.T, resource, family string) *kind.Table {
	t.Helper()
	d := metric.Desc{Name: family, Type: metric.Gauge, Stability: metric.Alpha, Help: "Help."}
	labels := metric.Desc{Name: family + "_labels", Type: metric.Gauge, Help: "Help.", Prefix: "label", AllowList: metric.Labels}
	table, err := kind.Define(kind.Kind[batchv1.Job]{
		Resource: kind.Resource{Group: "batch.example.com", Version: "v1", Name: resource, Kind: "Job", Namespaced: true},
		Identity: []metric.Label{{Name: "namespace"}, {Name: "run"}},
		Begin:    func(j *batchv1.Job, e *metric.Emitter, s *metric.Schema) { e.Begin(s, j.Namespace, j.Name) },
		Rows: []kind.Row[batchv1.Job]{
			kind.NewRow(d, func(_ *batchv1.Job, e *metric.Emitter) { e.Add(1) }),
			kind.NewMapRow(labels, func(j *batchv1.Job) map[string]string { return j.Labels }),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestOwnKind(t *testing.T) {
	x := newExporter(t, kubestate.Config{
		Kinds:  []*kind.Table{kind.ReplicaSets, ownKind(t, "runs", "example_run")},
		Labels: map[string][]string{"runs": {"team"}},
		Keep:   func(d *metric.Desc) bool { return strings.HasPrefix(d.Name, "example_run") },
	})
	feed(t, x, "runs", &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "r-1", Labels: map[string]string{"team": "core"}}})
	const want = `# HELP example_run Help.
# TYPE example_run gauge
example_run{namespace="shop",run="r-1"} 1
# HELP example_run_labels Help.
# TYPE example_run_labels gauge
example_run_labels{namespace="shop",run="r-1",label_team="core"} 1
`
	if got := write(t, x, exposition.Text, kubestate.Selection{}); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestOwnKindsInErrors(t *testing.T) {
	_, err := kubestate.New(kubestate.Config{
		Kinds: []*kind.Table{
			kind.Namespaces, ownKind(t, "runs", "example_run"), ownKind(t, "attempts", "example_run"),
			ownKind(t, "namespaces", "example_namespace"), kind.Namespaces, ownKind(t, "fakes", "kube_namespace_created"),
		},
		Labels: map[string][]string{"runz": {"*"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`labels allow-list: unknown resource "runz": must be one of apiservices, attempts, `, ", runs, ",
		"duplicate family example_run: of attempts and runs", "duplicate family example_run_labels: of attempts and runs",
		"duplicate resource namespaces", "duplicate family kube_namespace_created: of fakes and namespaces",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
	if strings.Count(err.Error(), "namespaces, ") != 1 {
		t.Errorf("namespaces are listed twice:\n%v", err)
	}
}

// A kind called Job in another group does not own Pods.
func TestOwnKindIsNoOwner(t *testing.T) {
	x := newExporter(t, kubestate.Config{
		Kinds: []*kind.Table{kind.Pods, kind.Jobs, ownKind(t, "runs", "example_run")},
		Keep:  func(d *metric.Desc) bool { return d.Name == "kube_pod_workload" || d.Name == "example_run" },
	})
	controller := true
	owned := func(name, kind, owner string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: &controller}}}
	}
	feed(t, x, "jobs", &batchv1.Job{ObjectMeta: owned("report", "CronJob", "daily")})
	feed(t, x, "pods", &corev1.Pod{ObjectMeta: owned("report-1", "Job", "report")})
	feed(t, x, "runs", &batchv1.Job{ObjectMeta: owned("report", "Pipeline", "other")})
	const want = `kube_pod_workload{namespace="shop",pod="report-1",uid="",workload="daily",workload_type="CronJob"} 1` + "\n"
	if got := write(t, x, exposition.Text, kubestate.Selection{}); !strings.Contains(got, want) {
		t.Errorf("want %sin:\n%s", want, got)
	}
}

// A label with an invalid name affects only its family, in every format.
func TestOwnKindWithABadLabel(t *testing.T) {
	var log strings.Builder
	table, err := kind.Define(kind.Kind[batchv1.Job]{
		Resource: kind.Resource{Group: "batch.example.com", Version: "v1", Name: "runs", Kind: "Job", Namespaced: true},
		Identity: []metric.Label{{Name: "run"}},
		Begin:    func(j *batchv1.Job, e *metric.Emitter, s *metric.Schema) { e.Begin(s, j.Name) },
		Rows: []kind.Row[batchv1.Job]{
			kind.NewRow(metric.Desc{Name: "run_labels", Type: metric.Gauge, Help: "Help."}, func(j *batchv1.Job, e *metric.Emitter) {
				for name, value := range j.Labels {
					e.Label(name, value)
				}
				e.AddLabeled(1)
			}),
			kind.NewRow(metric.Desc{Name: "run_up", Type: metric.Gauge, Help: "Help."}, func(_ *batchv1.Job, e *metric.Emitter) { e.Add(1) }),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{table}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	feed(t, x, "runs",
		&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "bad", Labels: map[string]string{"a\nb": "v"}}},
		&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "good", Labels: map[string]string{"a_b": "v"}}})
	const want = `# HELP run_labels Help.
# TYPE run_labels gauge
run_labels{run="good",a_b="v"} 1
# HELP run_up Help.
# TYPE run_up gauge
run_up{run="bad"} 1
run_up{run="good"} 1
`
	if got := write(t, x, exposition.Text, kubestate.Selection{}); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if got := write(t, x, exposition.Protobuf, kubestate.Selection{}); strings.Count(got, "good") != 2 {
		t.Errorf("protobuf: %q", got)
	}
	if said := log.String(); !strings.Contains(said, `run_labels: metric: run_labels: invalid label \"a\\nb\"`) || x.Stats(resourceNamed(t, x, "runs")).Failures != 1 {
		t.Errorf("%d failures, log:\n%s", x.Stats(resourceNamed(t, x, "runs")).Failures, said)
	}
}
