package push

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// TestFull: the oldest payloads give way, the one that is being sent does not.
func TestFull(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaa")
		synctest.Wait() // an attempt to send it is under way
		put(q, "bbb", "ccc", "dd", "ee", "fffff")
		checkStats(t, q, sink.Stats{Buffered: 3, Dropped: 3 + 3 + 2})
		r.become(nil)
		checkErr(t, q.Flush(hour), "test: dropped: 8 series in 3 payloads: the buffer was full")
		checkGot(t, r, "aaa", "aaa", "ee", "fffff")
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Series: 10, Payloads: 3, Bytes: 10, Dropped: 8, Retries: 1})
	})
}

// TestFullInVain: a payload that would have no room though all others were dropped
// costs none of them its place.
func TestFullInVain(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaaa")
		synctest.Wait() // an attempt to send it is under way
		put(q, "bb", "cc", "ddddddd")
		checkStats(t, q, sink.Stats{Buffered: 3, Dropped: 7})
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped: 7 series in 1 payloads: the buffer was full")
		checkGot(t, r, "aaaa", "aaaa", "bb", "cc")
	})
}

// TestFullToLastByte: what fits exactly next to the payload that is being sent takes the
// place of the others.
func TestFullToLastByte(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaaa")
		synctest.Wait() // an attempt to send it is under way
		put(q, "bb", "cc", "dddddd")
		checkStats(t, q, sink.Stats{Buffered: 2, Dropped: 4})
		r.become(nil)
		_ = q.Close(hour)
		checkGot(t, r, "aaaa", "aaaa", "dddddd")
	})
}

// TestExpired: a payload expires at its very time, and its place in the buffer is free.
func TestExpired(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 3}, r)
		q.Put(Payload{Body: []byte("aaa"), Series: 3, Expires: time.Now()})
		synctest.Wait()
		checkGot(t, r)
		put(q, "b", "c")
		checkStats(t, q, sink.Stats{Buffered: 2, Dropped: 3})
		r.become(nil)
		_ = q.Close(hour)
	})
}

// TestLeaveOutChecks: what has no place is counted each time, told once, and no error.
func TestLeaveOutChecks(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		var log bytes.Buffer
		q := newQueue(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, &peer{})
		for n := range 4 {
			q.LeaveOutChecks(slices.Values(make([]*sink.Check, n)))
		}
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Dropped: 6})
		if got := strings.Count(log.String(), `level=WARN msg="test: the protocol has no place for service checks; they are dropped"`); got != 1 {
			t.Errorf("told %d times:\n%s", got, &log)
		}
	})
}

// TestExpires: what waited too long is dropped, and what is younger is sent.
func TestExpires(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{}, r)
		for _, minutes := range []int{10, 10, 30} {
			q.Put(Payload{Body: fmt.Append(nil, minutes), Series: 2, Expires: time.Now().Add(time.Duration(minutes) * time.Minute)})
		}
		put(q, "never")
		_ = q.Flush(within(t, 9*time.Minute)) // it says that they wait
		checkStats(t, q, sink.Stats{Buffered: 4, Retries: q.Stats().Retries})
		checkErr(t, q.Flush(within(t, 10*time.Minute)), "test: dropped: 4 series in 2 payloads: the receiver would not take what is that old\n"+
			"test: 2 payloads with 7 series still wait: context deadline exceeded; the last attempt: it is away")
		r.take()
		r.become(nil)
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, "30", "never")
	})
}

// TestFullInPause: between two attempts the oldest payload gives way like others.
func TestFullInPause(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 3}, r)
		put(q, "aaa")
		synctest.Wait()
		put(q, "bb")
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped: 3 series in 1 payloads: the buffer was full")
		checkGot(t, r, "aaa", "bb")
		checkStats(t, q, sink.Stats{Series: 2, Payloads: 1, Bytes: 2, Dropped: 3})
	})
}

// TestTooLarge: a payload larger than the buffer costs no other payload its place.
func TestTooLarge(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 3}, r)
		put(q, "aa", "bbbb")
		checkStats(t, q, sink.Stats{Buffered: 1, Dropped: 4})
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped: 4 series in 1 payloads: there is one that is larger than the buffer")
		checkGot(t, r, "aa", "aa")
	})
}

// TestBufferHolds puts until the buffer is full to the last byte: nothing is lost.
func TestBufferHolds(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 1000}, r)
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprintf("%010d", i))
		}
		put(q, want...)
		checkStats(t, q, sink.Stats{Buffered: 100})
		_ = q.Flush(within(t, time.Minute)) // it says that they wait
		r.take()
		r.become(nil)
		checkErr(t, q.Flush(hour), "<nil>")
		put(q, want...) // there is room again
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, slices.Concat(want, want)...)
	})
}
