package dogstatsd

import (
	"context"
	"sync"
)

// A packet is a datagram or, behind its length, a frame of a stream.
type packet struct {
	buf   []byte // the frame's length, then the lines
	lines int    // series and checks
}

// headerSize is what a packet keeps free for the length of a frame.
const headerSize = 4

func (p *packet) body() []byte { return p.buf[headerSize:] }

// window is how many packets wait while the receiver takes them. More would need
// memory and send nothing sooner.
const window = 64

// A queue holds the packets between Send, which fills it, and the writer, which
// takes packets out in order and gives back what it could not send. While the
// receiver is there Send waits for its turn; while it is away packets gather, and
// the oldest makes room for the newest.
type queue struct {
	packetSize int
	most       int           // packets that may wait
	filled     chan struct{} // there may be something to take
	moved      chan struct{} // there may be room, or nothing left

	mu     sync.Mutex
	ring   []*packet // as large as was needed until now
	head   int       // index of the oldest in ring
	n      int
	taken  int  // packets the writer has; they count as if in ring
	stale  bool // what the writer has must not come back
	away   bool
	closed bool
	free   []*packet
}

// newQueue returns a queue for at most so many packets.
func newQueue(most, packetSize int) *queue {
	return &queue{
		packetSize: packetSize,
		most:       most,
		filled:     make(chan struct{}, 1),
		moved:      make(chan struct{}, 1),
		ring:       make([]*packet, min(most, 2*window)),
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// packet returns an empty one.
func (q *queue) packet() *packet {
	q.mu.Lock()
	defer q.mu.Unlock()
	if last := len(q.free) - 1; last >= 0 {
		p := q.free[last]
		q.free = q.free[:last]
		return p
	}
	return &packet{buf: make([]byte, headerSize, headerSize+q.packetSize)}
}

// recycle makes a packet free. It is called with q.mu held.
func (q *queue) recycle(p *packet) {
	if len(q.free) < 2*window {
		p.buf, p.lines = p.buf[:headerSize], 0
		q.free = append(q.free, p)
	}
}

// put appends a packet. If there is no room it waits, unless the receiver is
// away, until ctx ends. It returns how many lines were lost for this one to fit.
func (q *queue) put(ctx context.Context, p *packet) (dropped int) {
	for {
		q.mu.Lock()
		full := q.n+q.taken >= q.most
		wait := !q.away && (full || q.n+q.taken >= window)
		if !wait || ctx.Err() != nil || q.closed {
			break
		}
		q.mu.Unlock()
		select {
		case <-q.moved:
		case <-ctx.Done():
		}
	}
	defer q.mu.Unlock()
	if q.closed {
		dropped = p.lines
		q.recycle(p)
		return dropped
	}
	if q.n+q.taken >= q.most {
		if q.n == 0 { // The writer has all there are.
			dropped = p.lines
			q.recycle(p)
			return dropped
		}
		oldest := q.shift()
		dropped = oldest.lines
		q.recycle(oldest)
	}
	if q.n+q.taken >= len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)%len(q.ring)] = p
	q.n++
	signal(q.filled)
	return dropped
}

// grow makes room for more packets. It is called with q.mu held.
func (q *queue) grow() {
	ring := make([]*packet, min(2*len(q.ring), q.most))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// shift removes the oldest packet from the ring. It is called with q.mu held.
func (q *queue) shift() *packet {
	p := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return p
}

// wait returns true when there is a packet to take, and false when there will be
// none or stop has ended.
func (q *queue) wait(stop context.Context) bool {
	for {
		q.mu.Lock()
		n, closed := q.n, q.closed
		q.mu.Unlock()
		if stop.Err() != nil || n == 0 && closed {
			return false
		}
		if n > 0 {
			return true
		}
		select {
		case <-q.filled:
		case <-stop.Done():
		}
	}
}

// batch is how many packets the writer takes at once: not so many that none is
// left to be dropped for a newer one.
func (q *queue) batch() int { return max(1, min(16, q.most/4)) }

// take appends the oldest packets to batch, up to its capacity.
func (q *queue) take(batch []*packet) []*packet {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.n > 0 && len(batch) < cap(batch) {
		batch = append(batch, q.shift())
		q.taken++
	}
	return batch
}

// finish ends the writer's turn with all the packets it has: the first done of
// them are sent or given up, the others come back in front of those that wait. It
// returns how many lines of those were lost because the queue was cleared.
func (q *queue) finish(batch []*packet, done int, away bool) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stale {
		for _, p := range batch[done:] {
			dropped += p.lines
		}
		done = len(batch)
	}
	for _, p := range batch[:done] {
		q.recycle(p)
	}
	for i := len(batch) - 1; i >= done; i-- {
		q.head = (q.head + len(q.ring) - 1) % len(q.ring)
		q.ring[q.head] = batch[i]
		q.n++
	}
	q.taken, q.stale = q.taken-len(batch), false
	q.away = away
	signal(q.moved)
	return dropped
}

// setAway says that the receiver is away, until finish says that it is back.
func (q *queue) setAway() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.away = true
	signal(q.moved)
}

// drain waits until everything is sent or given up, the receiver is away, or ctx
// has ended. It returns how many packets are left then.
func (q *queue) drain(ctx context.Context) (left int, away bool) {
	for {
		q.mu.Lock()
		left, away = q.n+q.taken, q.away
		q.mu.Unlock()
		if left == 0 || away || ctx.Err() != nil {
			return left, away
		}
		select {
		case <-q.moved:
		case <-ctx.Done():
		}
	}
}

// close lets the writer end once nothing is left.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.filled)
	signal(q.moved)
}

// clear drops what waits and returns how many lines that were. What the writer has
// now does not come back.
func (q *queue) clear() (lines int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.n > 0 {
		lines += q.shift().lines
	}
	q.free, q.stale = nil, q.taken > 0
	signal(q.moved)
	return lines
}

// waiting returns how many packets there are.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n + q.taken
}
