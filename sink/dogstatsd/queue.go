package dogstatsd

import (
	"context"
	"sync"
)

// packet is a datagram, or a frame of a stream.
type packet struct {
	buf   []byte // frame header, then the lines
	lines int    // series and service checks
}

// headerSize is the space reserved for the length of a frame.
const headerSize = 4

func (p *packet) body() []byte { return p.buf[headerSize:] }

// window is how many packets may be queued while the receiver accepts them. More would
// take memory without sending anything sooner.
const window = 64

// queue contains the packets between Send, which adds them, and the writer, which takes
// them in order and returns those that it could not send. While the receiver is up,
// Send waits for room; while it is down, packets accumulate and the oldest are dropped.
type queue struct {
	packetSize int
	most       int           // maximum number of packets
	filled     chan struct{} // there may be a packet to take
	moved      chan struct{} // there may be room, or nothing left

	mu     sync.Mutex
	ring   []*packet // grows on demand
	head   int       // index of the oldest packet in ring
	n      int
	taken  int  // packets that the writer has; they count as if in ring
	stale  bool // packets that the writer has must not be returned to the queue
	down   bool
	closed bool
	free   []*packet
}

// newQueue returns a queue for at most that many packets.
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

// packet returns an empty packet.
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

// recycle adds a packet to the free list. q.mu must be held.
func (q *queue) recycle(p *packet) {
	if len(q.free) < 2*window {
		p.buf, p.lines = p.buf[:headerSize], 0
		q.free = append(q.free, p)
	}
}

// put appends a packet. If the queue is full and the receiver up, it waits for room
// until ctx ends. It returns how many lines were dropped to make room.
func (q *queue) put(ctx context.Context, p *packet) (dropped int) {
	for {
		q.mu.Lock()
		full := q.n+q.taken >= q.most
		wait := !q.down && (full || q.n+q.taken >= window)
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
		if q.n == 0 { // the writer has all packets
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

// grow enlarges the ring. q.mu must be held.
func (q *queue) grow() {
	ring := make([]*packet, min(2*len(q.ring), q.most))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// shift removes the oldest packet from the ring. q.mu must be held.
func (q *queue) shift() *packet {
	p := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return p
}

// wait returns true when there is a packet to take, and false when none will come or
// stop has ended.
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

// batch is how many packets the writer takes at once: few enough that some are left to
// be dropped for newer ones.
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

// finish returns the packets of the writer: the first done of them are sent or given
// up, the others go back to the front of the queue. It returns how many lines were lost
// because the queue was cleared meanwhile.
func (q *queue) finish(batch []*packet, done int, down bool) (dropped int) {
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
	q.down = down
	signal(q.moved)
	return dropped
}

// setDown marks the receiver as unavailable until finish marks it as available.
func (q *queue) setDown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.down = true
	signal(q.moved)
}

// drain waits until everything is sent or given up, the receiver is down or ctx has
// ended. It returns how many packets are left.
func (q *queue) drain(ctx context.Context) (left int, down bool) {
	for {
		q.mu.Lock()
		left, down = q.n+q.taken, q.down
		q.mu.Unlock()
		if left == 0 || down || ctx.Err() != nil {
			return left, down
		}
		select {
		case <-q.moved:
		case <-ctx.Done():
		}
	}
}

// close lets the writer return once the queue is empty.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.filled)
	signal(q.moved)
}

// clear drops all packets and returns how many lines that were. Packets that the writer
// has are not returned to the queue.
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

// waiting returns the number of packets.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n + q.taken
}
