package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type mutatingPolicyBinding = admissionv1.MutatingAdmissionPolicyBinding

// MutatingAdmissionPolicyBindings is the table of
// admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding.
var MutatingAdmissionPolicyBindings = define(Kind[mutatingPolicyBinding]{
	Resource: Resource{Group: "admissionregistration.k8s.io", Version: "v1", Name: "mutatingadmissionpolicybindings", Kind: "MutatingAdmissionPolicyBinding"},
	Identity: labels{noNamespace, label("mutatingadmissionpolicybinding", "name of the MutatingAdmissionPolicyBinding")},
	Reads:    []string{"spec.{policyName,paramRef}"},
	Begin: func(b *mutatingPolicyBinding, e *metric.Emitter, s *metric.Schema) {
		e.Begin(s, b.Namespace, b.Name)
	},
	Rows: []Row[mutatingPolicyBinding]{
		each("kube_mutatingadmissionpolicybinding_info", alpha, "Policy that is put into force, and its parameters; always 1.", policyBindingLabels,
			func(b *mutatingPolicyBinding, e *metric.Emitter) {
				policyBinding(b.Spec.PolicyName, b.Spec.ParamRef, e)
			}),
		timestamp("kube_mutatingadmissionpolicybinding_created", alpha, "When the MutatingAdmissionPolicyBinding was created, in Unix seconds.",
			func(b *mutatingPolicyBinding) *metav1.Time { return &b.CreationTimestamp }),
	},
})
