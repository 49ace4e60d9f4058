package kind

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type podAutoscaler = autoscalingv2.HorizontalPodAutoscaler

var (
	scaleTargetVersion = label("scaletargetref_api_version", "API version of what is scaled; absent if the HorizontalPodAutoscaler does not say it")
	scaleTargetKind    = label("scaletargetref_kind", "kind of what is scaled")
	scaleTargetName    = label("scaletargetref_name", "name of what is scaled")

	targetMetric = labels{
		label("metric_name", "name of the metric or the resource"),
		metricTargetType,
		label("container", "name of the container, if the metric is about one"),
	}
	metricType       = label("metric_type", "whether the metric is about the whole Pod or one container: Resource or ContainerResource")
	metricTargetType = label("metric_target_type", "what the value is: value (in all), average (per Pod) or utilization (percent of the request)")
	metricContainer  = label("container", "name of the container; absent if the metric is about the whole Pod")
)

// HorizontalPodAutoscalers is the table of autoscaling/v2 HorizontalPodAutoscaler.
var HorizontalPodAutoscalers = define(Kind[podAutoscaler]{
	Resource: Resource{Group: "autoscaling", Version: "v2", Name: "horizontalpodautoscalers", Kind: "HorizontalPodAutoscaler", Namespaced: true},
	Identity: labels{namespace, label("horizontalpodautoscaler", "name of the HorizontalPodAutoscaler")},
	Reads: []string{
		"metadata.ownerReferences",
		"spec.{scaleTargetRef,minReplicas,maxReplicas,metrics}",
		"spec.behavior.{scaleDown,scaleUp}.tolerance",
		"status.{currentReplicas,desiredReplicas,currentMetrics}",
		"status.conditions.{type,status}",
	},
	Begin: func(h *podAutoscaler, e *metric.Emitter, s *metric.Schema) { e.Begin(s, h.Namespace, h.Name) },
	Rows: []Row[podAutoscaler]{
		each("kube_horizontalpodautoscaler_info", alpha, "What the HorizontalPodAutoscaler scales; always 1.",
			labels{scaleTargetVersion, scaleTargetKind, scaleTargetName}, scaleTarget),
		gauge("kube_horizontalpodautoscaler_metadata_generation", stable, "Value of metadata.generation; it grows with every change of the spec.",
			func(h *podAutoscaler) int64 { return h.Generation }),
		gauge("kube_horizontalpodautoscaler_spec_max_replicas", stable, "Pods that there may be at most.",
			func(h *podAutoscaler) int32 { return h.Spec.MaxReplicas }),
		gauge("kube_horizontalpodautoscaler_spec_min_replicas", stable, "Pods that there must be at least.",
			func(h *podAutoscaler) int32 { return valueOr(h.Spec.MinReplicas, 1) }),
		each("kube_horizontalpodautoscaler_spec_target_metric", alpha, "Value that a metric should have, of the sort that the label metric_target_type names.",
			targetMetric, wantedMetrics),
		each("kube_horizontalpodautoscaler_spec_behavior_scale_down_tolerance", alpha, "Ratio by which a metric may fall short of its target before Pods are removed.", nil,
			func(h *podAutoscaler, e *metric.Emitter) {
				if b := h.Spec.Behavior; b != nil {
					tolerance(b.ScaleDown, e)
				}
			}),
		each("kube_horizontalpodautoscaler_spec_behavior_scale_up_tolerance", alpha, "Ratio by which a metric may exceed its target before Pods are added.", nil,
			func(h *podAutoscaler, e *metric.Emitter) {
				if b := h.Spec.Behavior; b != nil {
					tolerance(b.ScaleUp, e)
				}
			}),
		each("kube_horizontalpodautoscaler_status_target_metric", stable, "Value that a metric has, of the sort that the label metric_target_type names.",
			targetMetric, currentMetrics),
		gauge("kube_horizontalpodautoscaler_status_current_replicas", stable, "Pods there were when the HorizontalPodAutoscaler last looked.",
			func(h *podAutoscaler) int32 { return h.Status.CurrentReplicas }),
		gauge("kube_horizontalpodautoscaler_status_desired_replicas", stable, "Replica count last computed by the autoscaler.",
			func(h *podAutoscaler) int32 { return h.Status.DesiredReplicas }),
		annotationsOf("kube_horizontalpodautoscaler_annotations", alpha, "HorizontalPodAutoscaler annotations selected by --metric-annotations-allowlist.",
			func(h *podAutoscaler) map[string]string { return h.Annotations }),
		labelsOf("kube_horizontalpodautoscaler_labels", stable, "HorizontalPodAutoscaler labels selected by --metric-labels-allowlist.",
			func(h *podAutoscaler) map[string]string { return h.Labels }),
		each("kube_horizontalpodautoscaler_status_condition", stable, "1 for the current status of the condition (true, false or unknown), 0 for the other two.", labels{condition, status},
			func(h *podAutoscaler, e *metric.Emitter) {
				for i := range h.Status.Conditions {
					c := &h.Status.Conditions[i]
					conditionSeries(string(c.Status), e, string(c.Type))
				}
			}),
		timestamp("kube_horizontalpodautoscaler_created", alpha, "When the HorizontalPodAutoscaler was created, in Unix seconds.",
			func(h *podAutoscaler) *metav1.Time { return &h.CreationTimestamp }),
		timestamp("kube_horizontalpodautoscaler_deletion_timestamp", alpha, "When the deletion of the HorizontalPodAutoscaler was asked for, in Unix seconds.",
			func(h *podAutoscaler) *metav1.Time { return h.DeletionTimestamp }),
		beyond(each("kube_horizontalpodautoscaler_ownerref", alpha, "First owner of the HorizontalPodAutoscaler; always 1.", labels{
			label("ownerref_kind", "kind of the owner, in lower case"),
			label("ownerref_name", "name of the owner"),
		}, func(h *podAutoscaler, e *metric.Emitter) {
			if len(h.OwnerReferences) > 0 {
				e.Add(1, e.Lower(h.OwnerReferences[0].Kind), h.OwnerReferences[0].Name)
			}
		})),
		beyond(each("kube_horizontalpodautoscaler_spec_target_resource", alpha, "Value that the use of a resource should have, of the sort that the label metric_target_type names.",
			labels{metricType, quotaItem, metricTargetType, metricContainer}, wantedResources)),
	},
})

func scaleTarget(h *podAutoscaler, e *metric.Emitter) {
	ref := &h.Spec.ScaleTargetRef
	if ref.APIVersion != "" {
		e.Label(scaleTargetVersion.Name, ref.APIVersion)
	}
	e.Label(scaleTargetKind.Name, ref.Kind)
	e.Label(scaleTargetName.Name, ref.Name)
	e.AddLabeled(1)
}

func tolerance(r *autoscalingv2.HPAScalingRules, e *metric.Emitter) {
	if r != nil && r.Tolerance != nil && bounded(*r.Tolerance, e) {
		e.Add(r.Tolerance.AsApproximateFloat64())
	}
}

// wantedMetrics omits metrics without the fields of their type.
func wantedMetrics(h *podAutoscaler, e *metric.Emitter) {
	for i := range h.Spec.Metrics {
		m := &h.Spec.Metrics[i]
		var name, container string
		var t *autoscalingv2.MetricTarget
		switch {
		case m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil:
			name, t = m.Object.Metric.Name, &m.Object.Target
		case m.Type == autoscalingv2.PodsMetricSourceType && m.Pods != nil:
			name, t = m.Pods.Metric.Name, &m.Pods.Target
		case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
			name, t = string(m.Resource.Name), &m.Resource.Target
		case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
			name, container, t = string(m.ContainerResource.Name), m.ContainerResource.Container, &m.ContainerResource.Target
		case m.Type == autoscalingv2.ExternalMetricSourceType && m.External != nil:
			name, t = m.External.Metric.Name, &m.External.Target
		default:
			continue
		}
		metricValues(name, container, t.Value, t.AverageValue, t.AverageUtilization, e)
	}
}

// currentMetrics omits metrics without the fields of their type.
func currentMetrics(h *podAutoscaler, e *metric.Emitter) {
	for i := range h.Status.CurrentMetrics {
		m := &h.Status.CurrentMetrics[i]
		var name, container string
		var c *autoscalingv2.MetricValueStatus
		switch {
		case m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil:
			name, c = m.Object.Metric.Name, &m.Object.Current
		case m.Type == autoscalingv2.PodsMetricSourceType && m.Pods != nil:
			name, c = m.Pods.Metric.Name, &m.Pods.Current
		case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
			name, c = string(m.Resource.Name), &m.Resource.Current
		case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
			name, container, c = string(m.ContainerResource.Name), m.ContainerResource.Container, &m.ContainerResource.Current
		case m.Type == autoscalingv2.ExternalMetricSourceType && m.External != nil:
			name, c = m.External.Metric.Name, &m.External.Current
		default:
			continue
		}
		metricValues(name, container, c.Value, c.AverageValue, c.AverageUtilization, e)
	}
}

// metricValues emits one sample for each value that is set in a metric.
func metricValues(name, container string, value, average *apiresource.Quantity, utilization *int32, e *metric.Emitter) {
	if value != nil {
		addQuantity(*value, fractional, e, name, "value", container)
	}
	if average != nil {
		addQuantity(*average, fractional, e, name, "average", container)
	}
	if utilization != nil {
		e.Add(float64(*utilization), name, "utilization", container)
	}
}

// wantedResources omits metrics without the fields of their type.
func wantedResources(h *podAutoscaler, e *metric.Emitter) {
	for i := range h.Spec.Metrics {
		m := &h.Spec.Metrics[i]
		switch {
		case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
			resourceTarget(m.Type, string(m.Resource.Name), "", &m.Resource.Target, e)
		case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
			resourceTarget(m.Type, string(m.ContainerResource.Name), m.ContainerResource.Container, &m.ContainerResource.Target, e)
		}
	}
}

// resourceTarget emits one sample for each value that is set in a target.
func resourceTarget(t autoscalingv2.MetricSourceType, resource, container string, target *autoscalingv2.MetricTarget, e *metric.Emitter) {
	add := func(v float64, targetType string) {
		e.Label(metricType.Name, string(t))
		e.Label(quotaItem.Name, resource)
		e.Label(metricTargetType.Name, targetType)
		if container != "" {
			e.Label(metricContainer.Name, container)
		}
		e.AddLabeled(v)
	}
	if q := target.Value; q != nil && bounded(*q, e) {
		add(fractional(*q), "value")
	}
	if q := target.AverageValue; q != nil && bounded(*q, e) {
		add(fractional(*q), "average")
	}
	if u := target.AverageUtilization; u != nil {
		add(float64(*u), "utilization")
	}
}
