package push

import (
	"context"
	"errors"
	"iter"

	"github.com/kubestate/kubestate/sink"
)

// Batch packs items, series or service checks, into requests. It is for one
// goroutine, and for one run.
type Batch struct {
	Queue    *Queue
	MaxItems int // of a request
	MaxBytes int // of a request before compression; a single item may exceed it
	// Begin starts an empty request.
	Begin func()
	// Put ends the request and puts it into the Queue.
	Put func(items int)

	items int // in the request
	errs  []error
}

// Add counts an item, which the caller then appends to the request, and reports
// whether it is the first one there. size is the length of the request with the item,
// at most. If that does not fit, the request is put and another begun.
func (b *Batch) Add(ctx context.Context, size int) (first bool) {
	if b.items > 0 && (b.items >= b.MaxItems || size > b.MaxBytes) {
		b.end(ctx)
	}
	b.items++
	return b.items == 1
}

// End puts the last request, if it has items. The error is that of everything that
// was waited for.
func (b *Batch) End(ctx context.Context) error {
	b.end(ctx)
	return errors.Join(b.errs...)
}

func (b *Batch) end(ctx context.Context) {
	if b.items == 0 {
		return
	}
	b.Put(b.items)
	b.items = 0
	if err := b.Queue.Throttle(ctx); err != nil {
		b.errs = append(b.errs, err)
	}
	b.Begin()
}

// EndedFirst yields the series of a run and whether each has ended. The ended ones
// come first, with a time shortly before that of the run: if two series differ at the
// source but not for the receiver, it sees one that continues.
func EndedFirst(r *sink.Run) iter.Seq2[*sink.Series, bool] {
	return func(yield func(s *sink.Series, ended bool) bool) {
		for s := range r.Ended {
			if !yield(s, true) {
				return
			}
		}
		for s := range r.Series {
			if !yield(s, false) {
				return
			}
		}
	}
}
