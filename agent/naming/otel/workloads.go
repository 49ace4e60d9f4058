package otel

import (
	"github.com/kubestate/kubestate/agent/naming"
)

// workloadRules returns the rules for workloads.
func workloadRules() []naming.Rule {
	return []naming.Rule{
		upDown("k8s.deployment.pod.desired", "{pod}", "kube_deployment_spec_replicas", "Pods that the Deployment asks for."),
		upDown("k8s.deployment.pod.available", "{pod}", "kube_deployment_status_replicas_available",
			"Pods of the Deployment that have been ready for spec.minReadySeconds."),
		upDown("k8s.replicaset.pod.desired", "{pod}", "kube_replicaset_spec_replicas", "Pods that the ReplicaSet asks for."),
		upDown("k8s.replicaset.pod.available", "{pod}", "kube_replicaset_status_available_replicas",
			"Pods of the ReplicaSet that have been ready for spec.minReadySeconds."),
		upDown("k8s.replicationcontroller.pod.desired", "{pod}", "kube_replicationcontroller_spec_replicas",
			"Pods that the ReplicationController asks for."),
		upDown("k8s.replicationcontroller.pod.available", "{pod}", "kube_replicationcontroller_status_available_replicas",
			"Pods of the ReplicationController that have been ready for spec.minReadySeconds."),
		upDown("k8s.statefulset.pod.desired", "{pod}", "kube_statefulset_replicas", "Pods that the StatefulSet asks for."),
		upDown("k8s.statefulset.pod.ready", "{pod}", "kube_statefulset_status_replicas_ready", "Pods of the StatefulSet that are ready."),
		upDown("k8s.statefulset.pod.current", "{pod}", "kube_statefulset_status_replicas_current",
			"Pods of the StatefulSet that are of its current revision."),
		upDown("k8s.statefulset.pod.updated", "{pod}", "kube_statefulset_status_replicas_updated",
			"Pods of the StatefulSet that are of its update revision."),
		upDown("k8s.daemonset.node.current_scheduled", "{node}", "kube_daemonset_status_current_number_scheduled",
			"Nodes that have a Pod of the DaemonSet, as they should."),
		upDown("k8s.daemonset.node.desired_scheduled", "{node}", "kube_daemonset_status_desired_number_scheduled",
			"Nodes that should have a Pod of the DaemonSet."),
		upDown("k8s.daemonset.node.misscheduled", "{node}", "kube_daemonset_status_number_misscheduled",
			"Nodes that have a Pod of the DaemonSet but should not."),
		upDown("k8s.daemonset.node.ready", "{node}", "kube_daemonset_status_number_ready", "Nodes whose Pod of the DaemonSet is ready."),
		upDown("k8s.job.pod.active", "{pod}", "kube_job_status_active", "Pods of the Job that are pending or run."),
		upDown("k8s.job.pod.failed", "{pod}", "kube_job_status_failed_pods", "Pods of the Job that have failed."),
		upDown("k8s.job.pod.successful", "{pod}", "kube_job_status_succeeded", "Pods of the Job that have succeeded."),
		upDown("k8s.job.pod.desired_successful", "{pod}", "kube_job_spec_completions", "Pods that must succeed for the Job to be complete."),
		upDown("k8s.job.pod.max_parallel", "{pod}", "kube_job_spec_parallelism", "Pods of the Job that may run at the same time."),
		upDown("k8s.cronjob.job.active", "{job}", "kube_cronjob_status_active", "Jobs of the CronJob that run."),
	}
}

// autoscalerRules returns the rules for HorizontalPodAutoscalers.
func autoscalerRules() []naming.Rule {
	return []naming.Rule{
		upDown("k8s.hpa.pod.desired", "{pod}", "kube_horizontalpodautoscaler_status_desired_replicas",
			"Pods that the HorizontalPodAutoscaler last found right."),
		upDown("k8s.hpa.pod.current", "{pod}", "kube_horizontalpodautoscaler_status_current_replicas",
			"Pods that the HorizontalPodAutoscaler last saw."),
		upDown("k8s.hpa.pod.max", "{pod}", "kube_horizontalpodautoscaler_spec_max_replicas", "Pods that there may be at most."),
		upDown("k8s.hpa.pod.min", "{pod}", "kube_horizontalpodautoscaler_spec_min_replicas", "Pods that there must be at least."),
		cpuTarget("k8s.hpa.metric.target.cpu.value", "value", "{cpu}", "CPU that all Pods together should take, in cores."),
		cpuTarget("k8s.hpa.metric.target.cpu.average_value", "average", "{cpu}", "CPU that a Pod should take on average, in cores."),
		cpuTarget("k8s.hpa.metric.target.cpu.average_utilization", "utilization", "1",
			"CPU that a Pod should take on average, in percent of what it requests."),
	}
}

func cpuTarget(metric, target, unit, help string) naming.Rule {
	r := naming.Rule{Family: "kube_horizontalpodautoscaler_spec_target_resource", Metric: metric, Type: naming.Gauge, Unit: unit, Help: help}
	r = where(where(r, "resource", "cpu"), "metric_target_type", target)
	return renamed(r, "metric_type", "k8s.hpa.metric.type")
}
