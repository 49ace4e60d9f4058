package dogstatsd

import (
	"context"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// pace spreads lines evenly over a duration.
type pace struct {
	start  time.Time
	spread time.Duration
	total  int
	done   int
}

// burst is how far ahead of schedule lines may be sent: shorter pauses are not worth
// their cost.
const burst = 5 * time.Millisecond

func newPace(r *sink.Run, spread time.Duration) pace {
	p := pace{start: time.Now(), spread: spread}
	if spread == 0 {
		return p
	}
	for range r.Series {
		p.total++
	}
	for range r.Checks {
		p.total++
	}
	return p
}

// wait returns when it is time for the next lines.
func (p *pace) wait(ctx context.Context, lines int) {
	if p.spread == 0 {
		return
	}
	due := p.start.Add(time.Duration(float64(p.spread) * float64(p.done) / float64(p.total)))
	p.done += lines
	if early := time.Until(due); early > burst {
		sleep(ctx, early)
	}
}
