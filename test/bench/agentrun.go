package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	library "github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/test/bench/oldway"
)

const referenceOldWay = "the old way"

// agentMeasurement is the agent and the old way side by side, fed from one cluster.
type agentMeasurement struct {
	*agentResult
	progress io.Writer
	cluster  *fedCluster

	agent      *agent.Agent
	reader     *agent.Reader
	agentFeeds map[string]feed
	exporter   *library.Exporter // scraped by the old way
	exportFed  map[string]feed

	ours, oldWay, takenIn []cost
}

// measureAgent measures flushes of both, after changes of 1 % of the objects, and then
// sending to each sink.
func measureAgent(ctx context.Context, nodes, pods, runs int, progress io.Writer) (*agentResult, error) {
	m := &agentMeasurement{agentResult: &agentResult{Nodes: nodes, Pods: pods}, progress: progress}
	var err error
	if m.cluster, err = newFedCluster(nodes, pods); err != nil {
		return nil, err
	}
	memory, err := m.start()
	if err != nil {
		return nil, err
	}
	for range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.round(ctx); err != nil {
			return nil, err
		}
	}
	m.rows()
	m.Rows = append(m.Rows, memory)
	return m.agentResult, m.emit(ctx)
}

// start makes Agent and Exporter of all objects and returns the row about the
// Agent's memory.
func (m *agentMeasurement) start() (row, error) {
	memory := row{What: "agent: memory it adds", Unit: bytesUnit, Reference: referenceB, Aim: 0.5}
	var err error
	if memory.ReferenceValue, err = m.plainSize(); err != nil {
		return memory, err
	}
	before := heap()
	if m.agent, err = agent.New(agent.Config{Scheme: datadog.Scheme()}); err != nil {
		return memory, err
	}
	if m.agentFeeds, err = feedsOf(m.agent.Tables(), func(r kind.Resource) (*agent.Feed, error) { return m.agent.NewFeed(r.Name) }); err != nil {
		return memory, err
	}
	if err := m.cluster.fill(m.agentFeeds); err != nil {
		return memory, err
	}
	m.reader = m.agent.NewReader()
	count(m.reader.Run(time.Now()))
	memory.Figure = heap() - before
	memory.judge()
	m.exporter, m.exportFed, err = m.newExporter(oldway.Config())
	return memory, err
}

// plainSize returns B, the size of the exposition with default configuration.
func (m *agentMeasurement) plainSize() (float64, error) {
	x, _, err := m.newExporter(library.Config{})
	if err != nil {
		return 0, err
	}
	var size counter
	err = x.Write(&size, exposition.Text, library.Selection{})
	return float64(size), err
}

func (m *agentMeasurement) newExporter(c library.Config) (*library.Exporter, map[string]feed, error) {
	x, err := library.New(c)
	if err != nil {
		return nil, nil, err
	}
	feeds, err := feedsOf(x.Tables(), x.NewFeed)
	if err != nil {
		return nil, nil, err
	}
	return x, feeds, m.cluster.fill(feeds)
}

// feedsOf returns a feed for each table.
func feedsOf[F feed](tables []*kind.Table, newFeed func(kind.Resource) (F, error)) (map[string]feed, error) {
	feeds := map[string]feed{}
	for _, t := range tables {
		f, err := newFeed(t.Resource)
		if err != nil {
			return nil, err
		}
		feeds[t.Name] = f
	}
	return feeds, nil
}

// heap returns how much memory is in use, in bytes.
func heap() float64 {
	runtime.GC()
	runtime.GC() // What lies in a sync.Pool survives one.
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

// round changes 1 % of the objects and runs both ways.
func (m *agentMeasurement) round(ctx context.Context) error {
	changed, err := m.cluster.churn.ChangeShare(changedShare)
	if err != nil {
		return err
	}
	m.Changed = 0
	for _, c := range changed {
		m.Changed += c.Objects
	}
	changes, err := m.cluster.changes()
	if err != nil {
		return err
	}
	apply(m.exportFed, changes)
	err = m.time(&m.takenIn, func() error { apply(m.agentFeeds, changes); return nil })
	if err != nil {
		return err
	}
	now := time.Now()
	err = m.time(&m.ours, func() error {
		m.Series, m.Checks = count(m.reader.Run(now))
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	return m.time(&m.oldWay, func() error { return m.theOldWay(now) })
}

// theOldWay scrapes everything and creates points from it.
func (m *agentMeasurement) theOldWay(now time.Time) error {
	start := time.Now()
	var body bytes.Buffer
	if err := m.exporter.Write(&body, exposition.Text, library.Selection{}); err != nil {
		return err
	}
	fetched := time.Since(start)
	points := 0
	times, err := oldway.New().Run(&body, now, func(oldway.Point) { points++ })
	m.OldWay = points
	_, _ = fmt.Fprintf(m.progress, "the old way: fetch %.2fs, parse %.2fs, join %.2fs, map %.2fs\n",
		fetched.Seconds(), times.Parse.Seconds(), times.Join.Seconds(), times.Map.Seconds())
	return err
}

// count is a null sink: it iterates over the run.
func count(r *sink.Run) (series, checks int) {
	for range r.Series {
		series++
	}
	for range r.Checks {
		checks++
	}
	for range r.Ended { // that takes the run a look at what was before
	}
	return series, checks
}

// cost is the cost of an operation.
type cost struct{ wall, cpu time.Duration }

// time measures do, from a heap without garbage.
func (m *agentMeasurement) time(costs *[]cost, do func() error) error {
	runtime.GC()
	before, err := ownTime()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := do(); err != nil {
		return err
	}
	wall := time.Since(start)
	after, err := ownTime()
	*costs = append(*costs, cost{wall, after - before})
	return err
}

// of returns the median of a part of costs, in seconds.
func of(costs []cost, part func(cost) time.Duration) float64 {
	parts := make([]time.Duration, len(costs))
	for i, c := range costs {
		parts[i] = part(c)
	}
	return median(parts).Seconds()
}

func wallOf(c cost) time.Duration { return c.wall }
func cpuOf(c cost) time.Duration  { return c.cpu }

// rows are those about runs.
func (m *agentMeasurement) rows() {
	add := func(what string, figure []cost, part func(cost) time.Duration, limit *float64) {
		r := row{What: what, Figure: of(figure, part), Unit: secondsUnit, Reference: referenceOldWay,
			ReferenceValue: of(m.oldWay, part), Limit: limit}
		r.judge()
		m.Rows = append(m.Rows, r)
	}
	add("agent: processor time of a run, 1 % changed", m.ours, cpuOf, new(1.0/100))
	add("agent: time of a run, 1 % changed", m.ours, wallOf, new(1.0/100))
	both := make([]cost, len(m.ours))
	for i := range both {
		both[i].cpu = m.ours[i].cpu + m.takenIn[i].cpu
	}
	add("agent: processor time of a run and of taking in 1 % changed", both, cpuOf, nil)
}
