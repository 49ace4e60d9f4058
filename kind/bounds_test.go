package kind_test

import (
	"strings"
	"testing"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// TestBounds tests values at the bounds of what a family shows.
func TestBounds(t *testing.T) {
	owners := "{kind: A, name: a}, {kind: B, name: b}, {kind: C, name: c}, {kind: D, name: d}, {kind: E, name: e}, {kind: F, name: f}, {kind: G, name: g}"
	for _, c := range []struct {
		what, family string
		table        *kind.Table
		object, want string // want: the samples after the identity labels
	}{
		{"a resourceVersion of 64 bytes", "kube_configmap_metadata_resource_version", kind.ConfigMaps,
			`{metadata: {name: x, resourceVersion: "` + strings.Repeat("0", 63) + `7"}}`, `} 7`},
		{"a resourceVersion of 65 bytes", "kube_configmap_metadata_resource_version", kind.ConfigMaps,
			`{metadata: {name: x, resourceVersion: "` + strings.Repeat("0", 64) + `7"}}`, ``},
		{"a quantity of 1e64", "kube_node_status_capacity", kind.Nodes,
			`{metadata: {name: x}, status: {capacity: {cpu: "1e64"}}}`, `,resource="cpu",unit="core"} 0`},
		{"a quantity above 1e64", "kube_node_status_capacity", kind.Nodes,
			`{metadata: {name: x}, status: {capacity: {cpu: "11e63"}}}`, ``},
		{"an extended resource whose name begins and ends with z", "kube_node_status_capacity", kind.Nodes,
			`{metadata: {name: x}, status: {capacity: {"z.example.com/z": "3"}}}`, `,resource="z_example_com_z",unit="integer"} 3`},
		{"a schedule that continues in the year 9999", "kube_cronjob_next_schedule_time", kind.CronJobs,
			`{metadata: {name: x}, spec: {schedule: "0 0 1 1 *", timeZone: UTC}, status: {lastScheduleTime: "9999-12-31T23:59:00Z"}}`, `} 2.534023008e+11`},
		{"a completion at Unix time 0", "kube_pod_completion_time", kind.Pods,
			`{metadata: {name: x}, status: {containerStatuses: [{name: c, state: {terminated: {finishedAt: "1970-01-01T00:00:00Z"}}}]}}`, ``},
		{"a completion at Unix time 1", "kube_pod_completion_time", kind.Pods,
			`{metadata: {name: x}, status: {containerStatuses: [{name: c, state: {terminated: {finishedAt: "1970-01-01T00:00:01Z"}}}]}}`, `} 1`},
		{"the eighth of eight workloads, twice", "kube_pod_workload", kind.Pods,
			`{metadata: {name: x, ownerReferences: [` + owners + `, {kind: H, name: h}, {kind: H, name: h}]}}`,
			`,workload="a",workload_type="A"} 1|,workload="b",workload_type="B"} 1|,workload="c",workload_type="C"} 1|,workload="d",workload_type="D"} 1|` +
				`,workload="e",workload_type="E"} 1|,workload="f",workload_type="F"} 1|,workload="g",workload_type="G"} 1|,workload="h",workload_type="H"} 1`},
		{"a Job whose condition Failed is false", "kube_job_duration", kind.Jobs,
			`{metadata: {name: x}, status: {startTime: "2026-01-01T00:00:00Z", conditions: [{type: Failed, status: "False", lastTransitionTime: "2026-01-01T00:00:05Z"}]}}`, ``},
		{"a Job that failed", "kube_job_duration", kind.Jobs,
			`{metadata: {name: x}, status: {startTime: "2026-01-01T00:00:00Z", conditions: [{type: Failed, status: "True", lastTransitionTime: "2026-01-01T00:00:05Z"}]}}`, `} 5`},
		{"a Job without a start", "kube_job_duration", kind.Jobs,
			`{metadata: {name: x}, status: {completionTime: "2026-01-01T00:00:05Z"}}`, ``},
		{"a Job whose start is the zero time", "kube_job_duration", kind.Jobs,
			`{metadata: {name: x}, status: {startTime: "0001-01-01T00:00:00Z", completionTime: "2026-01-01T00:00:05Z"}}`, ``},
		{"a metric of another type than its source", "kube_horizontalpodautoscaler_spec_target_metric", kind.HorizontalPodAutoscalers,
			`{metadata: {name: x}, spec: {metrics: [{type: Other, pods: {metric: {name: m}, target: {type: Value, value: "1"}}}]}}`, ``},
		{"a current metric of another type than its source", "kube_horizontalpodautoscaler_status_target_metric", kind.HorizontalPodAutoscalers,
			`{metadata: {name: x}, status: {currentMetrics: [{type: Other, pods: {metric: {name: m}, current: {value: "1"}}}]}}`, ``},
	} {
		table, err := c.table.Plan(kind.Options{Keep: func(d *metric.Desc) bool { return d.Name == c.family }})
		if err != nil {
			t.Fatal(err)
		}
		if len(table.Schema().Families) != 1 {
			t.Fatalf("%s: no family %s", c.what, c.family)
		}
		w := exposition.NewWriter(table.Schema())
		if err := table.Collect(kindtest.Decode(t, c.table, []byte(c.object)), metric.NewEmitter(w)); err != nil && c.want != "" {
			t.Errorf("%s: %v", c.what, err)
		}
		var got []string
		for line := range strings.Lines(string(w.Lines(0))) {
			_, rest, _ := strings.Cut(line, `"x"`)
			got = append(got, strings.TrimPrefix(strings.TrimSpace(rest), `,uid=""`))
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
	}
}
