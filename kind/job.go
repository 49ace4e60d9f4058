package kind

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type job = batchv1.Job

var failureReason = label("reason", "why the Job failed: one of a fixed list, or empty; absent while no Pod has failed")

// Jobs is the table of batch/v1 Job.
var Jobs = define(Kind[job]{
	Resource: Resource{Group: "batch", Version: "v1", Name: "jobs", Kind: "Job", Namespaced: true},
	Identity: labels{namespace, label("job_name", "name of the Job")},
	Reads: []string{
		"metadata.ownerReferences",
		"spec.{parallelism,completions,activeDeadlineSeconds}",
		"status.{active,ready,succeeded,failed,startTime,completionTime}",
		"status.conditions.{type,status,reason,lastTransitionTime}",
	},
	Begin: func(j *job, e *metric.Emitter, s *metric.Schema) { e.Begin(s, j.Namespace, j.Name) },
	Rows: []Row[job]{
		annotationsOf("kube_job_annotations", alpha, "Job annotations selected by --metric-annotations-allowlist.",
			func(j *job) map[string]string { return j.Annotations }),
		labelsOf("kube_job_labels", stable, "Job labels selected by --metric-labels-allowlist.",
			func(j *job) map[string]string { return j.Labels }),
		exists[job]("kube_job_info", stable, "One series per Job; always 1."),
		timestamp("kube_job_created", stable, "When the Job was created, in Unix seconds.",
			func(j *job) *metav1.Time { return &j.CreationTimestamp }),
		maybe("kube_job_spec_parallelism", stable, "Pods of the Job that may run at the same time.",
			func(j *job) *int32 { return j.Spec.Parallelism }),
		maybe("kube_job_spec_completions", stable, "Pods that must succeed for the Job to be complete.",
			func(j *job) *int32 { return j.Spec.Completions }),
		maybe("kube_job_spec_active_deadline_seconds", stable, "How long the Job may be active before it is ended, in seconds.",
			func(j *job) *int64 { return j.Spec.ActiveDeadlineSeconds }),
		gauge("kube_job_status_succeeded", stable, "Pods of the Job that have succeeded.",
			func(j *job) int32 { return j.Status.Succeeded }),
		each("kube_job_status_failed", stable, "1 for the reason for which the Job failed, 0 for every other; without a known reason the number of failed Pods.",
			labels{failureReason}, jobFailures),
		gauge("kube_job_status_active", stable, "Pods of the Job that are pending or run, except those being deleted.",
			func(j *job) int32 { return j.Status.Active }),
		gauge("kube_job_status_ready", alpha, "Active Pods of the Job that are ready.",
			func(j *job) int32 { return valueOr(j.Status.Ready, 0) }),
		jobCondition("kube_job_complete", stable, "1 for what is known of whether the Job has completed, 0 for the rest.", batchv1.JobComplete),
		jobCondition("kube_job_failed", stable, "1 for what is known of whether the Job has failed, 0 for the rest.", batchv1.JobFailed),
		timestamp("kube_job_status_start_time", stable, "When the controller took on the Job or last resumed it, in Unix seconds.",
			func(j *job) *metav1.Time { return j.Status.StartTime }),
		timestamp("kube_job_status_completion_time", stable, "When the Job completed, in Unix seconds.",
			func(j *job) *metav1.Time { return j.Status.CompletionTime }),
		each("kube_job_status_suspended", alpha, "1 while the Job is suspended, 0 once it is resumed; absent if it never was suspended.", nil, jobSuspended),
		each("kube_job_owner", stable, "One series per owner reference, or one with empty owner labels; always 1.", ownerLabels,
			func(j *job, e *metric.Emitter) { owners(j.OwnerReferences, e) }),
		beyond(each("kube_job_duration", alpha, "How long the Job ran from its start until it completed or failed, in seconds; absent before, where kube_job_status_start_time tells since when it runs.",
			nil, jobDuration)),
		beyond(gauge("kube_job_status_failed_pods", alpha, "Pods of the Job that have failed, whatever the reason.",
			func(j *job) int32 { return j.Status.Failed })),
	},
})

// jobFailureReasons are the reasons of a Failed condition that kube_job_status_failed
// distinguishes.
var jobFailureReasons = [...]string{"BackoffLimitExceeded", "DeadlineExceeded", "Evicted"}

// jobFailures emits one sample per known reason of each Failed condition, or the number of
// failed Pods if no such reason is set.
func jobFailures(j *job, e *metric.Emitter) {
	if j.Status.Failed == 0 {
		e.AddLabeled(0)
		return
	}
	known := false
	for i := range j.Status.Conditions {
		c := &j.Status.Conditions[i]
		if c.Type != batchv1.JobFailed {
			continue
		}
		for _, r := range jobFailureReasons {
			known = known || r == c.Reason
			e.Add(metric.Float(r == c.Reason), r)
		}
	}
	if !known {
		e.Add(float64(j.Status.Failed), "")
	}
}

// jobCondition is a family with one sample per status of a condition, 1 for the current
// one, or none if the Job does not have the condition.
func jobCondition(name string, st metric.Stability, help string, of batchv1.JobConditionType) Row[job] {
	return each(name, st, help, labels{conditionNow}, func(j *job, e *metric.Emitter) {
		for i := range j.Status.Conditions {
			if c := &j.Status.Conditions[i]; c.Type == of {
				conditionSeries(string(c.Status), e)
			}
		}
	})
}

func jobSuspended(j *job, e *metric.Emitter) {
	for i := range j.Status.Conditions {
		if c := &j.Status.Conditions[i]; c.Type == batchv1.JobSuspended {
			e.Add(metric.Float(c.Status == corev1.ConditionTrue))
		}
	}
}

func jobDuration(j *job, e *metric.Emitter) {
	start, end := j.Status.StartTime, j.Status.CompletionTime
	for i := range j.Status.Conditions {
		c := &j.Status.Conditions[i]
		if end.IsZero() && c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue {
			end = &c.LastTransitionTime
		}
	}
	if !start.IsZero() && !end.IsZero() {
		e.Add(end.Sub(start.Time).Seconds())
	}
}
