package dogstatsd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
	// The address of a named UDP receiver may change without an error.
	resolveEvery = time.Minute
)

// writer sends packets from its queue to the receiver, on its own goroutine. It
// connects when there is something to send, and reconnects with back-off.
type writer struct {
	address address
	timeout time.Duration
	queue   *queue
	count   *counters
	logger  *slog.Logger

	conn      net.Conn // nil: not connected
	connected time.Time
	release   func() bool // stops the AfterFunc that closes conn when stop ends
	failures  int         // since the last batch was sent without an error
	doubtful  bool        // a batch was sent, but nobody may have received it
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

// connect returns true when connected, and false when stop has ended.
func (w *writer) connect(stop context.Context) bool {
	for w.conn == nil {
		if w.failures > 0 && !sleep(stop, backoff(w.failures)) {
			return false
		}
		conn, err := w.dial(stop)
		if err != nil {
			w.failed(err)
			w.queue.setDown()
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

// use sets the connection. When stop ends, conn is closed, which interrupts a blocked
// write.
func (w *writer) use(stop context.Context, conn net.Conn) {
	w.conn, w.connected = conn, time.Now()
	w.release = context.AfterFunc(stop, func() { _ = conn.Close() })
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	w.release()
	_ = w.conn.Close() // nothing is buffered in it
	w.conn = nil
}

// refresh resolves the name of a UDP receiver again from time to time.
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

// settle handles the outcome of a batch: the first packets were sent, then err
// occurred.
func (w *writer) settle(batch []*packet, sent int, err error) {
	for _, p := range batch[:sent] {
		w.count.series.Add(uint64(p.lines))
		w.count.payloads.Add(1)
		w.count.bytes.Add(uint64(len(p.body())))
	}
	done, down := sent, err != nil
	switch {
	case err == nil:
		w.succeeded()
	case errors.Is(err, syscall.EMSGSIZE):
		w.logger.Warn("dropped DogStatsD packet that is too large for the network", "address", w.address.String(), "size", fmt.Sprintf("%d bytes", len(batch[sent].body())))
		w.count.oversize.Add(uint64(batch[sent].lines))
		w.count.dropped.Add(uint64(batch[sent].lines))
		done, down = sent+1, false
	case errors.Is(err, net.ErrClosed): // stop has ended
	default:
		w.count.retries.Add(1)
		// A stream may have sent part of a frame, and a new frame must follow. A
		// datagram that did not fit into a full buffer needs no new connection.
		if w.address.stream() || !isBusy(err) {
			w.disconnect()
		}
		w.failed(err)
	}
	w.count.dropped.Add(uint64(w.queue.finish(batch, done, down)))
}

// succeeded records that the receiver is up. For UDP that is known only if the next
// datagram is not rejected.
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

// failed records that the receiver is down or accepts nothing.
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
				// It was the previous datagram that nobody received.
				return max(i-1, 0), err
			}
			return i, err
		}
	}
	return len(batch), nil
}

// writeFrames writes packets, each prefixed with its length (4 bytes, little-endian),
// in one system call.
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
	w.vectors = vectors // WriteTo has advanced it
	for sent < len(batch) && written >= int64(len(batch[sent].buf)) {
		written -= int64(len(batch[sent].buf))
		sent++
	}
	return sent, err
}

// writeDatagram writes a datagram. If the kernel has no buffer space, it retries after
// short pauses until the timeout. For Unix sockets with a full queue, package net waits
// by itself.
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

// isBusy reports whether the receiver or the network buffer was merely full.
func isBusy(err error) bool {
	return errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EAGAIN) || errors.Is(err, os.ErrDeadlineExceeded)
}

// backoff returns the pause after consecutive failures: doubling, with jitter.
func backoff(failures int) time.Duration {
	limit := min(firstBackoff<<min(failures-1, 16), maxBackoff)
	return limit/2 + rand.N(limit/2)
}

// sleep returns false if ctx ends first.
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
