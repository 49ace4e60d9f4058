package main

import (
	"context"
	"os"
	"runtime/debug"
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

// settle gives back the memory that reading everything took, once it is read.
func settle(ctx context.Context, ready func() error) {
	if !await(ctx, func() bool { return ready() == nil }) {
		return
	}
	collectOften(gcPercentSteady)
	debug.FreeOSMemory()
}
