package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/quantity"
	"github.com/kubestate/kubestate/metric"
)

type resourceQuota = corev1.ResourceQuota

var quotaType = label("type", "what the value is: hard (the limit) or used")

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
			labels{quotaItem, quotaType},
			func(q *resourceQuota, e *metric.Emitter) {
				quotaSeries(q.Status.Hard, "hard", e)
				quotaSeries(q.Status.Used, "used", e)
			}),
		annotationsOf("kube_resourcequota_annotations", alpha, "ResourceQuota annotations selected by --metric-annotations-allowlist.",
			func(q *resourceQuota) map[string]string { return q.Annotations }),
		labelsOf("kube_resourcequota_labels", stable, "ResourceQuota labels selected by --metric-labels-allowlist.",
			func(q *resourceQuota) map[string]string { return q.Labels }),
		beyond(each("kube_resourcequota_requests", alpha, "Limit and use of what containers request, however the quota spells it (cpu is requests.cpu), in cores or bytes.",
			labels{label("resource", "name of the resource: cpu, memory or ephemeral-storage"), quotaType},
			func(q *resourceQuota, e *metric.Emitter) {
				quotaRequests(q.Status.Hard, "hard", e)
				quotaRequests(q.Status.Used, "used", e)
			})),
		beyond(each("kube_resourcequota_hugepages", alpha, "Limit and use of the huge pages that containers request, in pages.",
			labels{label("size", "size of such a page, as in the name of the resource (2Mi)"), quotaType},
			func(q *resourceQuota, e *metric.Emitter) {
				quotaHugePages(q.Status.Hard, "hard", e)
				quotaHugePages(q.Status.Used, "used", e)
			})),
	},
})

func quotaSeries(list corev1.ResourceList, of string, e *metric.Emitter) {
	for _, name := range metric.SortedKeys(e, list) {
		addQuantity(list[corev1.ResourceName(name)], fractional, e, name, of)
	}
}

// requestNames maps resources whose requests a quota can limit to the longer name of the
// same limit. A quota may have both.
var requestNames = [...]struct{ name, longer corev1.ResourceName }{
	{corev1.ResourceCPU, corev1.ResourceRequestsCPU},
	{corev1.ResourceMemory, corev1.ResourceRequestsMemory},
	{corev1.ResourceEphemeralStorage, corev1.ResourceRequestsEphemeralStorage},
}

func quotaRequests(list corev1.ResourceList, of string, e *metric.Emitter) {
	for _, r := range requestNames {
		q, ok := list[r.longer]
		if !ok {
			q, ok = list[r.name]
		}
		if ok {
			addQuantity(q, fractional, e, string(r.name), of)
		}
	}
}

// addPages emits an amount as a number of huge pages of a size.
func addPages(q apiresource.Quantity, size, of string, e *metric.Emitter) {
	if !quantity.Bounded(size) {
		e.Reject(errQuantity)
		return
	}
	page, err := apiresource.ParseQuantity(size)
	if err == nil && page.Sign() > 0 && bounded(page, e) && bounded(q, e) {
		e.Add(whole(q)/whole(page), size, of)
	}
}

// quotaHugePages skips resources whose name contains no size.
func quotaHugePages(list corev1.ResourceList, of string, e *metric.Emitter) {
	for _, name := range metric.SortedKeys(e, list) {
		size, longer := strings.CutPrefix(name, corev1.ResourceRequestsHugePagesPrefix)
		if !longer {
			var ok bool
			if size, ok = strings.CutPrefix(name, corev1.ResourceHugePagesPrefix); !ok {
				continue
			}
			if _, ok = list[corev1.ResourceName(e.Concat(corev1.ResourceRequestsHugePagesPrefix, size))]; ok {
				continue
			}
		}
		addPages(list[corev1.ResourceName(name)], size, of, e)
	}
}
