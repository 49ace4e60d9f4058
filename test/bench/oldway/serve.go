package oldway

import (
	"regexp"
	"strings"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// denied are the families that the check has never generated.
const denied = `^(.*_generation|.*_metadata_resource_version|kube_pod_owner|kube_pod_restart_policy|kube_pod_completion_time|` +
	`kube_pod_status_scheduled_time|kube_cronjob_status_active|kube_node_status_phase|kube_cronjob_spec_starting_deadline_seconds|` +
	`kube_job_spec_completions|kube_job_spec_parallelism|kube_job_status_active|kube_job_status_.*_time|kube_service_spec_external_ip|` +
	`kube_service_status_load_balancer_ingress|kube_statefulset_status_current_revision|kube_statefulset_status_update_revision|` +
	`kube_pod_container_status_last_terminated_reason|kube_lease_renew_time)$`

// extra are the families that the check has beside those of kube-state-metrics.
const extra = `_extended_|_with_owner_tag_|^kube_pod_container_effective_resource_requests$|^kube_job_duration$|` +
	`^kube_horizontalpodautoscaler_ownerref$`

// Config returns what an Exporter must serve for a Check: the families of which
// it makes points, those that it joins, and those that it would throw away. Of
// labels and annotations it serves those that are joined and no others, which is
// less than the check reads.
func Config() kubestate.Config {
	deny, add := regexp.MustCompile(denied), regexp.MustCompile(extra)
	return kubestate.Config{
		Keep: func(d *metric.Desc) bool {
			return !deny.MatchString(d.Name) && !createdAndDenied(d.Name) && (!d.OptIn || add.MatchString(d.Name))
		},
		Labels:      labelsToServe(),
		Annotations: map[string][]string{"pods": remoteConfig(), "deployments": remoteConfig()},
	}
}

// createdAndDenied: of most resources it does not matter when they came to be.
func createdAndDenied(family string) bool {
	object, isCreated := strings.CutSuffix(family, "_created")
	switch object {
	case "kube_pod", "kube_node", "kube_resourceclaim":
		return false
	}
	return isCreated
}

func remoteConfig() []string {
	return []string{"admission.datadoghq.com/rc.id", "admission.datadoghq.com/rc.rev"}
}

// labelsToServe are the labels that joins get, by resource. Families by which
// objects are counted must have a label, as they have no samples else.
func labelsToServe() map[string][]string {
	standard := []string{
		"tags.datadoghq.com/env", "tags.datadoghq.com/service", "tags.datadoghq.com/version",
		"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/component",
		"app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "helm.sh/chart",
	}
	labels := map[string][]string{}
	for _, t := range kind.All() {
		switch t.Name {
		case "pods":
			labels[t.Name] = append([]string{"rollouts-pod-template-hash"}, standard...)
		case "nodes":
			labels[t.Name] = []string{"topology.kubernetes.io/region", "topology.kubernetes.io/zone",
				"failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone"}
		case "deployments", "replicasets", "daemonsets", "statefulsets", "jobs", "cronjobs":
			labels[t.Name] = standard
		default:
			for _, d := range t.Schema().Families {
				if countedByLabels()[d.Name] != "" {
					labels[t.Name] = standard[3:4]
				}
			}
		}
	}
	return labels
}
