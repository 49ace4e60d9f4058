package cluster

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// daemonSet makes a DaemonSet with one pod on every node.
func (g *generator) daemonSet(namespace, app string) error {
	template := g.template(namespace, app)
	template.Spec.HostNetwork = true
	template.Spec.PriorityClassName, template.Spec.Priority = "system-node-critical", new(int32(2_000_001_000))
	template.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	ds := &appsv1.DaemonSet{
		ObjectMeta: g.meta(namespace, app, g.ago(g.between(24*time.Hour, 200*24*time.Hour)), template.Labels),
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: selectorOf(app)},
			Template: template,
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{
				MaxUnavailable: new(intstr.FromInt32(1)), MaxSurge: new(intstr.FromInt32(0))}},
			RevisionHistoryLimit: new(int32(10)),
		},
	}
	w := &workload{
		namespace: namespace, prefix: app + "-", owner: controller("apps/v1", "DaemonSet", ds), created: ds.CreationTimestamp,
		template: labelled(template, map[string]string{
			appsv1.ControllerRevisionHashLabelKey: g.suffix(10), "pod-template-generation": "1"}),
	}
	var t tally
	for _, node := range g.nodeNames {
		state := podRunning
		if g.chance(0.01) {
			state = podNotReady
		}
		if err := g.placePod(&t, g.newPod(w, g.freePodName(namespace, w.prefix)), node, state); err != nil {
			return err
		}
	}
	pods, ready := int32(t.pods), int32(t.ready)
	ds.Status = appsv1.DaemonSetStatus{
		CurrentNumberScheduled: pods, DesiredNumberScheduled: pods, UpdatedNumberScheduled: pods,
		NumberReady: ready, NumberAvailable: ready, NumberUnavailable: pods - ready, ObservedGeneration: ds.Generation,
	}
	return g.put(ds, "helm", "kube-controller-manager", "apps/v1", &template.Spec)
}

// statefulSet makes a StatefulSet with its pods, each with a volume of its own.
func (g *generator) statefulSet(namespace, app string, replicas int) error {
	template := g.template(namespace, app)
	revision := app + "-" + g.suffix(10)
	sts := &appsv1.StatefulSet{
		ObjectMeta: g.meta(namespace, app, g.ago(g.between(24*time.Hour, 200*24*time.Hour)), template.Labels),
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(replicas)), ServiceName: app, PodManagementPolicy: appsv1.OrderedReadyPodManagement,
			Selector:             &metav1.LabelSelector{MatchLabels: selectorOf(app)},
			Template:             template,
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{dataClaim()},
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(0))}},
			RevisionHistoryLimit: new(int32(10)),
		},
	}
	var t tally
	for ordinal := range replicas {
		name := fmt.Sprintf("%s-%d", app, ordinal)
		w := &workload{
			namespace: namespace, prefix: app + "-", owner: controller("apps/v1", "StatefulSet", sts), created: sts.CreationTimestamp,
			template: statefulTemplate(template, name, revision, ordinal),
		}
		pod := g.newPod(w, name)
		if err := g.placePod(&t, pod, g.pick(g.nodeNames), g.servicePodState()); err != nil {
			return err
		}
		if err := g.volume(pod, selectorOf(app)); err != nil {
			return err
		}
	}
	pods, ready := int32(t.pods), int32(t.ready)
	sts.Status = appsv1.StatefulSetStatus{
		ObservedGeneration: sts.Generation, Replicas: pods, ReadyReplicas: ready, CurrentReplicas: pods, UpdatedReplicas: pods,
		AvailableReplicas: ready, CurrentRevision: revision, UpdateRevision: revision, CollisionCount: new(int32(0)),
	}
	if err := g.put(sts, "helm", "kube-controller-manager", "apps/v1", &template.Spec); err != nil {
		return err
	}
	return g.application(namespace, app, &template.Spec, t)
}

// statefulTemplate is the template of one pod of a StatefulSet: labels and
// claims are its own.
func statefulTemplate(t corev1.PodTemplateSpec, name, revision string, ordinal int) *corev1.PodTemplateSpec {
	pod := labelled(t, map[string]string{
		appsv1.StatefulSetRevisionLabel: revision, appsv1.StatefulSetPodNameLabel: name, appsv1.PodIndexLabel: fmt.Sprint(ordinal)})
	data := corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-" + name}}}
	pod.Spec.Volumes = append([]corev1.Volume{data}, pod.Spec.Volumes...)
	pod.Spec.Hostname, pod.Spec.Subdomain = name, pod.Spec.ServiceAccountName
	return pod
}

// job makes a Job with one pod.
func (g *generator) job(namespace, app string) error {
	template := g.template(namespace, app)
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	job := &batchv1.Job{
		ObjectMeta: g.meta(namespace, app+"-"+fmt.Sprint(29_000_000+g.rand.IntN(500_000)), g.ago(g.between(0, 24*time.Hour)), template.Labels),
	}
	if g.chance(scheduledShare) {
		schedule := g.cronJob(namespace, app, template)
		schedule.Status.LastScheduleTime = &job.CreationTimestamp
		job.OwnerReferences = []metav1.OwnerReference{*controller("batch/v1", "CronJob", schedule)}
		if err := g.put(schedule, "helm", "kube-controller-manager", "batch/v1", &template.Spec); err != nil {
			return err
		}
	}
	own := map[string]string{batchv1.JobNameLabel: job.Name, batchv1.ControllerUidLabel: string(job.UID)}
	job.Spec = batchv1.JobSpec{
		Parallelism: new(int32(1)), Completions: new(int32(1)), BackoffLimit: new(int32(6)),
		CompletionMode: new(batchv1.NonIndexedCompletion), Suspend: new(false),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: string(job.UID)}},
		Template: *labelled(template, own),
	}
	w := &workload{
		namespace: namespace, prefix: job.Name + "-", owner: controller("batch/v1", "Job", job),
		template: &job.Spec.Template, created: job.CreationTimestamp,
	}
	t, err := g.runPods(w, 1, g.jobPodState)
	if err != nil {
		return err
	}
	g.setJobStatus(job, t)
	return g.put(job, "kube-controller-manager", "kube-controller-manager", "batch/v1", &template.Spec)
}

// scheduledShare is the part of Jobs that a CronJob made.
const scheduledShare = 0.5

func (g *generator) cronJob(namespace, app string, template corev1.PodTemplateSpec) *batchv1.CronJob {
	return &batchv1.CronJob{
		ObjectMeta: g.meta(namespace, app, g.ago(g.between(24*time.Hour, 200*24*time.Hour)), template.Labels),
		Spec: batchv1.CronJobSpec{
			Schedule: fmt.Sprintf("%d * * * *", g.rand.IntN(60)), ConcurrencyPolicy: batchv1.ForbidConcurrent, Suspend: new(false),
			SuccessfulJobsHistoryLimit: new(int32(3)), FailedJobsHistoryLimit: new(int32(1)),
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}},
		},
	}
}

func (g *generator) setJobStatus(job *batchv1.Job, t tally) {
	start, end := job.CreationTimestamp, g.age(job.CreationTimestamp, time.Hour)
	job.Status = batchv1.JobStatus{
		StartTime: &start, Succeeded: int32(t.succeeded), Failed: int32(t.failed), Active: int32(t.pods - t.succeeded - t.failed),
		Ready: new(int32(t.ready)),
	}
	condition := batchv1.JobCondition{Status: corev1.ConditionTrue, LastProbeTime: end, LastTransitionTime: end}
	switch {
	case t.succeeded > 0:
		job.Status.CompletionTime = &end
		condition.Type, condition.Reason = batchv1.JobComplete, "CompletionsReached"
	case t.failed > 0:
		condition.Type, condition.Reason = batchv1.JobFailed, "BackoffLimitExceeded"
	default:
		return
	}
	job.Status.Conditions = []batchv1.JobCondition{condition}
}
