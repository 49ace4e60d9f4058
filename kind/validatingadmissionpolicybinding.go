package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type validatingPolicyBinding = admissionv1.ValidatingAdmissionPolicyBinding

// ValidatingAdmissionPolicyBindings is the table of
// admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding.
var ValidatingAdmissionPolicyBindings = define(Kind[validatingPolicyBinding]{
	Resource: Resource{Group: "admissionregistration.k8s.io", Version: "v1", Name: "validatingadmissionpolicybindings", Kind: "ValidatingAdmissionPolicyBinding"},
	Identity: labels{noNamespace, label("validatingadmissionpolicybinding", "name of the ValidatingAdmissionPolicyBinding")},
	Reads:    []string{"spec.{policyName,paramRef,validationActions}"},
	Begin: func(b *validatingPolicyBinding, e *metric.Emitter, s *metric.Schema) {
		e.Begin(s, b.Namespace, b.Name)
	},
	Rows: []Row[validatingPolicyBinding]{
		each("kube_validatingadmissionpolicybinding_info", alpha, "Policy that is put into force, and its parameters; always 1.", policyBindingLabels,
			func(b *validatingPolicyBinding, e *metric.Emitter) {
				policyBinding(b.Spec.PolicyName, b.Spec.ParamRef, e)
			}),
		timestamp("kube_validatingadmissionpolicybinding_created", alpha, "When the ValidatingAdmissionPolicyBinding was created, in Unix seconds.",
			func(b *validatingPolicyBinding) *metav1.Time { return &b.CreationTimestamp }),
		each("kube_validatingadmissionpolicybinding_validation_action", alpha, "One series of value 1 per action taken where the policy is violated.",
			labels{label("action", "the action: Deny, Warn or Audit")},
			func(b *validatingPolicyBinding, e *metric.Emitter) {
				for _, action := range b.Spec.ValidationActions {
					e.Add(1, string(action))
				}
			}),
	},
})
