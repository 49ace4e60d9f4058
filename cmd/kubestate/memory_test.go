package main

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/kubestate/kubestate/internal/conf"
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

func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	gigabyte := memlimit.Limit(1 << 30)
	none := func() (uint64, error) { return 0, memlimit.ErrNoLimit }
	broken := func() (uint64, error) { return 0, memlimit.ErrNoCgroup }
	for _, c := range []struct {
		options  conf.MemoryOptions
		provider memlimit.Provider
		env      string
		want     int64
		log      string
	}{
		{conf.MemoryOptions{Ratio: 0.9}, gigabyte, "", before, ""},
		{conf.MemoryOptions{Auto: true, Ratio: 0.5}, gigabyte, "", 1 << 29, "level=INFO msg=\"set memory limit\" bytes=536870912"},
		{conf.MemoryOptions{Auto: true, Ratio: 0.5}, none, "", math.MaxInt64, "level=INFO msg=\"setting no memory limit: the container has none\""},
		{conf.MemoryOptions{Auto: true, Ratio: 0.5}, broken, "", before, "level=WARN msg=\"cannot set memory limit\" err=\"failed to set GOMEMLIMIT: process is not in cgroup\""},
		{conf.MemoryOptions{Auto: true, Ratio: 0.5}, gigabyte, "2GiB", before, "level=INFO msg=\"keeping memory limit of GOMEMLIMIT\" limit=2GiB"},
	} {
		debug.SetMemoryLimit(before)
		t.Setenv("GOMEMLIMIT", c.env)
		var log bytes.Buffer
		limitMemory(c.options, c.provider, slog.New(slog.NewTextHandler(&log, nil)))
		if got := debug.SetMemoryLimit(-1); got != c.want || !strings.HasSuffix(strings.TrimSpace(log.String()), c.log) {
			t.Errorf("%+v, GOMEMLIMIT %q: limit %d, want %d; log %s, want %s", c.options, c.env, got, c.want, log.String(), c.log)
		}
	}
}
