package kind

import (
	"errors"
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubestate/kubestate/metric"
)

// VerticalPodAutoscaler has the fields of that custom resource that rows read. Its upstream
// module would add a second copy of client-go.
type VerticalPodAutoscaler struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   VerticalPodAutoscalerSpec   `json:"spec"`
	Status VerticalPodAutoscalerStatus `json:"status"`
}

// VerticalPodAutoscalerSpec is the desired state.
type VerticalPodAutoscalerSpec struct {
	TargetRef    *autoscalingv1.CrossVersionObjectReference `json:"targetRef"`
	UpdatePolicy *struct {
		UpdateMode *string `json:"updateMode"`
	} `json:"updatePolicy"`
	ResourcePolicy *struct {
		ContainerPolicies []ContainerResourcePolicy `json:"containerPolicies"`
	} `json:"resourcePolicy"`
}

// ContainerResourcePolicy bounds the recommendation for a container.
type ContainerResourcePolicy struct {
	ContainerName string              `json:"containerName"`
	MinAllowed    corev1.ResourceList `json:"minAllowed"`
	MaxAllowed    corev1.ResourceList `json:"maxAllowed"`
}

// VerticalPodAutoscalerStatus has the recommendations.
type VerticalPodAutoscalerStatus struct {
	Recommendation *struct {
		ContainerRecommendations []ContainerRecommendation `json:"containerRecommendations"`
	} `json:"recommendation"`
}

// ContainerRecommendation is the recommendation for a container.
type ContainerRecommendation struct {
	ContainerName  string              `json:"containerName"`
	Target         corev1.ResourceList `json:"target"`
	LowerBound     corev1.ResourceList `json:"lowerBound"`
	UpperBound     corev1.ResourceList `json:"upperBound"`
	UncappedTarget corev1.ResourceList `json:"uncappedTarget"`
}

// Unmarshal returns an error: custom resources are served as JSON only.
func (*VerticalPodAutoscaler) Unmarshal([]byte) error {
	return errors.New("a VerticalPodAutoscaler has no protobuf form")
}

// DeepCopyObject implements runtime.Object.
func (v *VerticalPodAutoscaler) DeepCopyObject() runtime.Object {
	c := *v
	v.DeepCopyInto(&c.ObjectMeta)
	c.Spec.TargetRef = copied(v.Spec.TargetRef)
	if c.Spec.UpdatePolicy = copied(v.Spec.UpdatePolicy); c.Spec.UpdatePolicy != nil {
		c.Spec.UpdatePolicy.UpdateMode = copied(v.Spec.UpdatePolicy.UpdateMode)
	}
	if c.Spec.ResourcePolicy = copied(v.Spec.ResourcePolicy); c.Spec.ResourcePolicy != nil {
		policies := slices.Clone(v.Spec.ResourcePolicy.ContainerPolicies)
		for i := range policies {
			p := &policies[i]
			p.MinAllowed, p.MaxAllowed = p.MinAllowed.DeepCopy(), p.MaxAllowed.DeepCopy()
		}
		c.Spec.ResourcePolicy.ContainerPolicies = policies
	}
	if c.Status.Recommendation = copied(v.Status.Recommendation); c.Status.Recommendation != nil {
		recommended := slices.Clone(v.Status.Recommendation.ContainerRecommendations)
		for i := range recommended {
			r := &recommended[i]
			r.Target, r.LowerBound = r.Target.DeepCopy(), r.LowerBound.DeepCopy()
			r.UpperBound, r.UncappedTarget = r.UpperBound.DeepCopy(), r.UncappedTarget.DeepCopy()
		}
		c.Status.Recommendation.ContainerRecommendations = recommended
	}
	return &c
}

// copied returns a pointer to a copy of *p.
func copied[V any](p *V) *V {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

type verticalAutoscaler = VerticalPodAutoscaler

var (
	// updateModes are the modes that always have a sample; any other mode has one while it
	// is set.
	updateModes = []string{"Off", "Initial", "Recreate", "Auto"}

	autoscaledResource = labels{
		container,
		label("resource", "name of the resource, characters outside [a-zA-Z0-9_] as underscores"),
		label("unit", "unit of the value: core or byte"),
	}
)

// VerticalPodAutoscalers is the table of autoscaling.k8s.io/v1
// VerticalPodAutoscaler, a custom resource.
var VerticalPodAutoscalers = define(Kind[verticalAutoscaler]{
	Resource: Resource{
		Group: "autoscaling.k8s.io", Version: "v1", Name: "verticalpodautoscalers", Kind: "VerticalPodAutoscaler", Namespaced: true, NotDefault: true,
	},
	Identity: labels{
		namespace,
		label("verticalpodautoscaler", "name of the VerticalPodAutoscaler"),
		label("target_api_version", "API version of what is scaled; empty if the VerticalPodAutoscaler does not say it"),
		label("target_kind", "kind of what is scaled"),
		label("target_name", "name of what is scaled"),
	},
	Begin: func(v *verticalAutoscaler, e *metric.Emitter, s *metric.Schema) {
		target := valueOr(v.Spec.TargetRef, autoscalingv1.CrossVersionObjectReference{})
		e.Begin(s, v.Namespace, v.Name, target.APIVersion, target.Kind, target.Name)
	},
	Rows: []Row[verticalAutoscaler]{
		beyond(annotationsOf("kube_verticalpodautoscaler_annotations", alpha, "VerticalPodAutoscaler annotations selected by --metric-annotations-allowlist.",
			func(v *verticalAutoscaler) map[string]string { return v.Annotations })),
		beyond(labelsOf("kube_verticalpodautoscaler_labels", alpha, "VerticalPodAutoscaler labels selected by --metric-labels-allowlist.",
			func(v *verticalAutoscaler) map[string]string { return v.Labels })),
		beyond(each("kube_verticalpodautoscaler_spec_updatepolicy_updatemode", alpha, "1 for the mode in which recommendations are applied, 0 for others; absent if none is set.",
			labels{label("update_mode", "Off, Initial, Recreate, Auto, or another mode if that is set")}, updateMode)),
		containerPolicy("kube_verticalpodautoscaler_spec_resourcepolicy_container_policies_minallowed", "Least that may be recommended for a container, in the unit that the label unit names.",
			func(p *ContainerResourcePolicy) corev1.ResourceList { return p.MinAllowed }),
		containerPolicy("kube_verticalpodautoscaler_spec_resourcepolicy_container_policies_maxallowed", "Most that may be recommended for a container, in the unit that the label unit names.",
			func(p *ContainerResourcePolicy) corev1.ResourceList { return p.MaxAllowed }),
		recommendation("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_lowerbound", "Request below which a container would lack something, in the unit that the label unit names.",
			func(r *ContainerRecommendation) corev1.ResourceList { return r.LowerBound }),
		recommendation("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_upperbound", "Request above which a container would waste something, in the unit that the label unit names.",
			func(r *ContainerRecommendation) corev1.ResourceList { return r.UpperBound }),
		recommendation("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_target", "Request that is recommended for a container, in the unit that the label unit names.",
			func(r *ContainerRecommendation) corev1.ResourceList { return r.Target }),
		recommendation("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_uncappedtarget", "Request that would be recommended for a container without a policy, in the unit that the label unit names.",
			func(r *ContainerRecommendation) corev1.ResourceList { return r.UncappedTarget }),
	},
})

func updateMode(v *verticalAutoscaler, e *metric.Emitter) {
	if v.Spec.UpdatePolicy == nil || v.Spec.UpdatePolicy.UpdateMode == nil {
		return
	}
	now := *v.Spec.UpdatePolicy.UpdateMode
	for _, mode := range updateModes {
		e.Add(metric.Float(mode == now), mode)
	}
	if !slices.Contains(updateModes, now) {
		e.Add(1, now)
	}
}

// containerPolicy is a family with a resource list of each container's policy.
func containerPolicy(name, help string, of func(*ContainerResourcePolicy) corev1.ResourceList) Row[verticalAutoscaler] {
	return beyond(each(name, alpha, help, autoscaledResource, func(v *verticalAutoscaler, e *metric.Emitter) {
		if v.Spec.ResourcePolicy == nil {
			return
		}
		policies := v.Spec.ResourcePolicy.ContainerPolicies
		for i := range policies {
			autoscaledResources(of(&policies[i]), policies[i].ContainerName, e)
		}
	}))
}

// recommendation is a family with a resource list of the recommendation for each container.
func recommendation(name, help string, of func(*ContainerRecommendation) corev1.ResourceList) Row[verticalAutoscaler] {
	return beyond(each(name, alpha, help, autoscaledResource, func(v *verticalAutoscaler, e *metric.Emitter) {
		if v.Status.Recommendation == nil {
			return
		}
		recommended := v.Status.Recommendation.ContainerRecommendations
		for i := range recommended {
			autoscaledResources(of(&recommended[i]), recommended[i].ContainerName, e)
		}
	}))
}

// autoscaledResources emits CPU, memory and storage, the only resources that the autoscaler
// supports.
func autoscaledResources(list corev1.ResourceList, container string, e *metric.Emitter) {
	oneResource(list, corev1.ResourceCPU, fractional, e, container, "cpu", unitCore)
	oneResource(list, corev1.ResourceMemory, whole, e, container, "memory", unitByte)
	oneResource(list, corev1.ResourceStorage, whole, e, container, "storage", unitByte)
	oneResource(list, corev1.ResourceEphemeralStorage, whole, e, container, "ephemeral_storage", unitByte)
}
