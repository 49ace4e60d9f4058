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

// A full buffer drops the oldest payloads, but not the one that is being sent.
func TestFull(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaa")
		synctest.Wait() // an attempt to send it is in progress
		put(q, "bbb", "ccc", "dd", "ee", "fffff")
		checkStats(t, q, sink.Stats{Buffered: 3, Dropped: 3 + 3 + 2})
		r.become(nil)
		checkErr(t, q.Flush(hour), "test: dropped 8 series in 3 payloads: buffer full")
		checkGot(t, r, "aaa", "aaa", "ee", "fffff")
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Series: 10, Payloads: 3, Bytes: 10, Dropped: 8, Retries: 1})
	})
}

// A payload that does not fit even if all others are dropped costs none of them its
// place.
func TestFullEvenIfOthersAreDropped(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaaa")
		synctest.Wait() // an attempt to send it is in progress
		put(q, "bb", "cc", "ddddddd")
		checkStats(t, q, sink.Stats{Buffered: 3, Dropped: 7})
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped 7 series in 1 payload: buffer full")
		checkGot(t, r, "aaaa", "aaaa", "bb", "cc")
	})
}

// A payload that fits exactly next to the one that is being sent replaces the others.
func TestFullNextToPayloadBeingSent(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaaa")
		synctest.Wait() // an attempt to send it is in progress
		put(q, "bb", "cc", "dddddd")
		checkStats(t, q, sink.Stats{Buffered: 2, Dropped: 4})
		r.become(nil)
		_ = q.Close(hour)
		checkGot(t, r, "aaaa", "aaaa", "dddddd")
	})
}

// A payload expires exactly at its time and frees its place in the buffer.
func TestExpired(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: down}
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

// Unsupported service checks are counted each time, logged once, and no error.
func TestLeaveOutChecks(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		var log bytes.Buffer
		q := newQueue(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, &peer{})
		for n := range 4 {
			q.LeaveOutChecks(slices.Values(make([]*sink.Check, n)))
		}
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Dropped: 6})
		if got := strings.Count(log.String(), `level=WARN msg="test: protocol has no service checks; dropping them"`); got != 1 {
			t.Errorf("logged %d times:\n%s", got, &log)
		}
	})
}

// Payloads that waited too long are dropped, younger ones are sent.
func TestDropsOnlyExpired(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: down}
		q := newQueue(Config{}, r)
		for _, minutes := range []int{10, 10, 30} {
			q.Put(Payload{Body: fmt.Append(nil, minutes), Series: 2, Expires: time.Now().Add(time.Duration(minutes) * time.Minute)})
		}
		put(q, "never")
		_ = q.Flush(within(t, 9*time.Minute)) // fails: payloads still wait
		checkStats(t, q, sink.Stats{Buffered: 4, Retries: q.Stats().Retries})
		checkErr(t, q.Flush(within(t, 10*time.Minute)), "test: dropped 4 series in 2 payloads: too old for the receiver\n"+
			"test: 7 series in 2 payloads still buffered: context deadline exceeded; last attempt: receiver down")
		r.take()
		r.become(nil)
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, "30", "never")
	})
}

// In the pause between two attempts, the oldest payload can be dropped like any other.
func TestFullInPause(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: down}
		q := newQueue(Config{Buffer: 3}, r)
		put(q, "aaa")
		synctest.Wait()
		put(q, "bb")
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped 3 series in 1 payload: buffer full")
		checkGot(t, r, "aaa", "bb")
		checkStats(t, q, sink.Stats{Series: 2, Payloads: 1, Bytes: 2, Dropped: 3})
	})
}

// A payload larger than the buffer costs no other payload its place.
func TestTooLarge(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: down}
		q := newQueue(Config{Buffer: 3}, r)
		put(q, "aa", "bbbb")
		checkStats(t, q, sink.Stats{Buffered: 1, Dropped: 4})
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped 4 series in 1 payload: payload larger than the buffer")
		checkGot(t, r, "aa", "aa")
	})
}

// A buffer that is full to the last byte loses nothing.
func TestBufferFullToLastByte(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: down}
		q := newQueue(Config{Buffer: 1000}, r)
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprintf("%010d", i))
		}
		put(q, want...)
		checkStats(t, q, sink.Stats{Buffered: 100})
		_ = q.Flush(within(t, time.Minute)) // fails: payloads still wait
		r.take()
		r.become(nil)
		checkErr(t, q.Flush(hour), "<nil>")
		put(q, want...) // there is room again
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, slices.Concat(want, want)...)
	})
}
