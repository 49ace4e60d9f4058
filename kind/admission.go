package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/kubestate/kubestate/metric"
)

// noNamespace is an identity label of the admission resources, although they are
// cluster-scoped, as in kube-state-metrics.
var noNamespace = label("namespace", "always empty, because the resource has no namespaces")

// Labels shared by two of those resources.
var (
	paramAPIVersion = label("param_api_version", "API group and version of the objects that the policy takes as parameters; empty if it takes none")
	paramKind       = label("param_kind", "kind of the objects that the policy takes as parameters; empty if it takes none")
	failurePolicy   = label("failure_policy", "what becomes of a request if the policy cannot be evaluated: Fail or Ignore")

	policyBindingLabels = labels{
		label("policy_name", "name of the policy"),
		label("param_name", "name of the object with the parameters; empty if there is none or labels select it"),
		label("param_namespace", "namespace of the object with the parameters; empty if there is none or it is that of the request"),
		label("param_not_found_action", "what becomes of a request if there are no parameters: Allow or Deny"),
	}
	webhookLabels = labels{
		label("webhook_name", "name of the webhook"),
		label("service_name", "name of the Service that is called; empty if it is a URL"),
		label("service_namespace", "namespace of the Service that is called; empty if it is a URL"),
	}
)

// policyBinding emits one sample with policyBindingLabels.
func policyBinding(policy string, ref *admissionv1.ParamRef, e *metric.Emitter) {
	r := valueOr(ref, admissionv1.ParamRef{})
	e.Add(1, policy, r.Name, r.Namespace, string(valueOr(r.ParameterNotFoundAction, "")))
}

// webhookService emits one sample with webhookLabels.
func webhookService(name string, c *admissionv1.WebhookClientConfig, e *metric.Emitter) {
	s := valueOr(c.Service, admissionv1.ServiceReference{})
	e.Add(1, name, s.Name, s.Namespace)
}
