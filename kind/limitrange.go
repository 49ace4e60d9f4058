package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type limitRange = corev1.LimitRange

// LimitRanges is the table of v1 LimitRange.
var LimitRanges = define(Kind[limitRange]{
	Resource: Resource{Version: "v1", Name: "limitranges", Kind: "LimitRange", Namespaced: true},
	Identity: labels{namespace, label("limitrange", "name of the LimitRange")},
	Reads:    []string{"spec.limits"},
	Begin:    func(l *limitRange, e *metric.Emitter, s *metric.Schema) { e.Begin(s, l.Namespace, l.Name) },
	Rows: []Row[limitRange]{
		each("kube_limitrange", stable, "Bound or default of a resource, in cores, bytes or pieces, or the ratio of limit to request.", labels{
			quotaItem,
			label("type", "what the bound applies to: Pod, Container or PersistentVolumeClaim"),
			label("constraint", "what the value is: min, max, default, defaultRequest or maxLimitRequestRatio"),
		}, limits),
		timestamp("kube_limitrange_created", stable, "When the LimitRange was created, in Unix seconds.",
			func(l *limitRange) *metav1.Time { return &l.CreationTimestamp }),
	},
})

func limits(l *limitRange, e *metric.Emitter) {
	for i := range l.Spec.Limits {
		item := &l.Spec.Limits[i]
		of := string(item.Type)
		limitSeries(item.Min, of, "min", e)
		limitSeries(item.Max, of, "max", e)
		limitSeries(item.Default, of, "default", e)
		limitSeries(item.DefaultRequest, of, "defaultRequest", e)
		limitSeries(item.MaxLimitRequestRatio, of, "maxLimitRequestRatio", e)
	}
}

func limitSeries(list corev1.ResourceList, of, constraint string, e *metric.Emitter) {
	for _, name := range metric.SortedKeys(e, list) {
		addQuantity(list[corev1.ResourceName(name)], fractional, e, name, of, constraint)
	}
}
