// Package dogstatsd sends series and service checks to a DogStatsD server, usually a
// Datadog Agent. It does not know what the series mean. Every series is a gauge, the
// only DogStatsD type that is not aggregated over time.
//
// A UDP receiver that cannot keep up silently loses datagrams (see Config.Spread). A
// Unix datagram socket makes the sender wait instead; a Unix stream socket has the
// highest throughput.
//
// DogStatsD has no NaN, no infinities and no way to end a series: such values are
// dropped and counted, and Run.Ended is ignored. It has no entities: Block.Resource
// becomes tags. Receivers that follow StatsD rather than Datadog interpret a negative
// value as a change of the gauge.
package dogstatsd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/kubestate/kubestate/sink"
)

// Sink is a sink.Sink. Packets for an unavailable receiver are buffered up to
// Config.Buffer; then the oldest are dropped. When the receiver is back, the buffer is
// sent in order; a packet in flight may be sent twice, which is harmless for gauges.
type Sink struct {
	config   Config
	address  address
	encoder  encoder
	packet   *packet // being filled
	queue    *queue
	count    counters
	reported uint64 // part of count.dropped that Send or the log reported
	stop     context.CancelFunc
	finished chan struct{}
}

// counters are those of sink.Stats.
type counters struct {
	series, payloads, bytes, dropped, retries atomic.Uint64
	oversize                                  atomic.Uint64 // part of dropped: in packets too large for the network, since the last Send
}

// New checks the Config and starts a Sink. It does not connect, so the receiver may be
// down.
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

// Send sends a run, or buffers it while the receiver is down. It waits at most
// Config.Spread plus Config.Timeout, and not after ctx ends; from then on it drops the
// oldest packets if the buffer is full. An error reports how many lines were lost since
// the last Send and what is buffered. It does not allocate per series.
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
	left, down := s.queue.drain(ctx)
	lost.oversize = s.count.oversize.Swap(0)
	all := s.count.dropped.Load()
	lost.all, s.reported = all-s.reported, all
	return errors.Join(lost.err(s.address, s.config.MaxPacket), s.waiting(left, down))
}

// waiting returns the error about packets that are not sent yet.
func (s *Sink) waiting(packets int, down bool) error {
	if packets == 0 {
		return nil
	}
	why := "too slow"
	if down {
		why = "unavailable"
	}
	return fmt.Errorf("send to %s: receiver %s; buffered packets: %d", s.address, why, packets)
}

// Yield drops the buffer, since lines carry no timestamp.
func (s *Sink) Yield() {
	lines := uint64(s.queue.clear())
	s.count.dropped.Add(lines)
	s.reported += lines
	if lines > 0 {
		s.config.Logger.Warn("dropped buffered DogStatsD lines because another instance is sending", "address", s.address.String(), "lines", lines)
	}
}

// add appends a line to the packet. If the packet is full, it is queued first.
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

// flush queues the packet and begins another.
func (s *Sink) flush(ctx context.Context) {
	if s.packet.lines == 0 {
		return
	}
	s.count.dropped.Add(uint64(s.queue.put(ctx, s.packet)))
	s.packet = s.queue.packet()
}

// Stats counts lines: series and service checks. Dropped includes values that DogStatsD
// cannot express and lines longer than a packet.
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

// Close sends what is buffered until ctx ends. It returns an error if something is
// left.
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
		return fmt.Errorf("close DogStatsD sink: %d lines not sent to %s: %w", left, s.address, context.Cause(ctx))
	}
	return nil
}

// losses counts the lines lost since the last Send.
type losses struct {
	noNumber, tooLong, oversize uint64
	all                         uint64 // including lines that did not fit into the buffer
}

func (l *losses) err(to address, maxPacket int) error {
	if l.all == 0 {
		return nil
	}
	var why []string
	if l.noNumber > 0 {
		why = append(why, fmt.Sprintf("%d NaN or infinite", l.noNumber))
	}
	if l.tooLong > 0 {
		why = append(why, fmt.Sprintf("%d longer than a packet of %d bytes", l.tooLong, maxPacket))
	}
	if l.oversize > 0 {
		why = append(why, fmt.Sprintf("%d in packets too large for the network", l.oversize))
	}
	if known := l.noNumber + l.tooLong + l.oversize; l.all > known {
		why = append(why, fmt.Sprintf("%d while the receiver was unavailable or too slow", l.all-known))
	}
	return fmt.Errorf("send to %s: %d lines lost: %s", to, l.all, strings.Join(why, ", "))
}
