package kind

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

// configMap is a ConfigMap without its data. No row reads the data, so decoding skips it.
type configMap = metav1.PartialObjectMetadata

// ConfigMaps is the table of v1 ConfigMap.
var ConfigMaps = define(Kind[configMap]{
	Resource: Resource{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
	Identity: labels{namespace, label("configmap", "name of the ConfigMap")},
	Reads:    []string{},
	Begin:    func(c *configMap, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Namespace, c.Name) },
	Rows: []Row[configMap]{
		annotationsOf("kube_configmap_annotations", alpha, "ConfigMap annotations selected by --metric-annotations-allowlist.",
			func(c *configMap) map[string]string { return c.Annotations }),
		labelsOf("kube_configmap_labels", stable, "ConfigMap labels selected by --metric-labels-allowlist.",
			func(c *configMap) map[string]string { return c.Labels }),
		exists[configMap]("kube_configmap_info", stable, "One series per ConfigMap; always 1."),
		timestamp("kube_configmap_created", stable, "When the ConfigMap was created, in Unix seconds.",
			func(c *configMap) *metav1.Time { return &c.CreationTimestamp }),
		resourceVersion("kube_configmap_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the ConfigMap.",
			func(c *configMap) string { return c.ResourceVersion }),
	},
})
