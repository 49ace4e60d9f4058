package kind

import (
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
)

// Bounds of what schedules keeps. A time zone takes some kilobytes, and every
// schedule in one has its own.
const (
	maxSchedules      = 2_000
	maxScheduleLength = 256
)

// schedules parses schedules and remembers what it made of them, because that
// allocates and may read a time zone from disk. It returns the same for the same
// argument whatever it remembers, and allocates nothing where it does. It is safe
// for concurrent use.
type schedules struct {
	mu     sync.Mutex
	parsed map[string]cron.Schedule // nil where the text is no schedule
}

// get returns the schedule that text says, or nil if it says none.
func (s *schedules) get(text string) cron.Schedule {
	s.mu.Lock()
	defer s.mu.Unlock()
	schedule, ok := s.parsed[text]
	if ok {
		return schedule
	}
	schedule = parseSchedule(text)
	if len(text) > maxScheduleLength {
		return schedule
	}
	if s.parsed == nil || len(s.parsed) >= maxSchedules {
		s.parsed = map[string]cron.Schedule{}
	}
	s.parsed[strings.Clone(text)] = schedule
	return schedule
}

// parseSchedule understands what the CronJob controller of Kubernetes does: five
// fields or a descriptor such as @daily or "@every 5m", with TZ=zone or
// CRON_TZ=zone in front or without.
func parseSchedule(text string) cron.Schedule {
	if strings.Contains(text, "=") && !strings.Contains(text, " ") {
		return nil // a time zone and nothing else, at which the parser panics
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return nil
	}
	if fields, ok := schedule.(*cron.SpecSchedule); ok && (fields.Minute == 0 || fields.Hour == 0) {
		return never{} // a list without items, for which the parser's own would try every minute of five years
	}
	return schedule
}

// never is a schedule that is never due.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }
