package main

import (
	"context"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/kubestate/kubestate/internal/conf"
)

// How much the heap may grow between two garbage collections, in percent of the live heap.
// Most of the heap is compressed text, which the collector does not scan, so frequent
// collections are cheap and save memory. During the initial lists there is more garbage and
// less live memory.
const (
	gcPercentReading = 25
	gcPercentSteady  = 10
)

// setGCPercent sets how often garbage is collected, unless GOGC is set.
func setGCPercent(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// limitMemory sets the memory limit of the Go runtime to a ratio of the container limit
// that provider returns, if enabled. GOMEMLIMIT in the environment takes precedence.
func limitMemory(o conf.MemoryOptions, provider memlimit.Provider, log *slog.Logger) {
	if !o.Auto {
		return
	}
	if limit := os.Getenv("GOMEMLIMIT"); limit != "" {
		log.Info("keeping memory limit of GOMEMLIMIT", "limit", limit)
		return
	}
	limit, err := memlimit.Set(memlimit.WithProvider(provider), memlimit.WithRatio(o.Ratio))
	switch {
	case err != nil:
		log.Warn("cannot set memory limit", "err", err)
	case limit == math.MaxInt64:
		log.Info("setting no memory limit: the container has none")
	default:
		log.Info("set memory limit", "bytes", limit)
	}
}

// Freed memory is returned to the operating system at intervals, if enough was allocated in
// between.
const (
	releaseInterval = 30 * time.Second
	worthReleasing  = 4 << 20 // bytes allocated since the last time
)

// settle returns memory to the operating system: after the initial lists, and later after
// bursts of changes and large responses.
func settle(ctx context.Context, ready func(ctx context.Context) error) {
	if ready(ctx) != nil {
		return
	}
	setGCPercent(gcPercentSteady)
	debug.FreeOSMemory()
	if os.Getenv("GOGC") != "" {
		return
	}
	tick := time.NewTicker(releaseInterval)
	defer tick.Stop()
	for before := allocated(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if now := allocated(); now-before > worthReleasing {
			debug.FreeOSMemory()
			before = now
		}
	}
}

// allocated returns how many bytes were allocated since the start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
