package kind

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type mutatingWebhooks = admissionv1.MutatingWebhookConfiguration

// MutatingWebhookConfigurations is the table of admissionregistration.k8s.io/v1
// MutatingWebhookConfiguration.
var MutatingWebhookConfigurations = define(Kind[mutatingWebhooks]{
	Resource: Resource{Group: "admissionregistration.k8s.io", Version: "v1", Name: "mutatingwebhookconfigurations", Kind: "MutatingWebhookConfiguration"},
	Identity: labels{noNamespace, label("mutatingwebhookconfiguration", "name of the MutatingWebhookConfiguration")},
	Reads:    []string{"webhooks.{name,clientConfig.service.{namespace,name}}"},
	Begin:    func(w *mutatingWebhooks, e *metric.Emitter, s *metric.Schema) { e.Begin(s, w.Namespace, w.Name) },
	Rows: []Row[mutatingWebhooks]{
		exists[mutatingWebhooks]("kube_mutatingwebhookconfiguration_info", alpha, "One series per MutatingWebhookConfiguration; always 1."),
		timestamp("kube_mutatingwebhookconfiguration_created", alpha, "When the MutatingWebhookConfiguration was created, in Unix seconds.",
			func(w *mutatingWebhooks) *metav1.Time { return &w.CreationTimestamp }),
		resourceVersion("kube_mutatingwebhookconfiguration_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the MutatingWebhookConfiguration.",
			func(w *mutatingWebhooks) string { return w.ResourceVersion }),
		each("kube_mutatingwebhookconfiguration_webhook_clientconfig_service", alpha, "Service that a webhook calls; one series of value 1 per webhook.", webhookLabels,
			func(w *mutatingWebhooks, e *metric.Emitter) {
				for i := range w.Webhooks {
					webhookService(w.Webhooks[i].Name, &w.Webhooks[i].ClientConfig, e)
				}
			}),
	},
})
