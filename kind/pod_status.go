package kind

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

// This file has the rows of Pods about the Pod as a whole.

// emptyPod clears a Pod but keeps the capacity of its lists, which is more than half of the
// memory that decoding a Pod allocates.
func emptyPod(p *pod) {
	spec, status := &p.Spec, &p.Status
	*p = pod{
		Spec: corev1.PodSpec{
			Volumes: spec.Volumes[:0], Tolerations: spec.Tolerations[:0],
			Containers: spec.Containers[:0], InitContainers: spec.InitContainers[:0],
		},
		Status: corev1.PodStatus{
			Conditions: status.Conditions[:0], PodIPs: status.PodIPs[:0],
			ContainerStatuses: status.ContainerStatuses[:0], InitContainerStatuses: status.InitContainerStatuses[:0],
		},
	}
}

func podInfo(p *pod, e *metric.Emitter) {
	var kind, name string
	if owner := metav1.GetControllerOfNoCopy(p); owner != nil {
		kind, name = owner.Kind, owner.Name
	}
	e.Add(1, p.Status.HostIP, p.Status.PodIP, p.Spec.NodeName, kind, name, p.Spec.PriorityClassName, metric.Bool(p.Spec.HostNetwork))
}

func podIPs(p *pod, e *metric.Emitter) {
	for i := range p.Status.PodIPs {
		ip := p.Status.PodIPs[i].IP
		addr, err := netip.ParseAddr(ip)
		switch {
		case err != nil:
		case addr.Unmap().Is4():
			e.Add(1, ip, "4")
		default:
			e.Add(1, ip, "6")
		}
	}
}

// podCondition is a family with one sample per status of a condition, 1 for the current
// one, or none if the Pod does not have the condition.
func podCondition(name string, st metric.Stability, help string, of corev1.PodConditionType) Row[pod] {
	return each(name, st, help, labels{conditionNow}, func(p *pod, e *metric.Emitter) {
		for i := range p.Status.Conditions {
			if c := &p.Status.Conditions[i]; c.Type == of {
				conditionSeries(string(c.Status), e)
			}
		}
	})
}

// transition is a family with the time at which a condition changed to a status, or none if
// it has another status.
func transition(name string, st metric.Stability, help string, of corev1.PodConditionType, in corev1.ConditionStatus) Row[pod] {
	return each(name, st, help, nil, func(p *pod, e *metric.Emitter) {
		for i := range p.Status.Conditions {
			if c := &p.Status.Conditions[i]; c.Type == of && c.Status == in {
				addTime(c.LastTransitionTime.Time, e)
			}
		}
	})
}

func unschedulable(p *pod, e *metric.Emitter) {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			e.Add(1)
		}
	}
}

// podReasons are the values of kube_pod_status_reason, in addition to Other.
var podReasons = []string{
	"Evicted", "NodeAffinity", "NodeLost", "PreemptionByScheduler", "SchedulingGated", "Shutdown", "TerminationByKubelet", "UnexpectedAdmissionError",
}

const otherReason = "Other"

func statusReasons(p *pod, e *metric.Emitter) {
	for _, r := range podReasons {
		if hasReason(p, r) {
			e.Add(1, r)
		}
	}
	if r := p.Status.Reason; r != "" && !slices.Contains(podReasons, r) {
		e.Add(1, otherReason)
	}
}

// hasReason reports whether the Pod, one of its conditions or a terminated container has
// the reason.
func hasReason(p *pod, reason string) bool {
	if p.Status.Reason == reason {
		return true
	}
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Reason == reason {
			return true
		}
	}
	for i := range p.Status.ContainerStatuses {
		if t := p.Status.ContainerStatuses[i].State.Terminated; t != nil && t.Reason == reason {
			return true
		}
	}
	return false
}

// disruptions are the values of kube_pod_status_disruption_reason, in addition to Other.
var disruptions = []string{
	"PreemptionByScheduler", "DeletionByTaintManager", "EvictionByEvictionAPI", "DeletionByPodGC", "TerminationByKubelet",
}

func disruptionReasons(p *pod, e *metric.Emitter) {
	for i := range p.Status.Conditions {
		switch c := &p.Status.Conditions[i]; {
		case c.Type != corev1.DisruptionTarget:
		case slices.Contains(disruptions, c.Reason):
			e.Add(1, c.Reason)
		default:
			e.Add(1, otherReason)
		}
	}
}

func runtimeClass(p *pod, e *metric.Emitter) {
	if name := p.Spec.RuntimeClassName; name != nil {
		e.Add(1, *name)
	}
}

// claims emits one sample per volume that references or creates a claim; the argument of
// value says whether the volume is read-only.
func claims(p *pod, e *metric.Emitter, value func(readOnly bool) float64) {
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		if c := v.PersistentVolumeClaim; c != nil {
			e.Add(value(c.ReadOnly), v.Name, c.ClaimName, "false")
		}
		if v.Ephemeral != nil {
			e.Add(value(false), v.Name, e.Concat(p.Name, "-", v.Name), "true")
		}
	}
}

func resourceClaims(p *pod, e *metric.Emitter) {
	for i := range p.Spec.ResourceClaims {
		c := &p.Spec.ResourceClaims[i]
		var name, template string
		if c.ResourceClaimName == nil && c.ResourceClaimTemplateName == nil {
			continue
		}
		if c.ResourceClaimTemplateName != nil {
			template, name = *c.ResourceClaimTemplateName, claimFromTemplate(p, c.Name)
		}
		if c.ResourceClaimName != nil {
			name = *c.ResourceClaimName
		}
		e.Add(1, c.Name, name, template)
	}
}

// claimFromTemplate returns the name of the ResourceClaim created for one of the Pod's
// claims, empty until it is created.
func claimFromTemplate(p *pod, claim string) string {
	for i := range p.Status.ResourceClaimStatuses {
		if s := &p.Status.ResourceClaimStatuses[i]; s.Name == claim && s.ResourceClaimName != nil {
			return *s.ResourceClaimName
		}
	}
	return ""
}

// toleration has the label values of a sample of kube_pod_tolerations.
type toleration struct{ key, operator, value, effect, seconds string }

func tolerations(p *pod, e *metric.Emitter) {
	// A Pod may have tens of thousands of tolerations, so those after the first few are
	// looked up in a map, although that allocates.
	var few [16]toleration
	var more map[toleration]bool
	n := 0
	for i := range p.Spec.Tolerations {
		t := readToleration(&p.Spec.Tolerations[i], e)
		switch {
		case slices.Contains(few[:n], t) || more[t]:
			continue
		case n < len(few):
			few[n] = t
			n++
		case more == nil:
			more = map[toleration]bool{t: true}
		default:
			more[t] = true
		}
		e.Add(1, t.key, t.operator, t.value, t.effect, t.seconds)
	}
}

func readToleration(t *corev1.Toleration, e *metric.Emitter) toleration {
	var seconds string
	if t.TolerationSeconds != nil {
		seconds = e.Int(*t.TolerationSeconds)
	}
	return toleration{t.Key, string(t.Operator), t.Value, string(t.Effect), seconds}
}
