package apiserver_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// rows returns the cells that a client like kubectl gets for a path.
func rows(t *testing.T, store *apiserver.Store, path string) []string {
	t.Helper()
	_, _, body := ask(t, apiserver.New(store, apiserver.Config{}), http.MethodGet, path, asTable)
	var rows []string
	for _, row := range decodeTable(t, body).Rows {
		rows = append(rows, fmt.Sprint(row.Cells))
	}
	return rows
}

// The targets of an autoscaler are shown for every type of metric, with and without a
// current value.
func TestTableOfAutoscalers(t *testing.T) {
	ten, forty, percent := resource.MustParse("10"), resource.MustParse("40m"), int32(80)
	value := autoscalingv2.MetricTarget{Value: &ten}
	average := autoscalingv2.MetricTarget{AverageValue: &forty}
	tests := []struct {
		spec    autoscalingv2.MetricSpec
		current autoscalingv2.MetricStatus
		want    string
	}{
		{autoscalingv2.MetricSpec{Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu", Target: autoscalingv2.MetricTarget{AverageUtilization: &percent}}},
			autoscalingv2.MetricStatus{Resource: &autoscalingv2.ResourceMetricStatus{Current: autoscalingv2.MetricValueStatus{AverageUtilization: &percent}}}, "cpu: 80%/80%"},
		{autoscalingv2.MetricSpec{Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu"}}, autoscalingv2.MetricStatus{}, "cpu: <unknown>/<auto>"},
		{autoscalingv2.MetricSpec{ContainerResource: &autoscalingv2.ContainerResourceMetricSource{Name: "memory", Target: average}},
			autoscalingv2.MetricStatus{ContainerResource: &autoscalingv2.ContainerResourceMetricStatus{Current: autoscalingv2.MetricValueStatus{AverageValue: &ten}}}, "memory: 10/40m"},
		{autoscalingv2.MetricSpec{Pods: &autoscalingv2.PodsMetricSource{Target: average}},
			autoscalingv2.MetricStatus{Pods: &autoscalingv2.PodsMetricStatus{Current: autoscalingv2.MetricValueStatus{AverageValue: &ten}}}, "10/40m"},
		{autoscalingv2.MetricSpec{Object: &autoscalingv2.ObjectMetricSource{Target: value}}, autoscalingv2.MetricStatus{}, "<unknown>/10"},
		{autoscalingv2.MetricSpec{Object: &autoscalingv2.ObjectMetricSource{Target: average}},
			autoscalingv2.MetricStatus{Object: &autoscalingv2.ObjectMetricStatus{Current: autoscalingv2.MetricValueStatus{AverageValue: &ten}}}, "10/40m (avg)"},
		{autoscalingv2.MetricSpec{External: &autoscalingv2.ExternalMetricSource{Target: value}},
			autoscalingv2.MetricStatus{External: &autoscalingv2.ExternalMetricStatus{Current: autoscalingv2.MetricValueStatus{Value: &forty}}}, "40m/10"},
		{autoscalingv2.MetricSpec{}, autoscalingv2.MetricStatus{}, "<unknown type>"},
	}
	for i, test := range tests {
		store := emptyStore(t)
		o := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
		o.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "web"}
		o.Spec.MaxReplicas = 3
		o.Spec.Metrics = []autoscalingv2.MetricSpec{test.spec}
		o.Status.CurrentMetrics = []autoscalingv2.MetricStatus{test.current}
		put(t, store, o)
		want := "[[web Deployment/web " + test.want + " <unset> 3 0 <unknown>]]"
		if got := fmt.Sprint(rows(t, store, "/apis/autoscaling/v2/horizontalpodautoscalers")); got != want {
			t.Errorf("metric %d: got %s, want %s", i, got, want)
		}
	}
}

func TestTableOfEvents(t *testing.T) {
	store := emptyStore(t)
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web-0.1"}, Type: "Warning", Reason: "BackOff", Message: "restarting\n", Count: 4}
	e.InvolvedObject = corev1.ObjectReference{Kind: "Pod", Name: "web-0", FieldPath: "spec.containers{web}"}
	e.Source = corev1.EventSource{Component: "kubelet", Host: "node-1"}
	e.LastTimestamp = metav1.NewTime(time.Now().Add(-49 * time.Hour))
	put(t, store, e)
	want := "[[2d1h Warning BackOff pod/web-0 spec.containers{web} kubelet, node-1 restarting <unknown> 4 web-0.1]]"
	if got := fmt.Sprint(rows(t, store, "/api/v1/namespaces/ns/events?fieldSelector=metadata.namespace%3Dns")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
