package push

import (
	"errors"
	"fmt"
)

// report is what there is to say to whoever flushes next.
type report struct {
	refused losses // by the receiver, for good
	givenUp losses // after too many attempts
	dropped losses // without an attempt that ended, for lack of room
	failing error  // of the last attempt, if that is to be made again
}

// losses are payloads that were lost, whole or in part.
type losses struct {
	payloads, series int
	first            error // of the first of them
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
		return fmt.Errorf("%s: %s: %d series in %d payloads", name, what, l.series, l.payloads)
	}
	return fmt.Errorf("%s: %s: %d series in %d payloads: %w", name, what, l.series, l.payloads, l.first)
}

// take returns what there is to say and forgets it.
func (r *report) take(name string) error {
	err := errors.Join(
		r.refused.err(name, "refused"),
		r.givenUp.err(name, "given up"),
		r.dropped.err(name, "dropped"),
	)
	r.refused, r.givenUp, r.dropped = losses{}, losses{}, losses{}
	return err
}

// joined is errors.Join without a wrapper around one error.
func joined(first, second error) error {
	if first == nil {
		return second
	}
	return errors.Join(first, second)
}
