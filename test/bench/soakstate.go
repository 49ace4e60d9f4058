package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// reading is the state of the program at a moment.
type reading struct {
	goroutines float64
	heap       float64 // bytes, right after a collection
	resident   float64 // bytes
}

// observe reads the state of the program until ctx ends, and breaks all watches from
// time to time.
func (s *soak) observe(ctx context.Context) ([]reading, error) {
	var readings []reading
	lastBreak := time.Now()
	for sleep(ctx, s.sample) == nil {
		r, err := s.kubestate.state(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return readings, err
		}
		readings = append(readings, r)
		if time.Since(lastBreak) >= s.breaks {
			lastBreak = time.Now()
			if _, err := s.cluster.order(order{Break: true}); err != nil {
				return readings, err
			}
		}
	}
	return readings, nil
}

// state triggers a garbage collection in the program and reads its state.
func (k *kubestate) state(ctx context.Context) (reading, error) {
	var r reading
	if _, err := k.get(ctx, k.telemetry+"/debug/pprof/heap?gc=1"); err != nil {
		return r, fmt.Errorf("collect garbage: %w", err)
	}
	text, err := k.get(ctx, k.telemetry+"/metrics")
	if err != nil {
		return r, err
	}
	for name, field := range map[string]*float64{
		"go_goroutines": &r.goroutines, "go_memstats_heap_alloc_bytes": &r.heap, "process_resident_memory_bytes": &r.resident,
	} {
		err = errors.Join(err, eachSample(text, name, func(_ map[string]string, value float64) { *field = value }))
		if *field == 0 {
			err = errors.Join(err, fmt.Errorf("the telemetry port has no %s", name))
		}
	}
	return r, err
}

// Growth from the first third of a soak to the last that counts as a leak. Readings
// include scrapes in progress, so they vary.
const (
	heapGrowth      = 1.10
	residentGrowth  = 1.15
	goroutineGrowth = 1.10
	fewReadings     = 9 // fewer readings are not a sample
)

// compareReadings prints the first and the last third of the readings and returns
// an error for everything that grew. The first tenth, in which buffers reach
// their size, does not count.
func compareReadings(w io.Writer, readings []reading) error {
	readings = readings[len(readings)/10:]
	if len(readings) < fewReadings {
		_, _ = fmt.Fprintf(w, "\nOnly %d readings: too few to tell whether anything grows.\n", len(readings))
		return nil
	}
	third := len(readings) / 3
	first, last := readings[:third], readings[len(readings)-third:]
	lines := [][]string{{"median of", "first third", "last third", "ratio", "target", "verdict"}}
	var errs []error
	for _, of := range []struct {
		name  string
		field func(reading) float64
		unit  string
		limit float64
	}{
		{"goroutines", func(r reading) float64 { return r.goroutines }, "", goroutineGrowth},
		{"heap after collection", func(r reading) float64 { return r.heap }, bytesUnit, heapGrowth},
		{"resident memory", func(r reading) float64 { return r.resident }, bytesUnit, residentGrowth},
	} {
		before, after, verdict := middle(first, of.field), middle(last, of.field), "pass"
		if after > before*of.limit {
			verdict = "GROWS"
			errs = append(errs, fmt.Errorf("%s grew from %s to %s", of.name, show(before, of.unit), show(after, of.unit)))
		}
		lines = append(lines, []string{of.name, show(before, of.unit), show(after, of.unit),
			fmt.Sprintf("%.3f", after/before), fmt.Sprintf("≤ %.2f", of.limit), verdict})
	}
	fmt.Fprintln(w)
	writeTable(w, lines)
	return errors.Join(errs...)
}

// middle returns the median of a field.
func middle(readings []reading, field func(reading) float64) float64 {
	sorted := slices.SortedFunc(slices.Values(readings), func(a, b reading) int { return cmp.Compare(field(a), field(b)) })
	return field(sorted[len(sorted)/2])
}
