package compare

import (
	"bytes"
	"fmt"
	"strconv"
)

// Repair is a documented difference between kube-state-metrics (A) and kubestate (B).
// It explains differences of one kind.
type Repair struct {
	Name, Description string
	kind              Kind
	match             func(s *sample) bool // a sample of A, or of B where A has none
}

// yearOne is how kube-state-metrics exposes an unset time.
const yearOne = -62135596800

// Repairs returns the documented differences, by kind and sample.
func Repairs() []Repair {
	is := func(name string) func(*sample) bool {
		return func(s *sample) bool { return string(s.name) == name }
	}
	named := func(s *sample) bool {
		port, ok := label(s, "service_port")
		_, err := strconv.Atoi(port)
		return string(s.name) == "kube_ingress_path" && ok && (err != nil || port == "0")
	}
	return []Repair{
		{"zero time", "an unset time has no sample; kube-state-metrics exposes the year 1", Missing,
			func(s *sample) bool { return s.value == yearOne }},
		{"repeated series", "only the first of duplicate series is served", Repeated, func(*sample) bool { return true }},
		{"named port", "kube_ingress_path has the name of a named port; kube-state-metrics exposes 0", Missing, named},
		{"named port", "kube_ingress_path has the name of a named port; kube-state-metrics exposes 0", Extra, named},
		{"volumeattachment labels", "kube_volumeattachment_labels respects the allowlist", Missing, is("kube_volumeattachment_labels")},
		{"volumeattachment labels", "kube_volumeattachment_labels respects the allowlist", Extra, is("kube_volumeattachment_labels")},
		{"cron schedule", "schedules combine day of month and day of week as the CronJob controller does", Different,
			is("kube_cronjob_next_schedule_time")},
		{"last applied Secret", "the annotation with a copy of a Secret is never exposed", Missing, lastApplied},
		{"last applied Secret", "the annotation with a copy of a Secret is never exposed", Extra, is("kube_secret_annotations")},
	}
}

func lastApplied(s *sample) bool {
	_, ok := label(s, "annotation_kubectl_kubernetes_io_last_applied_configuration")
	return ok && string(s.name) == "kube_secret_annotations"
}

// label returns the value of a label as written.
func label(s *sample, name string) (string, bool) {
	_, rest, ok := bytes.Cut(append([]byte(","), s.labels...), fmt.Appendf(nil, ",%s=\"", name))
	value, _, _ := bytes.Cut(rest, []byte{'"'})
	return string(value), ok
}

// matching returns a bit set of the repairs that may explain a difference in s.
func (x *comparer) matching(s *sample) (bits uint32) {
	for i := range x.repairs {
		if x.repairs[i].match(s) {
			bits |= 1 << i
		}
	}
	return bits
}

// repair returns the name of the repair that explains a suspect, or "" if none does.
func (x *comparer) repair(v *suspect) string {
	for i, r := range x.repairs {
		if r.kind == v.now.kind() && v.repairs&(1<<i) != 0 {
			return r.Name
		}
	}
	return ""
}
