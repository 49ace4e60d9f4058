package agentconf

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// checkSinks checks the sinks of the section.
func (a *Agent) checkSinks(f *strictyaml.File) {
	path := func(sink int) string { return fmt.Sprintf("agent.sinks[%d]", sink) }
	for i, s := range a.Sinks {
		if s.settings != nil { // else it could not be read
			s.checkAt(f, path(i))
		}
	}
	for _, u := range a.unfit() {
		f.Wrong(path(u.sink)+"."+u.key, "%w", u.err)
	}
}

// unfit says that a key of a sink does not fit the section or another sink.
type unfit struct {
	sink int
	key  string
	err  error
}

func (a *Agent) unfit() []unfit {
	var all []unfit
	first := map[string]int{}
	for i, s := range a.Sinks {
		if s.settings == nil {
			continue
		}
		wrong := func(key, format string, args ...any) { all = append(all, unfit{i, key, fmt.Errorf(format, args...)}) }
		c := s.common()
		interval, heartbeat := a.paceOf(c)
		if heartbeat != 0 && heartbeat < interval {
			wrong("heartbeat", "%s is less than the interval, %s; want more, or none", heartbeat, interval)
		}
		if d, ok := s.settings.(*DogStatsD); ok && d.Spread >= interval-interval/20 { // the time that a run has
			wrong("spread", "%s takes all of the interval, %s; want less", d.Spread, interval)
		}
		j, twice := first[c.Name]
		switch {
		case c.Name == "":
		case twice:
			wrong("name", "sinks[%d] has the name %q already", j, c.Name)
		default:
			first[c.Name] = i
		}
	}
	return all
}

// paceOf returns interval and heartbeat of a sink.
func (a *Agent) paceOf(c *Common) (interval, heartbeat time.Duration) {
	return cmp.Or(c.Interval, a.Interval, agent.DefaultInterval), cmp.Or(c.Heartbeat, a.Heartbeat)
}

// checkAt tells a file what is wrong with the sink that stands at a path. To find
// out it is opened, as far as that has no effect.
func (s Sink) checkAt(f *strictyaml.File, path string) {
	problems := s.check()
	for _, key := range slices.Sorted(maps.Keys(problems)) {
		if at := strings.TrimPrefix(path+"."+key, "."); f.Has(at) { // else it was told that it is missing
			f.WrongAll(at, problems[key])
		}
	}
	switch s.settings.(type) {
	case *File, *Stdout:
		return
	}
	if !f.Sound(path) { // else things would be told twice
		return
	}
	opened, err := s.open(Environment{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.WrongAll(path, err)
		return
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = opened.Close(ended) // nothing is in it
}
