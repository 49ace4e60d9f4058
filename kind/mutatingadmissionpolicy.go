package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type mutatingPolicy = admissionv1.MutatingAdmissionPolicy

// MutatingAdmissionPolicies is the table of admissionregistration.k8s.io/v1
// MutatingAdmissionPolicy.
var MutatingAdmissionPolicies = define(Kind[mutatingPolicy]{
	Resource: Resource{Group: "admissionregistration.k8s.io", Version: "v1", Name: "mutatingadmissionpolicies", Kind: "MutatingAdmissionPolicy"},
	Identity: labels{noNamespace, label("mutatingadmissionpolicy", "name of the MutatingAdmissionPolicy")},
	Reads:    []string{"spec.{paramKind,failurePolicy,reinvocationPolicy}"},
	Begin:    func(p *mutatingPolicy, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Namespace, p.Name) },
	Rows: []Row[mutatingPolicy]{
		each("kube_mutatingadmissionpolicy_info", alpha, "Parameters of the MutatingAdmissionPolicy, how it fails and how often it runs; always 1.", labels{
			paramAPIVersion, paramKind, failurePolicy,
			label("reinvocation_policy", "whether the policy runs again after others changed the object: Never or IfNeeded"),
		}, func(p *mutatingPolicy, e *metric.Emitter) {
			param := valueOr(p.Spec.ParamKind, admissionv1.ParamKind{})
			e.Add(1, param.APIVersion, param.Kind, string(valueOr(p.Spec.FailurePolicy, "")), string(p.Spec.ReinvocationPolicy))
		}),
		timestamp("kube_mutatingadmissionpolicy_created", alpha, "When the MutatingAdmissionPolicy was created, in Unix seconds.",
			func(p *mutatingPolicy) *metav1.Time { return &p.CreationTimestamp }),
	},
})
