package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	none  = "<none>"
	unset = "<unset>"
)

func nodeCells(o *corev1.Node, _ time.Time) []any {
	status := "Unknown"
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.NodeReady {
			if status = "Ready"; c.Status != corev1.ConditionTrue {
				status = "NotReady"
			}
		}
	}
	if o.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	var roles []string
	for key := range o.Labels {
		if role, ok := strings.CutPrefix(key, "node-role.kubernetes.io/"); ok && role != "" {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	address := func(kind corev1.NodeAddressType) string {
		for _, a := range o.Status.Addresses {
			if a.Type == kind {
				return a.Address
			}
		}
		return none
	}
	info := &o.Status.NodeInfo
	kernel := orUnknown(info.KernelVersion)
	if info.Architecture != "" {
		kernel += " (" + info.Architecture + ")"
	}
	return []any{status, orNone(strings.Join(roles, ",")), info.KubeletVersion, address(corev1.NodeInternalIP), address(corev1.NodeExternalIP),
		orUnknown(info.OSImage), kernel, orUnknown(info.ContainerRuntimeVersion)}
}

func claimCells(o *corev1.PersistentVolumeClaim, _ time.Time) []any {
	capacity, modes := "", ""
	if o.Spec.VolumeName != "" {
		modes, capacity = accessModes(o.Status.AccessModes), o.Status.Capacity.Storage().String()
	}
	return []any{phaseOf(o, string(o.Status.Phase)), o.Spec.VolumeName, capacity, modes, deref(o.Spec.StorageClassName),
		orUnset(o.Spec.VolumeAttributesClassName), orUnset(o.Spec.VolumeMode)}
}

func volumeCells(o *corev1.PersistentVolume, _ time.Time) []any {
	claim := ""
	if o.Spec.ClaimRef != nil {
		claim = o.Spec.ClaimRef.Namespace + "/" + o.Spec.ClaimRef.Name
	}
	return []any{o.Spec.Capacity.Storage().String(), accessModes(o.Spec.AccessModes), o.Spec.PersistentVolumeReclaimPolicy, phaseOf(o, string(o.Status.Phase)),
		claim, o.Spec.StorageClassName, orUnset(o.Spec.VolumeAttributesClassName), o.Status.Reason, orUnset(o.Spec.VolumeMode)}
}

func quotaCells(o *corev1.ResourceQuota) []any {
	var requests, limits []string
	for _, name := range slices.Sorted(maps.Keys(o.Status.Hard)) {
		used, hard := o.Status.Used[name], o.Status.Hard[name]
		text := fmt.Sprintf("%s: %s/%s", name, used.String(), hard.String())
		if strings.HasPrefix(string(name), "limits.") {
			limits = append(limits, text)
		} else {
			requests = append(requests, text)
		}
	}
	return []any{strings.Join(requests, ", "), strings.Join(limits, ", ")}
}

func storageClassCells(o *storagev1.StorageClass, _ time.Time) []any {
	reclaim, binding := corev1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate
	if o.ReclaimPolicy != nil {
		reclaim = *o.ReclaimPolicy
	}
	if o.VolumeBindingMode != nil {
		binding = *o.VolumeBindingMode
	}
	return []any{o.Provisioner, reclaim, binding, deref(o.AllowVolumeExpansion)}
}

func ingressCells(o *networkingv1.Ingress, _ time.Time) []any {
	const shown = 3
	var hosts, addresses []string
	for _, rule := range o.Spec.Rules[:min(shown, len(o.Spec.Rules))] {
		if rule.Host != "" {
			hosts = append(hosts, rule.Host)
		}
	}
	text := strings.Join(hosts, ",")
	switch {
	case text == "":
		text = "*"
	case len(hosts) == shown && len(o.Spec.Rules) > shown:
		text = fmt.Sprintf("%s + %d more...", text, len(o.Spec.Rules)-shown)
	}
	for _, ingress := range o.Status.LoadBalancer.Ingress {
		addresses = append(addresses, firstOf(ingress.IP, ingress.Hostname))
	}
	ports := "80"
	if len(o.Spec.TLS) > 0 {
		ports = "80, 443"
	}
	return []any{orNone(deref(o.Spec.IngressClassName)), text, sortedSet(addresses), ports}
}

// externalIP is the External-IP column of a Service.
func externalIP(o *corev1.Service) string {
	var addresses []string
	switch o.Spec.Type {
	case corev1.ServiceTypeExternalName:
		return o.Spec.ExternalName
	case corev1.ServiceTypeLoadBalancer:
		for _, ingress := range o.Status.LoadBalancer.Ingress {
			addresses = append(addresses, firstOf(ingress.IP, ingress.Hostname))
		}
		text := strings.Join(slices.DeleteFunc(append([]string{sortedSet(addresses)}, o.Spec.ExternalIPs...),
			func(s string) bool { return s == "" }), ",")
		if text == "" {
			return "<pending>"
		}
		return text
	}
	return orNone(strings.Join(o.Spec.ExternalIPs, ","))
}

func servicePorts(ports []corev1.ServicePort) string {
	var list []string
	for _, p := range ports {
		text := strconv.Itoa(int(p.Port))
		if p.NodePort > 0 {
			text += ":" + strconv.Itoa(int(p.NodePort))
		}
		list = append(list, text+"/"+string(p.Protocol))
	}
	return orNone(strings.Join(list, ","))
}

func slicePorts(ports []discoveryv1.EndpointPort) string {
	var list []string
	for _, p := range ports {
		switch {
		case p.Port != nil:
			list = append(list, strconv.Itoa(int(*p.Port)))
		case p.Name != nil:
			list = append(list, *p.Name)
		default:
			list = append(list, "*")
		}
	}
	return firstThree(list)
}

func sliceAddresses(endpoints []discoveryv1.Endpoint) string {
	var list []string
	for _, e := range endpoints {
		list = append(list, e.Addresses...)
	}
	return firstThree(list)
}

func firstThree(list []string) string {
	const shown = 3
	switch {
	case len(list) > shown:
		return fmt.Sprintf("%s + %d more...", strings.Join(list[:shown], ","), len(list)-shown)
	case len(list) == 0:
		return unset
	}
	return strings.Join(list, ",")
}

func eventCells(o *corev1.Event, now time.Time) []any {
	last, count := o.LastTimestamp, o.Count
	if last.IsZero() {
		last = metav1.Time(o.EventTime)
	}
	object := strings.ToLower(o.InvolvedObject.Kind) + "/" + o.InvolvedObject.Name
	source := strings.TrimSuffix(firstOf(o.Source.Component, o.ReportingController)+", "+o.Source.Host, ", ")
	return []any{since(last, now), o.Type, o.Reason, object, o.InvolvedObject.FieldPath, source, strings.TrimSpace(o.Message), since(o.FirstTimestamp, now), max(count, 1)}
}

// targets is the Targets column of a HorizontalPodAutoscaler.
func targets(o *autoscalingv2.HorizontalPodAutoscaler) string {
	const shown = 2
	var list []string
	for i := range o.Spec.Metrics {
		var current autoscalingv2.MetricStatus
		if i < len(o.Status.CurrentMetrics) {
			current = o.Status.CurrentMetrics[i]
		}
		list = append(list, target(&o.Spec.Metrics[i], &current))
	}
	if len(list) > shown {
		return fmt.Sprintf("%s + %d more...", strings.Join(list[:shown], ", "), len(list)-shown)
	}
	return orNone(strings.Join(list, ", "))
}

// target shows the current and the target value of one metric.
func target(spec *autoscalingv2.MetricSpec, current *autoscalingv2.MetricStatus) string {
	var now autoscalingv2.MetricValueStatus
	switch {
	case spec.Resource != nil:
		if current.Resource != nil {
			now = current.Resource.Current
		}
		return resourceTarget(spec.Resource.Name, &spec.Resource.Target, &now)
	case spec.ContainerResource != nil:
		if current.ContainerResource != nil {
			now = current.ContainerResource.Current
		}
		return resourceTarget(spec.ContainerResource.Name, &spec.ContainerResource.Target, &now)
	case spec.Pods != nil:
		if current.Pods != nil {
			now = current.Pods.Current
		}
		return orUnknownValue(now.AverageValue) + "/" + orUnknownValue(spec.Pods.Target.AverageValue)
	case spec.Object != nil:
		if current.Object != nil {
			now = current.Object.Current
		}
		return valueTarget(&spec.Object.Target, &now)
	case spec.External != nil:
		if current.External != nil {
			now = current.External.Current
		}
		return valueTarget(&spec.External.Target, &now)
	}
	return "<unknown type>"
}

// resourceTarget is for an average of Pods, as a value or in percent of their requests.
func resourceTarget(name corev1.ResourceName, target *autoscalingv2.MetricTarget, now *autoscalingv2.MetricValueStatus) string {
	if target.AverageValue != nil {
		return fmt.Sprintf("%s: %s/%s", name, orUnknownValue(now.AverageValue), target.AverageValue)
	}
	percent := func(p *int32, missing string) string {
		if p == nil {
			return missing
		}
		return fmt.Sprintf("%d%%", *p)
	}
	return fmt.Sprintf("%s: %s/%s", name, percent(now.AverageUtilization, "<unknown>"), percent(target.AverageUtilization, "<auto>"))
}

// valueTarget is for a value, or its average over the Pods.
func valueTarget(target *autoscalingv2.MetricTarget, now *autoscalingv2.MetricValueStatus) string {
	if target.AverageValue != nil {
		return orUnknownValue(now.AverageValue) + "/" + target.AverageValue.String() + " (avg)"
	}
	return orUnknownValue(now.Value) + "/" + orUnknownValue(target.Value)
}

func orUnknownValue(q *resource.Quantity) string {
	if q == nil {
		return "<unknown>"
	}
	return q.String()
}

func jobStatus(o *batchv1.Job) string {
	is := func(kind batchv1.JobConditionType) bool {
		return slices.ContainsFunc(o.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == kind && c.Status == corev1.ConditionTrue
		})
	}
	switch {
	case is(batchv1.JobComplete):
		return "Complete"
	case is(batchv1.JobFailed):
		return "Failed"
	case o.DeletionTimestamp != nil:
		return "Terminating"
	}
	for _, kind := range []batchv1.JobConditionType{batchv1.JobSuspended, batchv1.JobFailureTarget, batchv1.JobSuccessCriteriaMet} {
		if is(kind) {
			return string(kind)
		}
	}
	return "Running"
}

func completions(o *batchv1.Job) string {
	switch {
	case o.Spec.Completions != nil:
		return ratio(o.Status.Succeeded, *o.Spec.Completions)
	case deref(o.Spec.Parallelism) > 1:
		return fmt.Sprintf("%d/1 of %d", o.Status.Succeeded, *o.Spec.Parallelism)
	}
	return ratio(o.Status.Succeeded, 1)
}

func jobDuration(o *batchv1.Job, now time.Time) string {
	if o.Status.StartTime == nil {
		return ""
	}
	if o.Status.CompletionTime != nil {
		now = o.Status.CompletionTime.Time
	}
	return duration.HumanDuration(now.Sub(o.Status.StartTime.Time))
}

func cronJobCells(o *batchv1.CronJob, now time.Time) []any {
	suspend, last := unset, none
	if o.Spec.Suspend != nil {
		if suspend = "False"; *o.Spec.Suspend {
			suspend = "True"
		}
	}
	if o.Status.LastScheduleTime != nil {
		last = since(*o.Status.LastScheduleTime, now)
	}
	job := &o.Spec.JobTemplate.Spec
	return append([]any{o.Spec.Schedule, orNone(deref(o.Spec.TimeZone)), suspend, len(o.Status.Active), last}, templateCells(&job.Template, job.Selector)...)
}

// templateCells returns the containers, the images and the selector of a workload.
func templateCells(t *corev1.PodTemplateSpec, selector *metav1.LabelSelector) []any {
	var names, images []string
	for _, c := range t.Spec.Containers {
		names, images = append(names, c.Name), append(images, c.Image)
	}
	return []any{strings.Join(names, ","), strings.Join(images, ","), metav1.FormatLabelSelector(selector)}
}

func accessModes(modes []corev1.PersistentVolumeAccessMode) string {
	var list []string
	for _, mode := range []struct {
		mode  corev1.PersistentVolumeAccessMode
		short string
	}{{corev1.ReadWriteOnce, "RWO"}, {corev1.ReadOnlyMany, "ROX"}, {corev1.ReadWriteMany, "RWX"}, {corev1.ReadWriteOncePod, "RWOP"}} {
		if slices.Contains(modes, mode.mode) {
			list = append(list, mode.short)
		}
	}
	return strings.Join(list, ",")
}

func phaseOf(o Object, phase string) string {
	if o.GetDeletionTimestamp() != nil {
		return "Terminating"
	}
	return phase
}

// since is the time that has passed since t, as kubectl shows ages.
func since(t metav1.Time, now time.Time) string {
	if t.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(now.Sub(t.Time))
}

func ratio(have, want int32) string { return fmt.Sprintf("%d/%d", have, want) }

// replicas is spec.replicas, 1 where it is not set.
func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func orUnset[T any](p *T) string {
	if p == nil {
		return unset
	}
	return fmt.Sprint(*p)
}

func orNotApplicable(n *intstr.IntOrString) string {
	if n == nil {
		return "N/A"
	}
	return n.String()
}

func orNone(text string) string { return firstOf(text, none) }

func orUnknown(text string) string { return firstOf(text, "<unknown>") }

func firstOf(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func sortedSet(list []string) string {
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ",")
}
