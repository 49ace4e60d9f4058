package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Limits of steady memory depend on the size of the cluster.
const (
	largeCluster = 100_000 // pods
	changedShare = 0.01    // of all objects, in the rows about change
	manyScrapes  = 20      // after which memory is read again
)

// result is the measured result of a scenario.
type result struct {
	scenario
	Objects    int        `json:"objects"`
	Series     int        `json:"series"`
	Changed    int        `json:"changed_objects"` // by a change of 1 %
	References references `json:"references"`
	Rows       []row      `json:"rows"`
	// Agent is the measurement of the agent; its rows are in Rows.
	Agent *agentResult `json:"agent,omitempty"`
}

// measurement is a scenario being measured: its processes and results so far.
type measurement struct {
	*result
	pace      pace
	programs  programs
	progress  io.Writer
	cluster   *clusterProcess
	kubestate *kubestate
	scraper   *scraper
	started   time.Time
}

// measure runs a scenario. Long steps are announced on progress.
func measure(ctx context.Context, s scenario, p programs, pace pace, progress io.Writer) (*result, error) {
	m := &measurement{result: &result{scenario: s}, pace: pace, programs: p, progress: progress, started: time.Now()}
	m.say("generating the cluster")
	var err error
	if m.cluster, err = startCluster(ctx, p, s.Nodes, s.Pods); err != nil {
		return nil, err
	}
	defer m.cluster.end()
	m.say("measuring U")
	if err := m.References.measureU(ctx, m.cluster.url); err != nil {
		return nil, err
	}
	m.say("starting kubestate")
	begun := time.Now()
	if m.kubestate, err = startKubestate(ctx, p, m.cluster); err != nil {
		return nil, err
	}
	defer m.kubestate.end()
	m.scraper = newScraper(m.kubestate.metrics)
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return m.start(ctx, begun) },
		m.measureBody, m.scrapeUnchanged, m.scrapeChanged, m.scrapeAfterQuiet, m.scrapePlain,
		m.memoryAfterScrapes, m.scrapeUnderChurn, m.render, m.agent,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	m.say("done")
	m.complete()
	return m.result, nil
}

func (m *measurement) say(what string) {
	_, _ = fmt.Fprintf(m.progress, "%s  %5.0fs  %s\n", m.Name, time.Since(m.started).Seconds(), what)
}

// start waits until everything is listed and the program is idle, and then for memory
// to settle. Ratios to B are completed once B is known.
func (m *measurement) start(ctx context.Context, begun time.Time) error {
	if err := m.kubestate.awaitReady(ctx); err != nil {
		return err
	}
	ready := time.Since(begun)
	m.say("waiting until kubestate rests")
	if err := m.kubestate.awaitRest(ctx, m.pace.settle); err != nil {
		return err
	}
	cpu, err := cpuTime(m.kubestate.pid)
	if err != nil {
		return err
	}
	atPeak, err := memoryOf(m.kubestate.pid)
	if err != nil {
		return err
	}
	if err := sleep(ctx, m.pace.rest); err != nil {
		return err
	}
	steady, err := memoryOf(m.kubestate.pid)
	if err != nil {
		return err
	}
	limit := 0.5
	if m.Pods >= largeCluster {
		limit = 0.35
	}
	m.add(row{What: "memory at rest", Figure: steady.resident, Unit: bytesUnit, Reference: referenceB, Limit: &limit})
	m.add(row{What: "peak while starting", Figure: atPeak.peak, Unit: bytesUnit, Reference: "at rest", ReferenceValue: steady.resident, Limit: new(1.3)})
	m.add(row{What: "processor time from start to read and sealed", Figure: cpu.Seconds(), Unit: secondsUnit, Reference: referenceU, Limit: new(2.5), Aim: 2})
	m.add(row{What: "time from start to ready", Figure: ready.Seconds(), Unit: secondsUnit, Reference: referenceU})
	return nil
}

// measureBody gets the plain body once, checks that it has every object, and
// measures G and B. It goes through a file, as it may be a gigabyte.
func (m *measurement) measureBody(ctx context.Context) error {
	m.say("measuring G")
	file, err := os.CreateTemp("", "kubestate-bench-*.txt")
	if err != nil {
		return fmt.Errorf("keep the body: %w", err)
	}
	defer func() { _ = errors.Join(file.Close(), os.Remove(file.Name())) }() // a file left among temporary ones
	if _, err := m.scraper.scrape(ctx, plainForm(), file); err != nil {
		return err
	}
	if err := m.References.measureG(file); err != nil {
		return err
	}
	m.say("checking the body")
	shown, err := readFile(file)
	if err != nil {
		return fmt.Errorf("the body does not parse: %w", err)
	}
	objects, err := m.cluster.count()
	if err != nil {
		return err
	}
	m.Objects, m.Series = sum(objects), sum(shown)
	return compareObjects(shown, objects)
}

// scrapeRow adds a row about scrapes.
func (m *measurement) scrapeRow(what string, s scrapes, limit *float64, aim float64, wanted string) {
	r := row{What: what, Figure: s.median(), Unit: secondsUnit, Reference: referenceG, Limit: limit, Aim: aim,
		ServerCPU: s.cpuEach(), Samples: seconds(s.walls)}
	if s.encoding != wanted {
		r.Note = notCompressed
	}
	m.add(r)
}

const notCompressed = "the server did not compress"

func (m *measurement) scrapeUnchanged(ctx context.Context) error {
	m.say("scraping, nothing changed")
	s, err := m.repeat(ctx, m.pace.scrapes, gzipForm(), nil)
	if err != nil {
		return err
	}
	m.scrapeRow("gzip scrape, nothing changed", s, new(1.0/100), 0, "gzip")
	size := row{What: "size of the gzip body", Figure: float64(s.size), Unit: bytesUnit, Reference: "compress/gzip", ReferenceValue: m.References.GzipSize, Limit: new(1.15)}
	if s.encoding != "gzip" {
		size.Note = notCompressed
	}
	m.add(size)
	return nil
}

// add appends a row; result.complete fills in what follows from it.
func (m *measurement) add(r row) { m.Rows = append(m.Rows, r) }

func (m *measurement) repeat(ctx context.Context, n int, f form, before func() error) (scrapes, error) {
	return m.scraper.repeat(ctx, m.kubestate.pid, n, f, before)
}

// change changes 1 % of the objects and returns when kubestate has stored that.
func (m *measurement) change(ctx context.Context) error {
	before, err := m.kubestate.events(ctx)
	if err != nil {
		return err
	}
	changes, err := m.cluster.change(changedShare)
	if err != nil {
		return err
	}
	m.Changed = 0
	for _, c := range changes {
		m.Changed += c.Objects
	}
	return m.kubestate.awaitChanges(ctx, before, changes)
}

func (m *measurement) scrapeChanged(ctx context.Context) error {
	m.say("scraping, 1 % changed before each scrape")
	s, err := m.repeat(ctx, m.pace.scrapes, gzipForm(), func() error { return m.change(ctx) })
	if err != nil {
		return err
	}
	m.scrapeRow("gzip scrape right after 1 % changed", s, new(1.0/30), 1.0/50, "gzip")
	return nil
}

// scrapeAfterQuiet pauses between change and scrape, and measures the program
// meanwhile.
func (m *measurement) scrapeAfterQuiet(ctx context.Context) error {
	m.say("scraping, 1 % changed and a quiet moment before each scrape")
	var absorbed []time.Duration
	s, err := m.repeat(ctx, max(1, m.pace.scrapes/3), gzipForm(), func() error {
		start, err := cpuTime(m.kubestate.pid)
		if err != nil {
			return err
		}
		if err := m.change(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, m.pace.quiet); err != nil {
			return err
		}
		end, err := cpuTime(m.kubestate.pid)
		absorbed = append(absorbed, end-start)
		return err
	})
	if err != nil {
		return err
	}
	m.scrapeRow(fmt.Sprintf("gzip scrape %s after 1 %% changed", m.pace.quiet), s, new(1.0/30), 1.0/50, "gzip")
	m.add(row{What: "processor time to take in 1 % changed", Figure: median(absorbed).Seconds(), Unit: secondsUnit, Reference: referenceG})
	return nil
}

func (m *measurement) scrapePlain(ctx context.Context) error {
	m.say("scraping without compression")
	s, err := m.repeat(ctx, m.pace.scrapes, plainForm(), nil)
	if err != nil {
		return err
	}
	m.scrapeRow("plain scrape", s, new(0.1), 0, "")
	return nil
}

func (m *measurement) memoryAfterScrapes(ctx context.Context) error {
	m.say("reading memory after scrapes")
	for i := range manyScrapes {
		f := gzipForm()
		if i%2 == 1 {
			f = plainForm()
		}
		if _, err := m.scraper.scrape(ctx, f, nil); err != nil {
			return err
		}
	}
	if err := m.addMemory(fmt.Sprintf("memory right after %d scrapes", manyScrapes)); err != nil {
		return err
	}
	if err := sleep(ctx, m.pace.rest); err != nil {
		return err
	}
	return m.addMemory("memory at rest after changes and scrapes")
}

func (m *measurement) addMemory(what string) error {
	now, err := memoryOf(m.kubestate.pid)
	m.add(row{What: what, Figure: now.resident, Unit: bytesUnit, Reference: referenceB})
	return err
}

func (m *measurement) scrapeUnderChurn(ctx context.Context) error {
	if m.Churn == 0 {
		return nil
	}
	m.say("scraping under change")
	if err := m.cluster.churn(m.Churn); err != nil {
		return err
	}
	s, err := m.repeat(ctx, m.pace.scrapes, gzipForm(), func() error { return sleep(ctx, min(time.Second, m.pace.quiet)) })
	if err != nil {
		return err
	}
	m.scrapeRow(fmt.Sprintf("gzip scrape while %g objects change a second", m.Churn), s, nil, 0, "gzip")
	return m.cluster.churn(0)
}

func (m *measurement) render(ctx context.Context) error {
	allocations, err := renderAllocations(ctx, m.cluster.url)
	m.add(row{What: "render one pod, all families", Figure: allocations, Unit: allocationsUnit, Limit: new(0.0)})
	return err
}
