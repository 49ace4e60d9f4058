package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type daemonSet = appsv1.DaemonSet

// DaemonSets is the table of apps/v1 DaemonSet.
var DaemonSets = define(Kind[daemonSet]{
	Resource: Resource{Group: "apps", Version: "v1", Name: "daemonsets", Kind: "DaemonSet", Namespaced: true},
	Identity: labels{namespace, label("daemonset", "name of the DaemonSet")},
	Reads:    []string{"status"},
	Begin:    func(d *daemonSet, e *metric.Emitter, s *metric.Schema) { e.Begin(s, d.Namespace, d.Name) },
	Rows: []Row[daemonSet]{
		timestamp("kube_daemonset_created", stable, "When the DaemonSet was created, in Unix seconds.",
			func(d *daemonSet) *metav1.Time { return &d.CreationTimestamp }),
		gauge("kube_daemonset_status_current_number_scheduled", stable, "Nodes that have a Pod of the DaemonSet, as they should.",
			func(d *daemonSet) int32 { return d.Status.CurrentNumberScheduled }),
		gauge("kube_daemonset_status_desired_number_scheduled", stable, "Nodes that should have a Pod of the DaemonSet.",
			func(d *daemonSet) int32 { return d.Status.DesiredNumberScheduled }),
		gauge("kube_daemonset_status_number_available", stable, "Nodes whose Pod of the DaemonSet has been ready for spec.minReadySeconds.",
			func(d *daemonSet) int32 { return d.Status.NumberAvailable }),
		gauge("kube_daemonset_status_number_misscheduled", stable, "Nodes that have a Pod of the DaemonSet but should not.",
			func(d *daemonSet) int32 { return d.Status.NumberMisscheduled }),
		gauge("kube_daemonset_status_number_ready", stable, "Nodes whose Pod of the DaemonSet can take traffic.",
			func(d *daemonSet) int32 { return d.Status.NumberReady }),
		gauge("kube_daemonset_status_number_unavailable", stable, "Nodes that should have a Pod of the DaemonSet and have none that is available.",
			func(d *daemonSet) int32 { return d.Status.NumberUnavailable }),
		gauge("kube_daemonset_status_observed_generation", stable, "Last metadata.generation that the controller acted upon.",
			func(d *daemonSet) int64 { return d.Status.ObservedGeneration }),
		gauge("kube_daemonset_status_updated_number_scheduled", stable, "Nodes whose Pod of the DaemonSet is made from the current template.",
			func(d *daemonSet) int32 { return d.Status.UpdatedNumberScheduled }),
		gauge("kube_daemonset_metadata_generation", stable, "Value of metadata.generation; it grows with every change of the spec.",
			func(d *daemonSet) int64 { return d.Generation }),
		timestamp("kube_daemonset_deletion_timestamp", alpha, "When the deletion of the DaemonSet was asked for, in Unix seconds.",
			func(d *daemonSet) *metav1.Time { return d.DeletionTimestamp }),
		annotationsOf("kube_daemonset_annotations", alpha, "DaemonSet annotations selected by --metric-annotations-allowlist.",
			func(d *daemonSet) map[string]string { return d.Annotations }),
		labelsOf("kube_daemonset_labels", stable, "DaemonSet labels selected by --metric-labels-allowlist.",
			func(d *daemonSet) map[string]string { return d.Labels }),
	},
})
