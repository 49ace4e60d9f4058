package push

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/kubestate/kubestate/sink"
)

// Queue sends payloads in the order of Put. It is safe for concurrent use. Waiting
// payloads never exceed Config.Buffer: when the buffer is full, the oldest payloads are
// dropped and counted.
type Queue struct {
	config   Config
	stop     context.CancelFunc // cancels the current attempt and any pause
	finished chan struct{}      // closed when the sending goroutine returns

	mu      sync.Mutex
	waiting []waiting // oldest first
	put     uint64    // payloads put so far
	size    int       // bytes in waiting
	recent  int       // bytes put since the last Flush
	busy    bool      // an attempt to send the oldest is in progress
	leftOut bool      // the warning about dropped checks is logged
	closed  bool
	closing chan struct{} // closed together with closed being set
	changed chan struct{} // closed and replaced when a payload is put, settled or dropped
	stats   sink.Stats
	report  report
}

type waiting struct {
	Payload
	number   uint64 // starts at 1
	attempts int
}

// New returns a Queue and starts its sending goroutine, which Close stops.
func New(c Config) *Queue {
	c.fillDefaults()
	ctx, stop := context.WithCancel(context.Background())
	q := &Queue{
		config: c, stop: stop, finished: make(chan struct{}),
		closing: make(chan struct{}), changed: make(chan struct{}),
	}
	s := &sender{queue: q, config: c}
	go func() {
		defer close(q.finished)
		s.run(ctx)
	}()
	return q
}

// Put appends a payload. It does not block: if the buffer is full, the oldest payloads
// are dropped, or p itself if it does not fit next to the payload that is being sent.
// Call Throttle to wait for room.
func (q *Queue) Put(p Payload) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put++
	q.recent += len(p.Body)
	if q.closed {
		q.drop(p, errClosed)
		return
	}
	if len(p.Body) > q.config.Buffer {
		q.drop(p, errTooLarge)
		return
	}
	if q.busy && len(q.waiting[0].Body)+len(p.Body) > q.config.Buffer {
		q.drop(p, errFull) // dropping others would not help
		return
	}
	q.makeRoom(len(p.Body))
	q.waiting = append(q.waiting, waiting{Payload: p, number: q.put})
	q.size += len(p.Body)
	q.signal()
}

// makeRoom drops the oldest payloads, except the one that is being sent, until size
// fits. q.mu must be held.
func (q *Queue) makeRoom(size int) {
	first := 0
	if q.busy {
		first = 1
	}
	n := first
	for n < len(q.waiting) && q.size+size > q.config.Buffer {
		q.size -= len(q.waiting[n].Body)
		q.drop(q.waiting[n].Payload, errFull)
		n++
	}
	q.remove(first, n)
}

// LeaveOut counts series that the protocol cannot express as dropped. Flush returns
// why.
func (q *Queue) LeaveOut(series int, why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(Payload{Series: series}, why)
}

// LeaveOutChecks counts service checks as dropped, for protocols without service
// checks, and logs that once.
func (q *Queue) LeaveOutChecks(checks iter.Seq[*sink.Check]) {
	n := uint64(0)
	for range checks {
		n++
	}
	if n == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Dropped += n
	if !q.leftOut {
		q.leftOut = true
		q.config.Logger.Warn(q.config.Name + ": protocol has no service checks; dropping them")
	}
}

// drop counts a lost payload. q.mu must be held.
func (q *Queue) drop(p Payload, why error) {
	q.stats.Dropped += uint64(p.Series)
	q.report.dropped.add(p.Series, why)
}

// Reasons for dropped payloads.
var (
	errFull     = errors.New("buffer full")
	errTooLarge = errors.New("payload larger than the buffer")
	errClosed   = errors.New("sink closed")
	errExpired  = errors.New("too old for the receiver")
)

// remove removes payloads from waiting, reusing its array. q.mu must be held.
func (q *Queue) remove(from, to int) {
	if from == to {
		return
	}
	n := copy(q.waiting[from:], q.waiting[to:])
	clear(q.waiting[from+n:])
	q.waiting = q.waiting[:from+n]
	q.signal()
}

// signal wakes all waiters. q.mu must be held.
func (q *Queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// await blocks until a payload is put, settled or dropped, or ctx ends. q.mu must be
// held; it is released meanwhile.
func (q *Queue) await(ctx context.Context) {
	changed := q.changed
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// Flush waits until all payloads put so far are sent or given up, or ctx ends. The
// error reports what was rejected or lost since the last Flush and, if ctx ended, what
// is still buffered, with the cause of ctx.
func (q *Queue) Flush(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := q.put
	q.recent = 0
	for len(q.waiting) > 0 && q.waiting[0].number <= last && ctx.Err() == nil {
		q.await(ctx)
	}
	err := q.report.take(q.config.Name)
	if len(q.waiting) > 0 && q.waiting[0].number <= last {
		return joined(err, q.unsent(ctx, "still buffered"))
	}
	return err
}

// Throttle calls Flush if more than half of the buffer size was put since the last
// Flush, because encoding is faster than sending and payloads that do not fit are lost.
// It does nothing once ctx has ended.
func (q *Queue) Throttle(ctx context.Context) error {
	q.mu.Lock()
	much := q.recent > q.config.Buffer/2
	q.mu.Unlock()
	if !much || ctx.Err() != nil {
		return nil
	}
	return q.Flush(ctx)
}

// unsent returns the error about waiting payloads after ctx has ended. q.mu must be
// held.
func (q *Queue) unsent(ctx context.Context, fate string) error {
	series := 0
	for i := range q.waiting {
		series += q.waiting[i].Series
	}
	err := fmt.Errorf("%s: %d series in %s %s: %w", q.config.Name, series, payloads(len(q.waiting)), fate, context.Cause(ctx))
	if q.report.failing != nil {
		err = fmt.Errorf("%w; last attempt: %w", err, q.report.failing)
	}
	return err
}

// Close sends waiting payloads until ctx ends. It cuts a pause short, unless the
// receiver asked for it. Payloads left at the end are dropped and reported, together
// with what Flush would report. Later payloads are dropped.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
		q.signal()
	}
	q.mu.Unlock()
	select {
	case <-q.finished:
	case <-ctx.Done():
	}
	q.stop()
	<-q.finished

	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.report.take(q.config.Name)
	if len(q.waiting) > 0 {
		err = joined(err, q.unsent(ctx, "lost"))
	}
	for i := range q.waiting {
		q.stats.Dropped += uint64(q.waiting[i].Series)
	}
	q.waiting, q.size = nil, 0
	q.signal()
	return err
}

// Stats returns the counts since the start. Buffered includes the payload that is being
// sent.
func (q *Queue) Stats() sink.Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	stats := q.stats
	stats.Buffered = uint64(len(q.waiting))
	return stats
}
