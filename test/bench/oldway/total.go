package oldway

import (
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// total adds up the samples of one family in groups.
type total struct {
	family    string
	name      string // resource stands for the resource of a sample
	by        []string
	sum       bool     // add values rather than count samples
	resources []string // that are admitted; nil: all samples
}

const resourceMark = "<r>"

// maxGroupLabels is how many labels a group can have.
const maxGroupLabels = 4

type group struct {
	total  *total
	name   string
	values [maxGroupLabels]string
}

// totals are the groups of all totals, and the last Job of each CronJob.
type totals struct {
	byFamily map[string][]total
	groups   map[group]float64
	jobs     map[[2]string]lastJob // by namespace and CronJob
}

type lastJob struct {
	number uint64
	failed bool
}

func newTotals(all []total) *totals {
	t := &totals{byFamily: map[string][]total{}, groups: map[group]float64{}, jobs: map[[2]string]lastJob{}}
	for _, one := range all {
		t.byFamily[one.family] = append(t.byFamily[one.family], one)
	}
	return t
}

func (t *totals) add(f *dto.MetricFamily) {
	switch f.GetName() {
	case "kube_job_complete":
		t.addJobs(f, false)
	case "kube_job_failed":
		t.addJobs(f, true)
	}
	these := t.byFamily[f.GetName()]
	for i := range these {
		one := &these[i]
		for _, m := range f.GetMetric() {
			t.addSample(one, m)
		}
	}
}

func (t *totals) addSample(one *total, m *dto.Metric) {
	g := group{total: one, name: one.name}
	if one.resources != nil {
		resource, _ := resourceName(labelOf(m.GetLabel(), "resource"))
		if !slices.Contains(one.resources, resource) {
			return
		}
		g.name = strings.Replace(one.name, resourceMark, resource, 1)
	}
	for i, name := range one.by {
		g.values[i] = labelOf(m.GetLabel(), name)
	}
	if one.sum {
		t.groups[g] += valueOf(m)
	} else {
		t.groups[g]++
	}
}

// addJobs keeps the last Job of each CronJob.
func (t *totals) addJobs(f *dto.MetricFamily, failed bool) {
	for _, m := range f.GetMetric() {
		if valueOf(m) != 1 || labelOf(m.GetLabel(), "condition") != "true" {
			continue
		}
		cronJob, digits, ok := cronJobOf(labelOf(m.GetLabel(), "job_name"))
		number, err := strconv.ParseUint(digits, 10, 64)
		if !ok || err != nil {
			continue
		}
		key := [2]string{labelOf(m.GetLabel(), "namespace"), cronJob}
		if last, known := t.jobs[key]; !known || number > last.number {
			t.jobs[key] = lastJob{number, failed}
		}
	}
}

// flush makes points of all groups; they are tagged as all others are.
func (t *totals) flush(r *run) {
	for g, value := range t.groups {
		s := r.grouped(g.total.family, g.total.by, g.values[:])
		r.point(g.name, value, &s)
	}
	for key, last := range t.jobs {
		s := r.grouped("kube_job_complete", []string{"namespace", "cronjob"}, key[:])
		status := float64(statusOK)
		if last.failed {
			status = statusCritical
		}
		r.check("cronjob.complete", status, &s)
	}
}

func (r *run) grouped(family string, names, values []string) sample {
	s := sample{labels: make([]*dto.LabelPair, len(names))}
	for i := range names {
		s.labels[i] = &dto.LabelPair{Name: &names[i], Value: &values[i]}
	}
	s.host, s.tags = r.tag(s.labels, r.overridesOf(family))
	return s
}
