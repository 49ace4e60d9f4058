package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type validatingPolicy = admissionv1.ValidatingAdmissionPolicy

// ValidatingAdmissionPolicies is the table of admissionregistration.k8s.io/v1
// ValidatingAdmissionPolicy.
var ValidatingAdmissionPolicies = define(Kind[validatingPolicy]{
	Resource: Resource{Group: "admissionregistration.k8s.io", Version: "v1", Name: "validatingadmissionpolicies", Kind: "ValidatingAdmissionPolicy"},
	Identity: labels{noNamespace, label("validatingadmissionpolicy", "name of the ValidatingAdmissionPolicy")},
	Reads:    []string{"spec.{paramKind,failurePolicy}"},
	Begin:    func(p *validatingPolicy, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Namespace, p.Name) },
	Rows: []Row[validatingPolicy]{
		each("kube_validatingadmissionpolicy_info", alpha, "Parameters of the ValidatingAdmissionPolicy and how it fails; always 1.", labels{paramAPIVersion, paramKind, failurePolicy},
			func(p *validatingPolicy, e *metric.Emitter) {
				param := valueOr(p.Spec.ParamKind, admissionv1.ParamKind{})
				e.Add(1, param.APIVersion, param.Kind, string(valueOr(p.Spec.FailurePolicy, "")))
			}),
		timestamp("kube_validatingadmissionpolicy_created", alpha, "When the ValidatingAdmissionPolicy was created, in Unix seconds.",
			func(p *validatingPolicy) *metav1.Time { return &p.CreationTimestamp }),
	},
})
