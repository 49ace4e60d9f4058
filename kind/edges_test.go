package kind

import (
	"strings"
	"testing"
	"time"
)

func TestScheduleOfExactlyTheBound(t *testing.T) {
	text := "0" + strings.Repeat(" ", maxScheduleLength-len("0* * * *")) + "* * * *"
	if new(schedules).get(text) == nil {
		t.Errorf("a schedule of %d bytes is rejected, %d are allowed", len(text), maxScheduleLength)
	}
	if new(schedules).get(" "+text) != nil {
		t.Errorf("a schedule of %d bytes is parsed, %d are allowed", len(text)+1, maxScheduleLength)
	}
}

// A schedule with an empty list is never due, and Next does not search for a time.
func TestScheduleWithoutMinuteOrHour(t *testing.T) {
	for _, text := range []string{", * * * *", "* , * * *"} {
		if s := parseSchedule(text); s != (never{}) {
			t.Errorf("schedule %q is %#v, want never", text, s)
		} else if next := s.Next(time.Unix(0, 0)); !next.IsZero() {
			t.Errorf("schedule %q is next due at %v, want never", text, next)
		}
	}
}

func TestKeyPatternsOfLabelNames(t *testing.T) {
	k := keyPatterns{derived: []string{"app"}}
	if k.empty() {
		t.Error("patterns of label names alone are empty")
	}
}
