package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	refs := references{G: 2, U: 1, B: 100e6}
	for _, test := range []struct {
		row                    row
		ratio, target, verdict string
	}{
		{row{Figure: 0.02, Unit: secondsUnit, Reference: referenceG, Limit: new(0.01)}, "G/100", "≤ G/100", "pass"},
		{row{Figure: 0.1, Unit: secondsUnit, Reference: referenceG, Limit: new(1.0 / 30), Aim: 1.0 / 50}, "G/20", "≤ G/30, aim G/50", "FALLS SHORT"},
		{row{Figure: 0.02, Unit: secondsUnit, Reference: referenceG, Limit: new(0.1)}, "0.01 G", "≤ 0.10 G", "pass"},
		{row{Figure: 0.001, Unit: secondsUnit, Reference: referenceG, Limit: new(0.1), Note: notCompressed}, "0.00 G", "≤ 0.10 G", "FALLS SHORT: " + notCompressed},
		{row{Figure: 40e6, Unit: bytesUnit, Reference: referenceB, Limit: new(0.35)}, "0.40 B", "≤ 0.35 B", "FALLS SHORT"},
		{row{Figure: 13, Unit: bytesUnit, Reference: "at rest", ReferenceValue: 10, Limit: new(1.3)}, "1.30 at rest", "≤ 1.30 at rest", "pass"},
		{row{Figure: 3, Unit: secondsUnit, Reference: referenceU}, "3.00 U", "", ""},
		{row{Figure: 0.05, Unit: secondsUnit, Reference: referenceOldWay, ReferenceValue: 6, Limit: new(0.01)},
			"1/120 of the old way", "≤ 1/100 of the old way", "pass"},
		{row{Figure: 90e-9, Unit: secondsUnit, Aim: 150e-9}, "90.0 ns", "aim 150 ns", ""},
		{row{Figure: 0, Unit: allocationsUnit, Limit: new(0.0)}, "0", "≤ 0", "pass"},
		{row{Figure: 2, Unit: allocationsUnit, Limit: new(0.0)}, "2", "≤ 0", "FALLS SHORT"},
	} {
		r := result{References: refs, Rows: []row{test.row}}
		r.complete()
		got := &r.Rows[0]
		ratio := got.times(got.Ratio, got.fraction())
		if ratio != test.ratio || got.target() != test.target || got.verdict() != test.verdict {
			t.Errorf("%+v: ratio %q, target %q, verdict %q; want %q, %q, %q", test.row, ratio, got.target(), got.verdict(), test.ratio, test.target, test.verdict)
		}
	}
}

func TestGrowth(t *testing.T) {
	of := func(nodes, pods int, seconds, bytes float64) *result {
		return &result{scenario: scenario{Nodes: nodes, Pods: pods}, Objects: pods, References: references{G: 1, U: 1, B: bytes},
			Rows: []row{{What: "scrape", Figure: seconds, Unit: secondsUnit, Limit: new(1.0)}, {What: "render", Unit: allocationsUnit}}}
	}
	if rows := growth([]*result{of(10, 100, 1, 1), of(50, 400, 1, 1)}); rows != nil {
		t.Errorf("4 times the pods are compared as 5 times: %v", rows)
	}
	rows := growth([]*result{of(1, 10, 1, 1), of(50, 500, 6, 5), of(10, 100, 1, 1)})
	if len(rows) != 5 || rows[4].What != "scrape" || rows[4].Ratio != 6 || rows[4].Pass || !rows[1].Pass {
		t.Errorf("rows %+v, want four that inform and a scrape that grew 6 times", rows)
	}
	var out strings.Builder
	writeGrowth(&out, rows)
	if !strings.Contains(out.String(), "FALLS SHORT") {
		t.Errorf("the table does not say so:\n%s", out.String())
	}
}

func TestShow(t *testing.T) {
	for want, got := range map[string]string{
		"1.23 s": show(1.2345, secondsUnit), "12.3 ms": show(0.0123, secondsUnit), "50.0 µs": show(50e-6, secondsUnit), "0 s": show(0, secondsUnit), "147 ns": show(147e-9, secondsUnit),
		"1.05 GB": show(1.05e9, bytesUnit), "221 MB": show(221e6, bytesUnit), "12 bytes": strings.Replace(show(12, bytesUnit), "12.0", "12", 1),
		"3 objects": thousands(3) + " objects", "1,234,567": thousands(1234567), "100,000": thousands(100_000), "999": thousands(999),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []time.Duration
		want   time.Duration
	}{{nil, 0}, {[]time.Duration{3}, 3}, {[]time.Duration{9, 1, 5}, 5}, {[]time.Duration{8, 2, 4, 100}, 6}} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %d, want %d", test.values, got, test.want)
		}
	}
}

func TestCompareReadings(t *testing.T) {
	steady := make([]reading, 30)
	for i := range steady {
		steady[i] = reading{goroutines: 100 + float64(i%3), heap: 1e7 + 1e5*float64(i%2), resident: 5e7}
	}
	var out bytes.Buffer
	if err := compareReadings(&out, steady); err != nil {
		t.Error(err)
	}
	for what, leak := range map[string]func(*reading, float64){
		"goroutines":            func(r *reading, i float64) { r.goroutines += i },
		"heap after collection": func(r *reading, i float64) { r.heap += 1e5 * i },
		"resident memory":       func(r *reading, i float64) { r.resident += 1e6 * i },
	} {
		leaking := append([]reading(nil), steady...)
		for i := range leaking {
			leak(&leaking[i], float64(i))
		}
		if err := compareReadings(&out, leaking); err == nil || !strings.Contains(err.Error(), what+" grew from ") {
			t.Errorf("%s leak: %v", what, err)
		}
	}
	if err := compareReadings(&out, steady[:5]); err != nil {
		t.Error(err)
	}
}

func TestParseProc(t *testing.T) {
	stat := []byte("42 (a) b (c) S 1 42 42 0 -1 4194304 98 0 0 0 250 31 0 0 20 0 1 0 1877747 3133440 381\n")
	if got, err := parseStat(stat); err != nil || got != 2810*time.Millisecond {
		t.Errorf("%v, %v; want 2.81 s", got, err)
	}
	if _, err := parseStat([]byte("42 (a) S 1 42")); err == nil {
		t.Error("no error for a line that is too short")
	}
	m, err := parseStatus("Name:\tkubestate\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n")
	if err != nil || m.resident != 1<<20 || m.peak != 2<<20 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := parseStatus("Name:\tkubestate\n"); err == nil {
		t.Error("no error without memory")
	}
}
