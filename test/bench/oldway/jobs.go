package oldway

import "strings"

// jobTags changes the tags of a Job: a reason is kept only where there are few of
// them, and the CronJob is added that the name tells of.
func jobTags(s *sample) {
	switch strings.ToLower(s.label("reason")) {
	case "backofflimitexceeded", "deadlineexceeded":
	default:
		s.tags = without(s.tags, "reason")
	}
	name, number, ok := cronJobOf(s.label("job_name"))
	if ok && len(number) >= 4 && len(number) <= 10 {
		s.tags = append(s.tags, "kube_cronjob:"+name)
	}
}

func (r *run) job(name string) func(*sample) {
	return func(s *sample) {
		jobTags(s)
		r.point(name, s.value, s)
	}
}

func (r *run) jobFailed(s *sample) {
	if s.label("reason") != "" && s.value == 0 {
		return
	}
	jobTags(s)
	r.point("job.failed", s.value, s)
}

// jobDone is a point for each condition and a service check for the one that holds.
func (r *run) jobDone(name string, status float64) func(*sample) {
	return func(s *sample) {
		if s.label("condition") == "true" {
			s.tags = without(s.tags, "condition")
		}
		jobTags(s)
		r.point(name, s.value, s)
		if s.value == 1 {
			r.check("job.complete", status, s)
		}
	}
}
