// Package dogstatsd sends series and service checks to whatever speaks DogStatsD:
// a Datadog agent, mostly. It does not know what the series are about, and it
// does not aggregate: DogStatsD has no other type for a value that is known as a
// whole, so that every series is a gauge.
//
// Over UDP a receiver that cannot keep up loses datagrams, and nobody learns of
// it (see Config.Spread). A datagram socket of Unix makes the sender wait instead,
// and a stream moves most in the least time.
//
// DogStatsD has no NaN, no infinities and no way to end a series: such values are
// dropped and counted, and Run.Ended is not read. Nor does it know entities: what
// Block.Resource says becomes tags. Receivers that follow StatsD rather than
// Datadog take a negative value for a change of the gauge.
package dogstatsd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/kubestate/kubestate/sink"
)

// A Sink sends runs to one receiver. Stats may be called at any time, Send by one
// goroutine at a time. What waits for a receiver that is away is bounded by
// Config.Buffer; then the oldest packets are dropped. When the receiver is back
// what waits is sent again, in order; a packet that was on its way when it went
// may be sent twice, which does a gauge no harm.
type Sink struct {
	config   Config
	address  address
	encoder  encoder
	packet   *packet // being filled
	queue    *queue
	count    counters
	reported uint64 // of count.dropped, those that Send or the log has told of
	stop     context.CancelFunc
	finished chan struct{}
}

// counters are those of sink.Stats.
type counters struct {
	series, payloads, bytes, dropped, retries atomic.Uint64
	oversize                                  atomic.Uint64 // of dropped, those in packets that the kernel did not take, since the last Send
}

// New checks the Config and starts a Sink. It does not connect: a receiver that
// is not there yet is as one that is away.
func New(config Config) (*Sink, error) {
	a, err := config.complete()
	if err != nil {
		return nil, err
	}
	s := &Sink{
		config:   config,
		address:  a,
		encoder:  encoder{instance: config.Tags, agentHost: config.AgentHost},
		queue:    newQueue(config.Buffer/config.MaxPacket, config.MaxPacket),
		finished: make(chan struct{}),
	}
	s.packet = s.queue.packet()
	stop, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	w := &writer{address: a, timeout: config.Timeout, queue: s.queue, count: &s.count, logger: config.Logger}
	go func() {
		defer close(s.finished)
		w.run(stop)
	}()
	return s, nil
}

// Send sends a run, or leaves it in the buffer while the receiver is away. It
// waits no longer than Config.Spread and Config.Timeout together, and not after
// the end of ctx; then it goes on without waiting, and the oldest packets are
// dropped where the buffer is full. An error says how many lines were lost since
// the Send before, and what waits. It allocates nothing for a series.
func (s *Sink) Send(ctx context.Context, r *sink.Run) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Spread+s.config.Timeout)
	defer cancel()
	var lost losses
	pace := newPace(r, s.config.Spread)
	for series := range r.Series {
		line, ok := s.encoder.series(series)
		if !ok {
			lost.noNumber++
			continue
		}
		s.add(ctx, line, &pace, &lost)
	}
	for check := range r.Checks {
		s.add(ctx, s.encoder.check(check), &pace, &lost)
	}
	s.flush(ctx)
	s.count.dropped.Add(lost.noNumber + lost.tooLong)
	left, away := s.queue.drain(ctx)
	lost.oversize = s.count.oversize.Swap(0)
	all := s.count.dropped.Load()
	lost.all, s.reported = all-s.reported, all
	return errors.Join(lost.err(s.address, s.config.MaxPacket), s.waiting(left, away))
}

// waiting is the error about packets that are not sent yet.
func (s *Sink) waiting(packets int, away bool) error {
	if packets == 0 {
		return nil
	}
	why := "takes them too slowly"
	if away {
		why = "is away"
	}
	return fmt.Errorf("send to %s: %d packets wait: the receiver %s", s.address, packets, why)
}

// Yield drops what waits: lines do not say of what time they are.
func (s *Sink) Yield() {
	lines := uint64(s.queue.clear())
	s.count.dropped.Add(lines)
	s.reported += lines
	if lines > 0 {
		s.config.Logger.Warn("lines that waited for the DogStatsD receiver are dropped, because another instance sends", "address", s.address.String(), "lines", lines)
	}
}

// add appends a line to the packet, after sending it if it is full.
func (s *Sink) add(ctx context.Context, line []byte, p *pace, lost *losses) {
	if len(line) > s.config.MaxPacket {
		lost.tooLong++
		return
	}
	body := len(s.packet.body())
	if body > 0 && body+1+len(line) > s.config.MaxPacket {
		p.wait(ctx, s.packet.lines)
		s.flush(ctx)
		body = 0
	}
	if body > 0 {
		s.packet.buf = append(s.packet.buf, '\n')
	}
	s.packet.buf = append(s.packet.buf, line...)
	s.packet.lines++
}

// flush queues the packet and begins another one.
func (s *Sink) flush(ctx context.Context) {
	if s.packet.lines == 0 {
		return
	}
	s.count.dropped.Add(uint64(s.queue.put(ctx, s.packet)))
	s.packet = s.queue.packet()
}

// Stats counts lines, that is series and service checks. Dropped has those, too,
// that DogStatsD has no words for and those longer than a packet.
func (s *Sink) Stats() sink.Stats {
	return sink.Stats{
		Series:   s.count.series.Load(),
		Payloads: s.count.payloads.Load(),
		Bytes:    s.count.bytes.Load(),
		Dropped:  s.count.dropped.Load(),
		Retries:  s.count.retries.Load(),
		Buffered: uint64(s.queue.waiting()),
	}
}

// Close sends what is buffered until ctx ends. It returns an error if something
// is left then.
func (s *Sink) Close(ctx context.Context) error {
	s.queue.close()
	select {
	case <-s.finished:
	case <-ctx.Done():
	}
	s.stop()
	<-s.finished
	if left := s.queue.clear(); left > 0 {
		s.count.dropped.Add(uint64(left))
		return fmt.Errorf("close the DogStatsD sink: %d lines not sent to %s: %w", left, s.address, context.Cause(ctx))
	}
	return nil
}

// losses are the lines that were lost since the Send before.
type losses struct {
	noNumber, tooLong, oversize uint64
	all                         uint64 // these, and what the buffer had no room for
}

func (l *losses) err(to address, maxPacket int) error {
	if l.all == 0 {
		return nil
	}
	var why []string
	if l.noNumber > 0 {
		why = append(why, fmt.Sprintf("%d are NaN or infinite", l.noNumber))
	}
	if l.tooLong > 0 {
		why = append(why, fmt.Sprintf("%d are longer than a packet of %d bytes", l.tooLong, maxPacket))
	}
	if l.oversize > 0 {
		why = append(why, fmt.Sprintf("%d were in packets too large for the network", l.oversize))
	}
	if known := l.noNumber + l.tooLong + l.oversize; l.all > known {
		why = append(why, fmt.Sprintf("for %d the receiver was away or too slow", l.all-known))
	}
	return fmt.Errorf("send to %s: %d lines lost: %s", to, l.all, strings.Join(why, ", "))
}
