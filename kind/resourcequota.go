package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type resourceQuota = corev1.ResourceQuota

// ResourceQuotas is the table of v1 ResourceQuota.
var ResourceQuotas = define(Kind[resourceQuota]{
	Resource: Resource{Version: "v1", Name: "resourcequotas", Kind: "ResourceQuota", Namespaced: true},
	Identity: labels{namespace, label("resourcequota", "name of the ResourceQuota")},
	Reads:    []string{"status.{hard,used}"},
	Begin:    func(q *resourceQuota, e *metric.Emitter, s *metric.Schema) { e.Begin(s, q.Namespace, q.Name) },
	Rows: []Row[resourceQuota]{
		timestamp("kube_resourcequota_created", stable, "When the ResourceQuota was created, in Unix seconds.",
			func(q *resourceQuota) *metav1.Time { return &q.CreationTimestamp }),
		each("kube_resourcequota", stable, "Limit and use of a resource as the quota controller last saw them, in cores, bytes or pieces.",
			labels{quotaItem, label("type", "what the value is: hard (the limit) or used")},
			func(q *resourceQuota, e *metric.Emitter) {
				quotaSeries(q.Status.Hard, "hard", e)
				quotaSeries(q.Status.Used, "used", e)
			}),
		annotationsOf("kube_resourcequota_annotations", alpha, "Those annotations of the ResourceQuota that --metric-annotations-allowlist picks.",
			func(q *resourceQuota) map[string]string { return q.Annotations }),
		labelsOf("kube_resourcequota_labels", stable, "Those labels of the ResourceQuota that --metric-labels-allowlist picks.",
			func(q *resourceQuota) map[string]string { return q.Labels }),
	},
})

func quotaSeries(list corev1.ResourceList, of string, e *metric.Emitter) {
	for _, name := range metric.SortedKeys(e, list) {
		e.Add(fractional(list[corev1.ResourceName(name)]), name, of)
	}
}
