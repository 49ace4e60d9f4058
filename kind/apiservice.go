package kind

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/kubestate/kubestate/metric"
)

type apiService = apiregistrationv1.APIService

// APIServices is the table of apiregistration.k8s.io/v1 APIService.
var APIServices = define(Kind[apiService]{
	Resource: Resource{Group: "apiregistration.k8s.io", Version: "v1", Name: "apiservices", Kind: "APIService", NotDefault: true},
	Identity: labels{label("apiservice", "name of the APIService")},
	Reads:    []string{"spec.{group,version}", "spec.service.{namespace,name}", "status.conditions.{type,status}"},
	Begin:    func(a *apiService, e *metric.Emitter, s *metric.Schema) { e.Begin(s, a.Name) },
	Rows: []Row[apiService]{
		beyond(annotationsOf("kube_apiservice_annotations", alpha, "APIService annotations selected by --metric-annotations-allowlist.",
			func(a *apiService) map[string]string { return a.Annotations })),
		beyond(labelsOf("kube_apiservice_labels", alpha, "APIService labels selected by --metric-labels-allowlist.",
			func(a *apiService) map[string]string { return a.Labels })),
		beyond(timestamp("kube_apiservice_created", alpha, "When the APIService was created, in Unix seconds.",
			func(a *apiService) *metav1.Time { return &a.CreationTimestamp })),
		beyond(each("kube_apiservice_info", alpha, "Which part of the API the APIService stands for and who serves it; always 1.", labels{
			label("group", "API group that is served"),
			label("version", "version of the API group"),
			label("service_namespace", "namespace of the Service that serves it; empty if the API server itself does"),
			label("service_name", "name of the Service that serves it; empty if the API server itself does"),
		}, apiServiceInfo)),
		beyond(each("kube_apiservice_status_condition", alpha, "1 for the current status of the condition (true, false or unknown), 0 for the other two.",
			labels{condition, status}, func(a *apiService, e *metric.Emitter) {
				for i := range a.Status.Conditions {
					c := &a.Status.Conditions[i]
					conditionSeries(string(c.Status), e, string(c.Type))
				}
			})),
	},
})

func apiServiceInfo(a *apiService, e *metric.Emitter) {
	var namespace, name string
	if s := a.Spec.Service; s != nil {
		namespace, name = s.Namespace, s.Name
	}
	e.Add(1, a.Spec.Group, a.Spec.Version, namespace, name)
}
