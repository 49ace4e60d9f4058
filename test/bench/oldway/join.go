package oldway

import (
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// join is a tree of the samples of one family: one level per matching label, by value,
// and leaves with the labels to add.
type join struct {
	source     string
	match, get []string
	root       node
}

type node struct {
	children map[string]*node
	labels   []label
}

type label struct{ name, value string }

// standardLabels are labels of an object that are joined to its own series.
func standardLabels(more ...string) []string {
	return append([]string{
		"label_tags_datadoghq_com_env", "label_tags_datadoghq_com_service", "label_tags_datadoghq_com_version",
		"label_app_kubernetes_io_name", "label_app_kubernetes_io_instance", "label_app_kubernetes_io_version",
		"label_app_kubernetes_io_component", "label_app_kubernetes_io_part_of", "label_app_kubernetes_io_managed_by",
		"label_helm_sh_chart",
	}, more...)
}

// defaultJoins are the default joins.
func defaultJoins() []*join {
	remote := []string{"annotation_admission_datadoghq_com_rc_id", "annotation_admission_datadoghq_com_rc_rev"}
	autoscaler := []string{"ownerref_kind", "ownerref_name"}
	return []*join{
		{source: "kube_pod_status_phase", match: in("pod"), get: []string{"phase"}},
		{source: "kube_pod_info", match: in("pod"), get: []string{"node", "created_by_kind", "created_by_name", "priority_class"}},
		{source: "kube_pod_labels", match: in("pod"), get: standardLabels(rolloutLabel)},
		{source: "kube_pod_annotations", match: in("pod"), get: remote},
		{source: "kube_pod_status_reason", match: in("pod"), get: []string{"reason"}},
		{source: "kube_persistentvolume_info", match: []string{"persistentvolume"}, get: []string{"storageclass"}},
		{source: "kube_persistentvolumeclaim_info", match: in("persistentvolumeclaim"), get: []string{"storageclass"}},
		{source: "kube_horizontalpodautoscaler_info", match: in("horizontalpodautoscaler"), get: autoscaler},
		{source: "kube_horizontalpodautoscaler_ownerref", match: in("horizontalpodautoscaler"), get: autoscaler},
		{source: "kube_deployment_labels", match: in("deployment"), get: standardLabels()},
		{source: "kube_deployment_annotations", match: in("deployment"), get: remote},
		{source: "kube_replicaset_labels", match: in("replicaset"), get: standardLabels()},
		{source: "kube_daemonset_labels", match: in("daemonset"), get: standardLabels()},
		{source: "kube_statefulset_labels", match: in("statefulset"), get: standardLabels()},
		{source: "kube_job_labels", match: in("job_name"), get: standardLabels()},
		{source: "kube_cronjob_labels", match: in("cronjob"), get: standardLabels()},
		{source: "kube_node_labels", match: []string{"node"}, get: []string{
			"label_topology_kubernetes_io_region", "label_topology_kubernetes_io_zone",
			"label_failure_domain_beta_kubernetes_io_region", "label_failure_domain_beta_kubernetes_io_zone"}},
		{source: "kube_node_info", match: []string{"node"}, get: []string{
			"container_runtime_version", "kernel_version", "kubelet_version", "os_image"}},
	}
}

// in lists the matching labels of namespaced objects.
func in(object string) []string { return []string{object, "namespace"} }

// buildJoins builds the trees of all joins.
func buildJoins(families map[string]*dto.MetricFamily) []*join {
	joins := defaultJoins()
	for _, j := range joins {
		f, ok := families[j.source]
		if !ok {
			continue
		}
		for _, m := range f.GetMetric() {
			if valueOf(m) == 1 {
				j.insert(m.GetLabel())
			}
		}
	}
	return joins
}

func (j *join) insert(labels []*dto.LabelPair) {
	at := &j.root
	for _, name := range j.match {
		value := labelOf(labels, name)
		if value == "" {
			return
		}
		next := at.children[value]
		if next == nil {
			next = &node{}
			if at.children == nil {
				at.children = map[string]*node{}
			}
			at.children[value] = next
		}
		at = next
	}
	for _, l := range labels {
		if l.GetValue() != "" && slices.Contains(j.get, l.GetName()) {
			at.labels = append(at.labels, label{l.GetName(), l.GetValue()})
		}
	}
}

// lookup returns the labels to add to a series with these labels.
func (j *join) lookup(labels []*dto.LabelPair) []label {
	at := &j.root
	for _, name := range j.match {
		value := labelOf(labels, name)
		if value == "" {
			return nil
		}
		if at = at.children[value]; at == nil {
			return nil
		}
	}
	return at.labels
}
