package push

import (
	"context"
	"errors"
	"iter"

	"github.com/kubestate/kubestate/sink"
)

// Batch packs items (series or service checks) into requests. It serves one run and is
// not safe for concurrent use.
type Batch struct {
	Queue    *Queue
	MaxItems int // per request
	MaxBytes int // per request before compression; a single item may exceed it
	// Begin starts a request.
	Begin func()
	// Put completes the request and puts it into the Queue.
	Put func(items int)

	items int // in the current request
	errs  []error
}

// Add counts an item, which the caller then appends to the request, and reports whether
// it is the first of its request. size is an upper bound of the length of the request
// with the item. If that does not fit, Add puts the request and begins another.
func (b *Batch) Add(ctx context.Context, size int) (first bool) {
	if b.items > 0 && (b.items >= b.MaxItems || size > b.MaxBytes) {
		b.end(ctx)
	}
	b.items++
	return b.items == 1
}

// End puts the last request, unless it is empty. The error covers all of Batch's
// waiting.
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

// EndedFirst yields the series of a run and whether each has ended. Ended series come
// first, with a time shortly before that of the run: if two series differ for us but
// not for the receiver, it sees one that continues.
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
