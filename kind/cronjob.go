package kind

import (
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type cronJob = batchv1.CronJob

// CronJobs is the table of batch/v1 CronJob.
var CronJobs = cronJobs(new(schedules))

// cronJobs returns the table. Its rows and those of tables derived by Plan share a cache of
// parsed schedules.
func cronJobs(parsed *schedules) *Table {
	return define(Kind[cronJob]{
		Resource: Resource{Group: "batch", Version: "v1", Name: "cronjobs", Kind: "CronJob", Namespaced: true},
		Identity: labels{namespace, label("cronjob", "name of the CronJob")},
		Reads: []string{
			"spec.{schedule,timeZone,concurrencyPolicy,suspend,startingDeadlineSeconds}",
			"spec.{successfulJobsHistoryLimit,failedJobsHistoryLimit}",
			"status.{active.name,lastScheduleTime,lastSuccessfulTime}",
		},
		Begin: func(c *cronJob, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Namespace, c.Name) },
		Rows: []Row[cronJob]{
			annotationsOf("kube_cronjob_annotations", alpha, "CronJob annotations selected by --metric-annotations-allowlist.",
				func(c *cronJob) map[string]string { return c.Annotations }),
			labelsOf("kube_cronjob_labels", stable, "CronJob labels selected by --metric-labels-allowlist.",
				func(c *cronJob) map[string]string { return c.Labels }),
			each("kube_cronjob_info", stable, "When the CronJob is due and how; always 1.", labels{
				label("schedule", "the schedule, in the form of cron"),
				label("concurrency_policy", "what happens when a Job is due while one runs: Allow, Forbid or Replace"),
				label("timezone", "time zone of the schedule; local if the CronJob names none"),
			}, func(c *cronJob, e *metric.Emitter) {
				e.Add(1, c.Spec.Schedule, string(c.Spec.ConcurrencyPolicy), valueOr(c.Spec.TimeZone, "local"))
			}),
			timestamp("kube_cronjob_created", stable, "When the CronJob was created, in Unix seconds.",
				func(c *cronJob) *metav1.Time { return &c.CreationTimestamp }),
			gauge("kube_cronjob_status_active", stable, "Jobs of the CronJob that run.",
				func(c *cronJob) int64 { return int64(len(c.Status.Active)) }),
			timestamp("kube_cronjob_status_last_schedule_time", stable, "When a Job was last due and created, in Unix seconds.",
				func(c *cronJob) *metav1.Time { return c.Status.LastScheduleTime }),
			timestamp("kube_cronjob_status_last_successful_time", stable, "When a Job of the CronJob last succeeded, in Unix seconds.",
				func(c *cronJob) *metav1.Time { return c.Status.LastSuccessfulTime }),
			truth("kube_cronjob_spec_suspend", stable, "1 while the CronJob is suspended and creates no Jobs, else 0.",
				func(c *cronJob) bool { return valueOr(c.Spec.Suspend, false) }),
			maybe("kube_cronjob_spec_starting_deadline_seconds", stable, "How late a Job may still be created, in seconds.",
				func(c *cronJob) *int64 { return c.Spec.StartingDeadlineSeconds }),
			each("kube_cronjob_next_schedule_time", stable, "When the schedule is next due after it last was, or after the CronJob was created, in Unix seconds; absent while suspended.",
				nil, func(c *cronJob, e *metric.Emitter) { nextScheduleTime(c, parsed, e) }),
			each("kube_cronjob_schedule_invalid", alpha, "1 if the schedule or its time zone cannot be understood; absent otherwise.",
				nil, func(c *cronJob, e *metric.Emitter) {
					if parsed.get(zonedSchedule(c, e)) == nil {
						e.Add(1)
					}
				}),
			resourceVersion("kube_cronjob_metadata_resource_version", stable, "Value of metadata.resourceVersion, which changes with the CronJob.",
				func(c *cronJob) string { return c.ResourceVersion }),
			maybe("kube_cronjob_spec_successful_job_history_limit", alpha, "Succeeded Jobs that are kept.",
				func(c *cronJob) *int32 { return c.Spec.SuccessfulJobsHistoryLimit }),
			maybe("kube_cronjob_spec_failed_job_history_limit", alpha, "Failed Jobs that are kept.",
				func(c *cronJob) *int32 { return c.Spec.FailedJobsHistoryLimit }),
		},
	})
}

// nextScheduleTime emits the first time after the last run at which the schedule is due, or
// nothing for a schedule that is never due.
func nextScheduleTime(c *cronJob, parsed *schedules, e *metric.Emitter) {
	last := c.Status.LastScheduleTime
	if last.IsZero() {
		last = &c.CreationTimestamp
	}
	if last.IsZero() || last.Year() > maxYear || valueOr(c.Spec.Suspend, false) {
		return
	}
	if schedule := parsed.get(zonedSchedule(c, e)); schedule != nil {
		// A schedule without a time zone uses that of its argument.
		addTime(schedule.Next(last.Local()), e)
	}
}

// zonedSchedule returns the schedule prefixed with its time zone, as the CronJob controller
// passes it to the same parser.
func zonedSchedule(c *cronJob, e *metric.Emitter) string {
	if zone := c.Spec.TimeZone; zone != nil {
		return e.Concat("TZ=", *zone, " ", c.Spec.Schedule)
	}
	return c.Spec.Schedule
}
