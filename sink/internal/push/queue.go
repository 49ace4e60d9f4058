package push

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/kubestate/kubestate/sink"
)

// Queue sends payloads in the order in which they are put. It is for any number
// of goroutines. What waits in it is never more than Config.Buffer: when it is
// full the oldest payloads give way, and are counted as dropped.
type Queue struct {
	config   Config
	stop     context.CancelFunc // ends an attempt and every pause
	finished chan struct{}      // closed when the sending goroutine has ended

	mu      sync.Mutex
	waiting []waiting // the oldest first
	put     uint64    // payloads put so far
	size    int       // bytes of those in waiting
	recent  int       // bytes put since the last Flush
	busy    bool      // an attempt to send the oldest is under way
	leftOut bool      // it is logged that checks are left out
	closed  bool
	closing chan struct{} // closed with closed
	changed chan struct{} // closed, and replaced, when something was put, settled or dropped
	stats   sink.Stats
	report  report
}

type waiting struct {
	Payload
	number   uint64 // the first has 1
	attempts int
}

// New returns a Queue and starts to send. Close ends that.
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

// Put appends a payload, at once: it waits for nothing. If the buffer has no room
// the oldest payloads are dropped, or p itself if it alone is larger than the
// buffer or beside the payload that is being sent. Throttle makes room.
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
		q.drop(p, errFull) // to drop others would not help
		return
	}
	q.makeRoom(len(p.Body))
	q.waiting = append(q.waiting, waiting{Payload: p, number: q.put})
	q.size += len(p.Body)
	q.signal()
}

// makeRoom drops the oldest payloads, but not the one that is being sent, until
// there is room for another one. It is called with q.mu held.
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

// LeaveOut counts series that cannot be sent as dropped. Flush returns why.
func (q *Queue) LeaveOut(series int, why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(Payload{Series: series}, why)
}

// LeaveOutChecks counts service checks as dropped, for a protocol that has no place
// for them, and says so once in the log.
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
		q.config.Logger.Warn(q.config.Name + ": the protocol has no place for service checks; they are dropped")
	}
}

// drop counts a payload that is lost. It is called with q.mu held.
func (q *Queue) drop(p Payload, why error) {
	q.stats.Dropped += uint64(p.Series)
	q.report.dropped.add(p.Series, why)
}

// Why payloads are dropped.
var (
	errFull     = errors.New("the buffer was full")
	errTooLarge = errors.New("there is one that is larger than the buffer")
	errClosed   = errors.New("the sink is closed")
	errExpired  = errors.New("the receiver would not take what is that old")
)

// remove takes payloads out of waiting, whose place is reused. It is called with
// q.mu held.
func (q *Queue) remove(from, to int) {
	if from == to {
		return
	}
	n := copy(q.waiting[from:], q.waiting[to:])
	clear(q.waiting[from+n:])
	q.waiting = q.waiting[:from+n]
	q.signal()
}

// signal wakes everybody who waits for a change. It is called with q.mu held.
func (q *Queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// await waits until something was put, settled or dropped, or ctx ends. It is called
// with q.mu held, and lets go of it meanwhile.
func (q *Queue) await(ctx context.Context) {
	changed := q.changed
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// Flush waits until everything that was put so far is sent or given up, or ctx
// ends. The error says what was refused and what was lost since the Flush before,
// and what still waits when ctx ends, together with the cause of ctx's end.
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
		return joined(err, q.unsent(ctx, "still wait"))
	}
	return err
}

// Throttle is Flush if, since the last one, more was put than half of the buffer
// holds, and else does nothing: to encode is quicker than to send, and what does not
// fit into the buffer is lost. Nor does it do anything when ctx has ended.
func (q *Queue) Throttle(ctx context.Context) error {
	q.mu.Lock()
	much := q.recent > q.config.Buffer/2
	q.mu.Unlock()
	if !much || ctx.Err() != nil {
		return nil
	}
	return q.Flush(ctx)
}

// unsent is the error about what waits when ctx has ended. It is called with q.mu
// held.
func (q *Queue) unsent(ctx context.Context, fate string) error {
	series := 0
	for i := range q.waiting {
		series += q.waiting[i].Series
	}
	err := fmt.Errorf("%s: %d payloads with %d series %s: %w", q.config.Name, len(q.waiting), series, fate, context.Cause(ctx))
	if q.report.failing != nil {
		err = fmt.Errorf("%w; the last attempt: %w", err, q.report.failing)
	}
	return err
}

// Close sends what waits until ctx ends, without waiting for the end of a pause
// first, unless it was the receiver that asked for it. What is left then is
// dropped. The error says that, and what Flush would say. Put after Close drops.
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
		err = joined(err, q.unsent(ctx, "are lost"))
	}
	for i := range q.waiting {
		q.stats.Dropped += uint64(q.waiting[i].Series)
	}
	q.waiting, q.size = nil, 0
	q.signal()
	return err
}

// Stats returns what became of everything since the start. Buffered includes the
// payload that is being sent.
func (q *Queue) Stats() sink.Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	stats := q.stats
	stats.Buffered = uint64(len(q.waiting))
	return stats
}
