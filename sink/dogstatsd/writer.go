package dogstatsd

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
	// A name of a UDP receiver may lead elsewhere later, and no error tells.
	resolveEvery = time.Minute
)

// A writer moves packets from its queue to the receiver, on a goroutine of its
// own. It connects when there is something to send, and again, after a back-off,
// when the receiver has gone.
type writer struct {
	address address
	timeout time.Duration
	queue   *queue
	count   *counters
	logger  *slog.Logger

	conn      net.Conn // nil: not connected
	connected time.Time
	release   func() bool // ends the closing of conn at the end of stop
	failures  int         // since a batch was sent without an error
	doubtful  bool        // one was, but it may yet turn out that nobody has read it
	vectors   net.Buffers // of a stream
	batch     []*packet
}

// run sends until the queue is closed and empty, or stop ends.
func (w *writer) run(stop context.Context) {
	w.batch = make([]*packet, 0, w.queue.batch())
	w.vectors = make(net.Buffers, 0, cap(w.batch))
	for w.queue.wait(stop) && w.connect(stop) {
		w.refresh(stop)
		batch := w.queue.take(w.batch[:0])
		sent, err := w.write(stop, batch)
		w.settle(batch, sent, err)
	}
	w.disconnect()
}

// connect returns true when there is a connection, and false when stop has ended.
func (w *writer) connect(stop context.Context) bool {
	for w.conn == nil {
		if w.failures > 0 && !sleep(stop, backoff(w.failures)) {
			return false
		}
		conn, err := w.dial(stop)
		if err != nil {
			w.failed(err)
			w.queue.setAway()
			continue
		}
		w.use(stop, conn)
	}
	return stop.Err() == nil
}

func (w *writer) dial(stop context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: w.timeout}
	return dialer.DialContext(stop, w.address.network, w.address.target)
}

// use makes conn the connection. A write that blocks ends when stop does.
func (w *writer) use(stop context.Context, conn net.Conn) {
	w.conn, w.connected = conn, time.Now()
	w.release = context.AfterFunc(stop, func() { _ = conn.Close() })
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	w.release()
	_ = w.conn.Close() // Nothing is buffered in it.
	w.conn = nil
}

// refresh asks from time to time where a UDP receiver is now.
func (w *writer) refresh(stop context.Context) {
	if !w.address.named || time.Since(w.connected) < resolveEvery {
		return
	}
	w.connected = time.Now()
	if conn, err := w.dial(stop); err == nil {
		w.disconnect()
		w.use(stop, conn)
	}
}

// settle decides what becomes of a batch of which the first packets were sent,
// before err.
func (w *writer) settle(batch []*packet, sent int, err error) {
	for _, p := range batch[:sent] {
		w.count.series.Add(uint64(p.lines))
		w.count.payloads.Add(1)
		w.count.bytes.Add(uint64(len(p.body())))
	}
	done, away := sent, err != nil
	switch {
	case err == nil:
		w.succeeded()
	case errors.Is(err, syscall.EMSGSIZE):
		w.logger.Warn("the DogStatsD receiver does not take a packet of this size", "address", w.address.String(), "bytes", len(batch[sent].body()))
		w.count.oversize.Add(uint64(batch[sent].lines))
		w.count.dropped.Add(uint64(batch[sent].lines))
		done, away = sent+1, false
	case errors.Is(err, net.ErrClosed): // stop has ended
	default:
		w.count.retries.Add(1)
		// Of a stream a part of a frame may be on its way, and what follows must be a
		// frame. A datagram that there was no room for needs no new connection.
		if w.address.stream() || !isBusy(err) {
			w.disconnect()
		}
		w.failed(err)
	}
	w.count.dropped.Add(uint64(w.queue.finish(batch, done, away)))
}

// succeeded remembers that the receiver is there. Of a datagram of UDP it is known
// only when the next is not refused.
func (w *writer) succeeded() {
	if w.failures == 0 {
		return
	}
	if w.address.network == "udp" && !w.doubtful {
		w.doubtful = true
		return
	}
	w.logger.Info("DogStatsD receiver is available again", "address", w.address.String())
	w.failures, w.doubtful = 0, false
}

// failed remembers that the receiver was not there, or took nothing.
func (w *writer) failed(err error) {
	w.doubtful = false
	if w.failures++; w.failures == 1 {
		w.logger.Warn("DogStatsD receiver is unavailable", "address", w.address.String(), "err", err)
	}
}

// write sends packets until one fails, and returns how many were sent.
func (w *writer) write(stop context.Context, batch []*packet) (sent int, err error) {
	if w.address.stream() {
		return w.writeFrames(batch)
	}
	for i, p := range batch {
		if err := writeDatagram(stop, w.conn, p.body(), w.timeout); err != nil {
			if errors.Is(err, syscall.ECONNREFUSED) && w.address.network == "udp" {
				// It was the datagram before that found nobody.
				return max(i-1, 0), err
			}
			return i, err
		}
	}
	return len(batch), nil
}

// writeFrames writes packets, each behind its length (4 bytes, little-endian),
// with one call of the system.
func (w *writer) writeFrames(batch []*packet) (sent int, err error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	w.vectors = w.vectors[:0]
	for _, p := range batch {
		binary.LittleEndian.PutUint32(p.buf, uint32(len(p.body())))
		w.vectors = append(w.vectors, p.buf)
	}
	vectors := w.vectors
	written, err := w.vectors.WriteTo(w.conn)
	w.vectors = vectors // WriteTo has moved it on.
	for sent < len(batch) && written >= int64(len(batch[sent].buf)) {
		written -= int64(len(batch[sent].buf))
		sent++
	}
	return sent, err
}

// writeDatagram writes a datagram. Where the kernel has no room for it right now
// it tries again, after short pauses, until the time is over; for a receiver on a
// Unix socket whose queue is full package net waits by itself.
func writeDatagram(stop context.Context, conn net.Conn, body []byte, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	if err := conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		_, err := conn.Write(body)
		if err == nil || !isBusy(err) || time.Now().After(deadline) || !sleep(stop, pause) {
			return err
		}
	}
}

// isBusy says whether the receiver, or the way to it, was only full.
func isBusy(err error) bool {
	return errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EAGAIN) || errors.Is(err, os.ErrDeadlineExceeded)
}

// backoff returns how long to wait after so many failures in a row: about twice
// as long each time, and never as long as others that failed at the same moment.
func backoff(failures int) time.Duration {
	limit := min(firstBackoff<<min(failures-1, 16), maxBackoff)
	return limit/2 + rand.N(limit/2)
}

// sleep returns false if ctx ends before the time is over.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
