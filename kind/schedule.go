package kind

import (
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
)

// Bounds of the schedules that are parsed and cached. A time zone takes a few kilobytes,
// and each schedule has its own copy.
const (
	maxSchedules      = 2_000
	maxScheduleLength = 1_024 // with the time zone, in bytes; five full lists of values take less
	maxYear           = 9_999 // of the time after which the next one is computed
)

// schedules parses schedules and caches the results, because parsing allocates and
// may read a time zone from disk. A cached schedule is returned without allocating.
// It is safe for concurrent use.
type schedules struct {
	mu     sync.Mutex
	parsed map[string]cron.Schedule // nil if the text is not a schedule
}

// get returns the schedule that text describes, nil if it is invalid or too long.
func (s *schedules) get(text string) cron.Schedule {
	if len(text) > maxScheduleLength {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	schedule, ok := s.parsed[text]
	if ok {
		return schedule
	}
	schedule = parseSchedule(text)
	if s.parsed == nil || len(s.parsed) >= maxSchedules {
		s.parsed = map[string]cron.Schedule{}
	}
	s.parsed[strings.Clone(text)] = schedule
	return schedule
}

// parseSchedule accepts the syntax of the CronJob controller: five fields or a descriptor
// such as @daily or "@every 5m", optionally preceded by TZ=zone or CRON_TZ=zone.
func parseSchedule(text string) cron.Schedule {
	if strings.Contains(text, "=") && !strings.Contains(text, " ") {
		return nil // only a time zone, on which the parser panics
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return nil
	}
	if fields, ok := schedule.(*cron.SpecSchedule); ok && (fields.Minute == 0 || fields.Hour == 0) {
		return never{} // a list without items, for which the parser's schedule would try every minute of five years
	}
	return schedule
}

// never is a schedule that is never due.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }
