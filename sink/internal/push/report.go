package push

import (
	"errors"
	"fmt"
)

// report collects what the next Flush reports.
type report struct {
	rejected losses // by the receiver, permanently
	givenUp  losses // after too many attempts
	dropped  losses // without a completed attempt, for lack of room
	failing  error  // of the last attempt, if it is retried
}

// losses counts payloads lost completely or in part.
type losses struct {
	payloads, series int
	first            error // of the first loss
}

func (l *losses) add(series int, err error) {
	l.payloads++
	l.series += series
	if l.first == nil {
		l.first = err
	}
}

func (l *losses) err(name, what string) error {
	switch {
	case l.payloads == 0:
		return nil
	case l.first == nil:
		return fmt.Errorf("%s: %s %d series in %s", name, what, l.series, payloads(l.payloads))
	}
	return fmt.Errorf("%s: %s %d series in %s: %w", name, what, l.series, payloads(l.payloads), l.first)
}

// payloads returns "1 payload" or "2 payloads".
func payloads(n int) string {
	if n == 1 {
		return "1 payload"
	}
	return fmt.Sprintf("%d payloads", n)
}

// take returns the report as an error and resets it.
func (r *report) take(name string) error {
	err := errors.Join(
		r.rejected.err(name, "rejected"),
		r.givenUp.err(name, "gave up on"),
		r.dropped.err(name, "dropped"),
	)
	r.rejected, r.givenUp, r.dropped = losses{}, losses{}, losses{}
	return err
}

// joined is errors.Join without wrapping a single error.
func joined(first, second error) error {
	if first == nil {
		return second
	}
	return errors.Join(first, second)
}
