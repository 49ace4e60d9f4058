package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// TestSettle: what a burst leaves is given back once it is over.
func TestSettle(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			settle(ctx, func(context.Context) error { return nil })
		}()
		synctest.Wait()
		const burst = 64 << 20
		kept := make([]byte, burst)
		time.Sleep(time.Second)
		with := inUse()
		runtime.KeepAlive(kept)
		time.Sleep(2 * releaseInterval)
		if without := inUse(); without > with-burst/2 {
			t.Errorf("%d bytes are in use after a burst of %d, %d were during it", without, burst, with)
		}
		cancel()
		<-ended
	})
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
