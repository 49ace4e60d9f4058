package oldway

import "strings"

// jobTags changes the tags of a Job: reasons are kept only if there are few of them,
// and the CronJob indicated by the name is added.
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

// jobDone returns a point for each condition and a service check for the current one.
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
