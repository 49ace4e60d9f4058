package agentconf

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/kubestate/kubestate/agent/flush"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// checkSinks checks the sinks of the section.
func (a *Agent) checkSinks(f *strictyaml.File) {
	path := func(sink int) string { return fmt.Sprintf("agent.sinks[%d]", sink) }
	for i, s := range a.Sinks {
		if s.settings != nil { // nil if it could not be read
			s.checkAt(f, path(i))
		}
	}
	for _, u := range a.conflicts() {
		f.Report(path(u.sink), u.problem)
	}
}

// conflict is a key of a sink that does not fit the section or another sink.
type conflict struct {
	sink    int
	problem problem.Problem
}

func (a *Agent) conflicts() []conflict {
	var all []conflict
	first := map[string]int{}
	for i, s := range a.Sinks {
		if s.settings == nil {
			continue
		}
		report := func(key string, p problem.Problem) { all = append(all, conflict{i, p.At(key)}) }
		c := s.common()
		interval, heartbeat := a.paceOf(c)
		if heartbeat != 0 && heartbeat < interval {
			report("heartbeat", problem.Invalid("duration", heartbeat.String(), "must be at least the interval, "+interval.String()+", or left out"))
		}
		if d, ok := s.settings.(*DogStatsD); ok && d.Spread >= interval-interval/20 { // the time available to a flush
			report("spread", problem.Invalid("duration", d.Spread.String(), "must be less than 95% of the interval, "+interval.String()))
		}
		j, twice := first[c.Name]
		switch {
		case c.Name == "":
		case twice:
			report("name", problem.New("duplicate name "+problem.Quote(c.Name), fmt.Sprintf("must differ from that of sinks[%d]", j)))
		default:
			first[c.Name] = i
		}
	}
	return all
}

// paceOf returns the interval and heartbeat of a sink.
func (a *Agent) paceOf(c *Common) (interval, heartbeat time.Duration) {
	return cmp.Or(c.Interval, a.Interval, flush.DefaultInterval), cmp.Or(c.Heartbeat, a.Heartbeat)
}

// checkAt reports the problems of the sink at a path of a file. It opens the sink if that
// has no side effects.
func (s Sink) checkAt(f *strictyaml.File, path string) {
	problems := s.check()
	for _, key := range slices.Sorted(maps.Keys(problems)) {
		if at := problem.Join(path, key); f.Has(at) { // a missing key was reported before
			f.Report(at, problems[key])
		}
	}
	switch s.settings.(type) {
	case *File, *Stdout:
		return
	}
	if !f.Sound(path) { // its problems were reported before
		return
	}
	opened, err := s.open(Environment{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Report(path, err)
		return
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = opened.Close(ended) // its buffer is empty
}
