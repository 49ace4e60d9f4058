package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type validatingWebhooks = admissionv1.ValidatingWebhookConfiguration

// ValidatingWebhookConfigurations is the table of admissionregistration.k8s.io/v1
// ValidatingWebhookConfiguration.
var ValidatingWebhookConfigurations = define(Kind[validatingWebhooks]{
	Resource: Resource{Group: "admissionregistration.k8s.io", Version: "v1", Name: "validatingwebhookconfigurations", Kind: "ValidatingWebhookConfiguration"},
	Identity: labels{noNamespace, label("validatingwebhookconfiguration", "name of the ValidatingWebhookConfiguration")},
	Reads:    []string{"webhooks.{name,clientConfig.service.{namespace,name}}"},
	Begin:    func(w *validatingWebhooks, e *metric.Emitter, s *metric.Schema) { e.Begin(s, w.Namespace, w.Name) },
	Rows: []Row[validatingWebhooks]{
		exists[validatingWebhooks]("kube_validatingwebhookconfiguration_info", alpha, "One series per ValidatingWebhookConfiguration; always 1."),
		timestamp("kube_validatingwebhookconfiguration_created", alpha, "When the ValidatingWebhookConfiguration was created, in Unix seconds.",
			func(w *validatingWebhooks) *metav1.Time { return &w.CreationTimestamp }),
		resourceVersion("kube_validatingwebhookconfiguration_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the ValidatingWebhookConfiguration.",
			func(w *validatingWebhooks) string { return w.ResourceVersion }),
		each("kube_validatingwebhookconfiguration_webhook_clientconfig_service", alpha, "Service that a webhook calls; one series of value 1 per webhook.", webhookLabels,
			func(w *validatingWebhooks, e *metric.Emitter) {
				for i := range w.Webhooks {
					webhookService(w.Webhooks[i].Name, &w.Webhooks[i].ClientConfig, e)
				}
			}),
	},
})
