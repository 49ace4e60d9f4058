package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type secret = corev1.Secret

// Secrets is the table of v1 Secret. No row reads the data, which is not requested from the
// API server, or the annotation in which kubectl keeps a copy of it.
var Secrets = define(Kind[secret]{
	Resource: Resource{Version: "v1", Name: "secrets", Kind: "Secret", Namespaced: true},
	Identity: labels{namespace, label("secret", "name of the Secret")},
	Reads:    []string{"metadata.ownerReferences"},
	Printed:  map[string]string{"type": "Type"},
	Begin:    func(c *secret, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Namespace, c.Name) },
	Rows: []Row[secret]{
		exists[secret]("kube_secret_info", stable, "One series per Secret; always 1."),
		info("kube_secret_type", stable, "What the Secret is for; always 1.",
			label("type", "type of the Secret, such as Opaque or kubernetes.io/tls"),
			func(c *secret) string { return string(c.Type) }).Reading("type"),
		withhold(corev1.LastAppliedConfigAnnotation, annotationsOf("kube_secret_annotations", alpha,
			"Those annotations of the Secret that --metric-annotations-allowlist picks, except the one in which kubectl keeps the data.",
			func(c *secret) map[string]string { return c.Annotations })),
		labelsOf("kube_secret_labels", stable, "Secret labels selected by --metric-labels-allowlist.",
			func(c *secret) map[string]string { return c.Labels }),
		timestamp("kube_secret_created", stable, "When the Secret was created, in Unix seconds.",
			func(c *secret) *metav1.Time { return &c.CreationTimestamp }),
		resourceVersion("kube_secret_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the Secret.",
			func(c *secret) string { return c.ResourceVersion }),
		each("kube_secret_owner", alpha, "One series per owner reference, or one with empty owner labels.", ownerLabels,
			func(c *secret, e *metric.Emitter) { owners(c.OwnerReferences, e) }),
	},
})
