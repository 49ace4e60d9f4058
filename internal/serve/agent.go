package serve

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/flush"
	"github.com/kubestate/kubestate/kubewatch/lease"
	"github.com/kubestate/kubestate/metric"
)

// Agent has the sources of the metrics about the agent.
type Agent struct {
	Stats     func() agent.Stats
	Receivers func() []flush.Stats
}

// Rows returns the rows of the landing page about sinks.
func (a *Agent) Rows() []SinkRow {
	if a == nil {
		return nil
	}
	var rows []SinkRow
	receivers := a.Receivers()
	for i := range receivers {
		r := &receivers[i]
		rows = append(rows, SinkRow{
			Name: r.Name, Series: r.Series, Runs: r.Runs, Failed: r.Failed, Dropped: r.Sink.Dropped, LastSent: r.LastSent,
		})
	}
	return rows
}

// agentCollector collects metrics about the agent and its sinks.
type agentCollector struct {
	agent    Agent
	election func() lease.Status
	objects, series, groups, blocks, failures,
	leader, elections, leaseFailures,
	runs, runSeries, runDuration, lastSuccess,
	sent, payloads, bytes, rejected, dropped, retries, buffered *prometheus.Desc
}

func newAgentCollector(a Agent, election func() lease.Status) *agentCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("kubestate_"+name, help, labels, nil)
	}
	return &agentCollector{
		agent:         a,
		election:      election,
		objects:       desc("agent_objects", "Objects stored by the agent."),
		series:        desc("agent_series", "Series of objects and aggregations."),
		groups:        desc("agent_groups", "Groups of aggregations."),
		blocks:        desc("agent_blocks_total", "Tag blocks computed because objects changed."),
		failures:      desc("agent_collect_failures_total", "Objects with a metric family that could not be computed."),
		leader:        desc("agent_leader", "1 while this replica is the leader and sends, 0 otherwise."),
		elections:     desc("agent_elections_total", "Times this replica became the leader."),
		leaseFailures: desc("agent_lease_failures_total", "Failed attempts to acquire or renew the Lease."),
		runs:          desc("agent_runs_total", "Flushes to the sink by result: success, failed, or skipped because the previous one had not finished.", "sink", "result"),
		runSeries:     desc("agent_run_series", "Series in the last flush to the sink.", "sink"),
		runDuration:   desc("agent_run_duration_seconds", "Duration of the last flush to the sink, in seconds.", "sink"),
		lastSuccess:   desc("agent_last_success_timestamp_seconds", "Start of the last successful flush to the sink, in Unix seconds.", "sink"),
		sent:          desc("sink_series_total", "Series and service checks accepted by the receiver.", "sink"),
		payloads:      desc("sink_payloads_total", "Requests, datagrams or lines accepted by the receiver.", "sink"),
		bytes:         desc("sink_bytes_total", "Bytes sent, without protocol headers.", "sink"),
		rejected:      desc("sink_rejected_series_total", "Series permanently rejected by the receiver.", "sink"),
		dropped:       desc("sink_dropped_series_total", "Series dropped because the buffer was full or they could not be sent.", "sink"),
		retries:       desc("sink_retries_total", "Payloads that were retried.", "sink"),
		buffered:      desc("sink_buffered_payloads", "Payloads waiting to be sent.", "sink"),
	}
}

// Describe implements prometheus.Collector.
func (c *agentCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *agentCollector) Collect(ch chan<- prometheus.Metric) {
	gauge, counter := senders(ch)
	s := c.agent.Stats()
	gauge(c.objects, float64(s.Objects))
	gauge(c.series, float64(s.Series))
	gauge(c.groups, float64(s.Groups))
	counter(c.blocks, s.Blocks)
	counter(c.failures, s.Failures)
	if c.election == nil {
		gauge(c.leader, 1)
	} else {
		election := c.election()
		gauge(c.leader, metric.Float(election.Leading))
		counter(c.elections, election.Acquired)
		counter(c.leaseFailures, election.Failures)
	}
	receivers := c.agent.Receivers()
	for i := range receivers {
		r := &receivers[i]
		counter(c.runs, r.Runs-r.Failed, r.Name, "success")
		counter(c.runs, r.Failed, r.Name, "failed")
		counter(c.runs, r.Skipped, r.Name, "skipped")
		gauge(c.runSeries, float64(r.Series), r.Name)
		gauge(c.runDuration, r.Duration.Seconds(), r.Name)
		if !r.LastSent.IsZero() {
			gauge(c.lastSuccess, float64(r.LastSent.UnixMilli())/1000, r.Name)
		}
		counter(c.sent, r.Sink.Series, r.Name)
		counter(c.payloads, r.Sink.Payloads, r.Name)
		counter(c.bytes, r.Sink.Bytes, r.Name)
		counter(c.rejected, r.Sink.Rejected, r.Name)
		counter(c.dropped, r.Sink.Dropped, r.Name)
		counter(c.retries, r.Sink.Retries, r.Name)
		gauge(c.buffered, float64(r.Sink.Buffered), r.Name)
	}
}
