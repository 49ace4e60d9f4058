package cluster

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Shares of Deployments that are guarded.
const (
	autoscaledShare = 0.25
	budgetShare     = 0.30
)

// guards makes what scales and protects some Deployments.
func (g *generator) guards(d *appsv1.Deployment) error {
	if g.chance(autoscaledShare) {
		if err := g.put(g.autoscaler(d), "helm", "kube-controller-manager", "autoscaling/v2", nil); err != nil {
			return err
		}
	}
	if g.chance(budgetShare) {
		return g.put(g.budget(d), "helm", "kube-controller-manager", "policy/v1", nil)
	}
	return nil
}

func (g *generator) autoscaler(d *appsv1.Deployment) *autoscalingv2.HorizontalPodAutoscaler {
	replicas := *d.Spec.Replicas
	used := int32(20 + g.rand.IntN(60))
	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: g.meta(d.Namespace, d.Name, d.CreationTimestamp, d.Labels),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name},
			MinReplicas:    new(max(1, replicas/2)), MaxReplicas: 2*replicas + 1,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name:   corev1.ResourceCPU,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(70))}}}},
		},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{
			ObservedGeneration: new(int64(1)), LastScaleTime: new(g.age(d.CreationTimestamp, 48*time.Hour)),
			CurrentReplicas: replicas, DesiredReplicas: replicas,
			CurrentMetrics: []autoscalingv2.MetricStatus{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricStatus{
				Name: corev1.ResourceCPU, Current: autoscalingv2.MetricValueStatus{
					AverageUtilization: &used, AverageValue: resource.NewMilliQuantity(int64(used)*5, resource.DecimalSI)}}}},
		},
	}
	for _, condition := range []autoscalingv2.HorizontalPodAutoscalerConditionType{
		autoscalingv2.AbleToScale, autoscalingv2.ScalingActive, autoscalingv2.ScalingLimited} {
		status := corev1.ConditionTrue
		if condition == autoscalingv2.ScalingLimited {
			status = corev1.ConditionFalse
		}
		hpa.Status.Conditions = append(hpa.Status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{
			Type: condition, Status: status, Reason: "DesiredWithinRange", LastTransitionTime: d.CreationTimestamp})
	}
	return hpa
}

func (g *generator) budget(d *appsv1.Deployment) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: g.meta(d.Namespace, d.Name, d.CreationTimestamp, d.Labels),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: selectorOf(d.Name)}},
		Status: policyv1.PodDisruptionBudgetStatus{
			ObservedGeneration: 1, DisruptionsAllowed: max(0, 1-d.Status.UnavailableReplicas),
			CurrentHealthy: d.Status.ReadyReplicas, DesiredHealthy: max(0, d.Status.Replicas-1), ExpectedPods: d.Status.Replicas,
			Conditions: []metav1.Condition{{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionTrue,
				Reason: policyv1.SufficientPodsReason, LastTransitionTime: d.CreationTimestamp, ObservedGeneration: 1}},
		},
	}
}

// tenancy makes what bounds a namespace: a quota, default limits and the rules of
// its network.
func (g *generator) tenancy(namespace *corev1.Namespace) error {
	name, created := namespace.Name, namespace.CreationTimestamp
	hard := corev1.ResourceList{
		corev1.ResourceRequestsCPU: resource.MustParse("400"), corev1.ResourceRequestsMemory: resource.MustParse("1Ti"),
		corev1.ResourcePods: resource.MustParse("1000")}
	quota := &corev1.ResourceQuota{
		ObjectMeta: g.meta(name, "compute", created, nil),
		Spec:       corev1.ResourceQuotaSpec{Hard: hard},
		Status: corev1.ResourceQuotaStatus{Hard: hard, Used: corev1.ResourceList{
			corev1.ResourceRequestsCPU:    *resource.NewMilliQuantity(g.rand.Int64N(400_000), resource.DecimalSI),
			corev1.ResourceRequestsMemory: *resource.NewQuantity(g.rand.Int64N(1<<20)<<20, resource.BinarySI),
			corev1.ResourcePods:           *resource.NewQuantity(g.rand.Int64N(1000), resource.DecimalSI)}},
	}
	limits := &corev1.LimitRange{
		ObjectMeta: g.meta(name, "defaults", created, nil),
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer,
			Default:        corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
			DefaultRequest: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")}}}},
	}
	if err := g.put(quota, "helm", "kube-controller-manager", "v1", nil); err != nil {
		return err
	}
	if err := g.put(limits, "helm", "", "v1", nil); err != nil {
		return err
	}
	for _, rule := range []string{"allow-same-namespace", "default-deny"} {
		policy := &networkingv1.NetworkPolicy{
			ObjectMeta: g.meta(name, rule, created, nil),
			Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
		}
		if rule != "default-deny" {
			policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}}
		}
		if err := g.put(policy, "helm", "", "networking.k8s.io/v1", nil); err != nil {
			return err
		}
	}
	return nil
}
