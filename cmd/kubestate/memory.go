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

// How much the heap may grow between two garbage collections, in percent of what
// is alive. Most of it is compressed text, which the collector does not look into:
// collecting often is cheap, and memory is what users count. While everything is
// read for the first time there is more garbage and less alive.
const (
	gcPercentReading = 25
	gcPercentSteady  = 10
)

// collectOften sets how often garbage is collected, unless the user has.
func collectOften(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// limitMemory sets the memory limit of the Go runtime as options say, from the limit of the
// container that provider returns. GOMEMLIMIT in the environment has priority.
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

// What the collector would leave lying until the heap grows again is given back
// at intervals, where it can be worth that.
const (
	releaseInterval = 30 * time.Second
	worthReleasing  = 4 << 20 // bytes that were allocated since the last time
)

// settle gives back the memory that reading everything took, once it is read, and
// later that of bursts of changes and of large responses, once they are over.
func settle(ctx context.Context, ready func(ctx context.Context) error) {
	if ready(ctx) != nil {
		return
	}
	collectOften(gcPercentSteady)
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
