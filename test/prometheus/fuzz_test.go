package prometheus

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// hostile returns strings that break careless writers of the text format.
func hostile() []string {
	return []string{
		"", " ", "\n", "a\nb", "\r\n", "\x00", "\x00# EOF", `"`, `\`, `\n`, `\\"`, "\"\n\\", "}", `{a="b"} 1`, "# EOF", "\n# EOF\n",
		"a,b=\"c\"", "\xff", "a\xc3", "\xed\xa0\x80", "\u2028", "\uFFFD", "日本", "🙂", "\ufeff", "__name__", "le", "quantile",
		strings.Repeat("x", 5000), strings.Repeat("\"", 100), "NaN", "-Inf", "1e400",
	}
}

// newFiller returns a filler of random objects: strings are words that rows look for,
// hostile strings or text; pointers, lists and maps are often nil.
func newFiller(seed int64, text string) *randfill.Filler {
	texts := append(hostile(), text)
	among := func(words ...string) func(randfill.Continue) string {
		return func(c randfill.Continue) string {
			if c.Intn(3) == 0 {
				return texts[c.Intn(len(texts))]
			}
			return words[c.Intn(len(words))]
		}
	}
	word := among("main", "other", "app", "App", "a-b", "a_b", "aB", "node-role.kubernetes.io/", "node-role.kubernetes.io/worker",
		discoveryv1.LabelServiceName, "192.0.2.1", "::1", "Evicted", "NodeLost", "OOMKilled", "CrashLoopBackOff")
	status := among("True", "False", "Unknown")
	// The schema of a custom resource is recursive; a random one would never end.
	endless := regexp.MustCompile("^OpenAPIV3Schema$")
	return randfill.NewWithSeed(seed).NilChance(0.3).NumElements(0, 4).MaxDepth(40).SkipFieldsWithPattern(endless).Funcs(
		fillText[string](word), fillText[types.UID](word),
		fillText[corev1.ConditionStatus](status),
		fillText[corev1.ResourceName](among("cpu", "memory", "pods", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu", "attachable-volumes-x",
			"storage", "kubernetes.io/network-bandwidth")),
		fillText[corev1.PodConditionType](among("Ready", "PodScheduled", "Initialized", "ContainersReady", "DisruptionTarget")),
		fillText[corev1.PodPhase](among("Pending", "Succeeded", "Failed", "Running")),
		fillText[corev1.PodQOSClass](among("BestEffort", "Burstable", "Guaranteed")),
		fillText[corev1.NodeConditionType](among("Ready", "DiskPressure")),
		fillText[corev1.NodeAddressType](among("InternalIP", "Hostname")),
		fillText[corev1.ServiceType](among("ClusterIP", "LoadBalancer", "ExternalName")),
		fillText[corev1.NamespacePhase](among("Active", "Terminating")),
		fillText[batchv1.JobConditionType](among("Complete", "Failed", "Suspended")),
		fillText[autoscalingv2.MetricSourceType](among("Resource", "ContainerResource", "Object", "Pods", "External")),
		fillText[autoscalingv2.MetricTargetType](among("Utilization", "Value", "AverageValue")),
		fillText[appsv1.DeploymentConditionType](among("Available", "Progressing")),
		fillText[appsv1.DeploymentStrategyType](among("RollingUpdate", "Recreate")),
		func(q *resource.Quantity, c randfill.Continue) {
			quantities := []string{"0", "1", "-1", "1500m", "1n", "3.3333", "9223372036854775808", "10E", "1e30", "-1e30", "2Gi"}
			*q = resource.MustParse(quantities[c.Intn(len(quantities))])
		},
		func(v *metav1.Time, c randfill.Continue) { v.Time = randomTime(c) },
		func(v *metav1.MicroTime, c randfill.Continue) { v.Time = randomTime(c) },
		func(*runtime.RawExtension, randfill.Continue) {}, // an interface; no row reads it
		func(v *batchv1.CronJobSpec, c randfill.Continue) {
			c.FillNoCustom(v)
			v.Schedule = among("*/5 * * * *", "@daily", "TZ=UTC 0 0 * * *")(c)
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			v.Type = intstr.Type(c.Intn(3))
			v.IntVal = int32(c.Uint32())
			v.StrVal = among("25%", "100%", "-1%", "9999999999%")(c)
		},
	)
}

func randomTime(c randfill.Continue) time.Time {
	times := []time.Time{{}, time.Unix(0, 0), time.Unix(-1e9, 1), time.Unix(1501569018, 123456789), time.Unix(1<<40, 0)}
	return times[c.Intn(len(times))]
}

// fillText returns a filler for one string type; randfill needs one per type.
func fillText[T ~string](pick func(randfill.Continue) string) func(*T, randfill.Continue) {
	return func(s *T, c randfill.Continue) { *s = T(pick(c)) }
}

// newExporter returns an exporter that exposes every family and all labels, and a log
// that stays empty unless a row fails.
func newExporter(t testing.TB) (x *kubestate.Exporter, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	everyKey := map[string][]string{kubestate.AllResources: {"*"}}
	x, err := kubestate.New(kubestate.Config{
		Kinds: kind.All(), Keep: func(*metric.Desc) bool { return true },
		Labels: everyKey, Annotations: everyKey,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatalf("make an exporter: %v", err)
	}
	return x, log
}

// feed passes the objects of one kind to the exporter.
func feed(t testing.TB, x *kubestate.Exporter, table *kind.Table, objects ...kind.Object) {
	t.Helper()
	f, err := x.NewFeed(table.Resource)
	if err != nil {
		t.Fatal(err)
	}
	f.Begin()
	for i, o := range objects {
		if o.GetName() == "" { // stores reject these
			o.SetName(fmt.Sprintf("object-%d", i))
		}
		f.Put(o)
	}
	f.Commit()
}

// check fails the test if a row failed, the formats do not parse or differ, or the
// OpenMetrics body is not strictly valid. It returns the parsed samples.
func check(t testing.TB, x *kubestate.Exporter, log *bytes.Buffer) []sample {
	t.Helper()
	if log.Len() > 0 {
		t.Errorf("rows failed: %s", log)
	}
	text, contentType := write(t, x, ContentTypeText)
	fromText, err := parse(text, contentType)
	if err != nil {
		t.Fatalf("parse the text format: %v\n%.10000q", err, text)
	}
	open, contentType := write(t, x, acceptOpenMetrics)
	fromOpen, err := parse(open, contentType)
	if err != nil {
		t.Fatalf("parse OpenMetrics: %v\n%.10000q", err, open)
	}
	if err := openMetricsErrors(string(open)); err != nil {
		t.Errorf("OpenMetrics: %v", err)
	}
	if !slices.EqualFunc(fromText, fromOpen, same) {
		t.Errorf("text has %d samples, OpenMetrics %d, and they differ", len(fromText), len(fromOpen))
	}
	return fromText
}

// random renders two random objects of every kind, checks the result and returns its
// samples.
func random(t testing.TB, seed int64, text string) (x *kubestate.Exporter, samples []sample) {
	t.Helper()
	x, log := newExporter(t)
	filler := newFiller(seed, text)
	for _, table := range kind.All() {
		o, p := table.New(), table.New()
		filler.Fill(o)
		filler.Fill(p)
		if c, ok := o.(*batchv1.CronJob); ok && seed%8 == 0 { // random text is rarely a valid schedule
			c.Spec.Schedule, c.Spec.TimeZone, c.Spec.Suspend = "@hourly", nil, nil
			c.CreationTimestamp, c.Status.LastScheduleTime = metav1.Unix(1e9, 0), nil
		}
		feed(t, x, table, o, p)
	}
	return x, check(t, x, log)
}

// FuzzObjects looks for objects that break a row or a parser. Run it for longer with
// "go test -fuzz=FuzzObjects .".
func FuzzObjects(f *testing.F) {
	for i, text := range hostile() {
		f.Add(int64(i), text)
	}
	f.Fuzz(func(t *testing.T, seed int64, text string) { random(t, seed, text) })
}

// As FuzzObjects, with more objects; together they have samples of every family.
func TestRandomObjects(t *testing.T) {
	missing := map[string]bool{}
	for _, table := range kind.All() {
		for _, family := range table.Schema().Families {
			missing[family.Name] = true
		}
	}
	for seed := range int64(200) {
		_, samples := random(t, -seed, "text")
		for _, s := range samples {
			delete(missing, s.labels.Get(model.MetricNameLabel))
		}
		if t.Failed() {
			t.Fatalf("the seed is %d", -seed)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no random object has a sample of %q", slices.Sorted(maps.Keys(missing)))
	}
}

// All fields are nil or zero.
func TestEmptyObjects(t *testing.T) {
	x, log := newExporter(t)
	for _, table := range kind.All() {
		feed(t, x, table, table.New())
	}
	if len(check(t, x, log)) == 0 {
		t.Error("there are no samples")
	}
}

// A body without families is valid, too.
func TestNoObjects(t *testing.T) {
	x, log := newExporter(t)
	if n := len(check(t, x, log)); n > 0 {
		t.Errorf("%d samples of no object", n)
	}
}

// Strings of objects survive Prometheus's parser unchanged, except for invalid UTF-8,
// for which Prometheus would reject the whole body.
func TestHostileValues(t *testing.T) {
	for _, value := range hostile() {
		x, log := newExporter(t)
		pod := &corev1.Pod{}
		pod.Name, pod.Namespace, pod.Annotations = "p", "n", map[string]string{"key": value}
		feed(t, x, kind.Pods, pod)
		got, found := find(check(t, x, log), "kube_pod_annotations")
		if want := string([]rune(value)); !found || got.Get("annotation_key") != want {
			t.Errorf("annotation %q: got %s", value, got)
		}
	}
}

// 10,000 labels, of which thousands conflict as label names.
func TestManyLabels(t *testing.T) {
	x, log := newExporter(t)
	pod := &corev1.Pod{}
	pod.Labels = map[string]string{}
	for i := range 10_000 {
		pod.Labels[fmt.Sprintf("key%d%s", i/3, []string{"-", "_", "."}[i%3])] = "v"
	}
	feed(t, x, kind.Pods, pod)
	got, _ := find(check(t, x, log), "kube_pod_labels")
	n := 0
	got.Range(func(l labels.Label) {
		if strings.HasPrefix(l.Name, "label_key") {
			n++
		}
	})
	if n != 10_000 {
		t.Errorf("kube_pod_labels has %d labels of the object's 10000", n)
	}
}

// find returns the labels of the first sample with a name.
func find(samples []sample, name string) (l labels.Labels, found bool) {
	i := slices.IndexFunc(samples, func(s sample) bool { return s.labels.Get(model.MetricNameLabel) == name })
	if i < 0 {
		return labels.EmptyLabels(), false
	}
	return samples[i].labels, true
}
