package dogstatsd

import "testing"

// Packets that could not be sent when the queue was cleared do not return.
func TestYieldWhileSending(t *testing.T) {
	q := newQueue(8, 64)
	for _, body := range []string{"a", "b", "c"} {
		p := q.packet()
		p.buf, p.lines = append(p.buf, body...), 1
		q.put(t.Context(), p)
	}
	batch := q.take(make([]*packet, 0, 2))
	if got := q.clear(); got != 1 {
		t.Errorf("%d lines dropped at once, want 1", got)
	}
	if dropped := q.finish(batch, 1, true); dropped != 1 || q.waiting() != 0 {
		t.Errorf("%d lines dropped in the end, %d packets left; want 1 and none", dropped, q.waiting())
	}
	p := q.packet()
	p.lines = 1
	q.put(t.Context(), p)
	if dropped := q.finish(q.take(batch[:0]), 0, true); dropped != 0 || q.waiting() != 1 {
		t.Errorf("%d later lines dropped, %d packets left", dropped, q.waiting())
	}
}

// A queue that grows keeps its packets in order, and a large maximum does not cost
// memory in advance.
func TestRingGrows(t *testing.T) {
	q := newQueue(1<<40, 64)
	put := func(lines int) {
		p := q.packet()
		p.lines = lines
		q.put(t.Context(), p)
	}
	q.setDown()
	next := 0
	batch := make([]*packet, 0, q.batch())
	for i := range 1000 {
		put(i)
		if i%3 == 0 { // some of those taken are returned
			batch = q.take(batch[:0])
			next += len(batch) / 2
			q.finish(batch, len(batch)/2, true)
		}
	}
	for q.waiting() > 0 {
		batch = q.take(batch[:0])
		for _, p := range batch {
			if p.lines != next {
				t.Fatalf("got packet %d, want %d", p.lines, next)
			}
			next++
		}
		q.finish(batch, len(batch), false)
	}
	if next != 1000 {
		t.Errorf("%d packets of 1000", next)
	}
}
