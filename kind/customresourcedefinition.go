package kind

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type resourceDefinition = apiextensionsv1.CustomResourceDefinition

// CustomResourceDefinitions is the table of apiextensions.k8s.io/v1
// CustomResourceDefinition.
var CustomResourceDefinitions = define(Kind[resourceDefinition]{
	Resource: Resource{
		Group: "apiextensions.k8s.io", Version: "v1", Name: "customresourcedefinitions", Kind: "CustomResourceDefinition", NotDefault: true,
	},
	Identity: labels{label("customresourcedefinition", "name of the CustomResourceDefinition")},
	Reads: []string{
		"spec.{group,names.kind,scope}",
		"spec.versions.{name,served,storage,deprecated}",
		"status.conditions.{type,status}",
	},
	Begin: func(d *resourceDefinition, e *metric.Emitter, s *metric.Schema) { e.Begin(s, d.Name) },
	Rows: []Row[resourceDefinition]{
		beyond(annotationsOf("kube_customresourcedefinition_annotations", alpha, "CustomResourceDefinition annotations selected by --metric-annotations-allowlist.",
			func(d *resourceDefinition) map[string]string { return d.Annotations })),
		beyond(labelsOf("kube_customresourcedefinition_labels", alpha, "CustomResourceDefinition labels selected by --metric-labels-allowlist.",
			func(d *resourceDefinition) map[string]string { return d.Labels })),
		beyond(timestamp("kube_customresourcedefinition_created", alpha, "When the CustomResourceDefinition was created, in Unix seconds.",
			func(d *resourceDefinition) *metav1.Time { return &d.CreationTimestamp })),
		beyond(timestamp("kube_customresourcedefinition_deletion_timestamp", alpha, "When the deletion of the CustomResourceDefinition was asked for, in Unix seconds.",
			func(d *resourceDefinition) *metav1.Time { return d.DeletionTimestamp })),
		beyond(each("kube_customresourcedefinition_info", alpha, "Which custom resource the CustomResourceDefinition defines; always 1.", labels{
			label("customresource_group", "API group of the custom resource"),
			label("customresource_kind", "kind of the custom resource"),
			label("scope", "whether the custom resource has namespaces: Namespaced or Cluster"),
		}, func(d *resourceDefinition, e *metric.Emitter) {
			e.Add(1, d.Spec.Group, d.Spec.Names.Kind, string(d.Spec.Scope))
		})),
		beyond(each("kube_customresourcedefinition_spec_version_info", alpha, "One series of value 1 per version of the custom resource.", labels{
			label("customresource_version", "name of the version"),
			label("served", "whether the API serves the version: true or false"),
			label("storage", "whether objects are stored in the version: true or false"),
			label("deprecated", "whether the version is deprecated: true or false"),
		}, resourceVersions)),
		beyond(each("kube_customresourcedefinition_status_condition", alpha, "1 for the current status of the condition (true, false or unknown), 0 for the other two.",
			labels{condition, status}, func(d *resourceDefinition, e *metric.Emitter) {
				for i := range d.Status.Conditions {
					c := &d.Status.Conditions[i]
					conditionSeries(string(c.Status), e, string(c.Type))
				}
			})),
	},
})

func resourceVersions(d *resourceDefinition, e *metric.Emitter) {
	for i := range d.Spec.Versions {
		v := &d.Spec.Versions[i]
		e.Add(1, v.Name, metric.Bool(v.Served), metric.Bool(v.Storage), metric.Bool(v.Deprecated))
	}
}
