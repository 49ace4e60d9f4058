package serve

import (
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/crd"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/kubewatch/lease"
	"github.com/kubestate/kubestate/metric"
)

// Build identifies a build of the program.
type Build struct{ Version, Revision, Branch string }

// Sources are the sources of the metrics about the program.
type Sources struct {
	Build    Build
	Watches  func() []kubewatch.Status
	Exporter *kubestate.Exporter // nil: nothing is exported
	Agent    *Agent              // nil: nothing is pushed
	// Shard returns which shard this instance is, from 0, and how many there are; nil: 0 of 1.
	Shard    func() (ordinal, shards int)
	Election func() lease.Status // nil: this replica always leads
	Files    *ConfigFiles        // nil: there are none
	// Definitions counts CustomResourceDefinitions and their events; nil: custom resources are
	// not served.
	Definitions func() crd.Counts
}

// Telemetry has the metrics about the program itself.
type Telemetry struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

// NewTelemetry returns the metrics about the program, including those of the Go runtime and
// the process.
func NewTelemetry(s Sources) *Telemetry {
	t := &Telemetry{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Duration of requests to /metrics on the main port, in seconds.",
			Buckets: prometheus.DefBuckets, ConstLabels: prometheus.Labels{"handler": "metrics"},
		}, []string{"method"}),
	}
	t.registry.MustRegister(t.requests, buildInfo(s.Build), newCollector(s),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.Files != nil {
		t.registry.MustRegister(newConfigCollector(s.Files))
	}
	if s.Definitions != nil {
		t.registry.MustRegister(definitionMetrics(s.Definitions)...)
	}
	if s.Agent != nil {
		t.registry.MustRegister(newAgentCollector(*s.Agent, s.Election))
	}
	return t
}

// Handler serves the metrics about the program.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 10})
}

// Time wraps h to measure the duration of its requests.
func (t *Telemetry) Time(h http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(t.requests, h)
}

func buildInfo(b Build) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kube_state_metrics_build_info", Help: "Version, revision and platform of the build, as labels. Always 1.",
		ConstLabels: prometheus.Labels{
			"version": b.Version, "revision": b.Revision, "branch": b.Branch, "tags": "",
			"goversion": runtime.Version(), "goos": runtime.GOOS, "goarch": runtime.GOARCH,
			"client_go_version": moduleVersion("k8s.io/client-go"),
		},
	}, func() float64 { return 1 })
}

// definitionMetrics returns the metrics about CustomResourceDefinitions.
func definitionMetrics(counts func() crd.Counts) []prometheus.Collector {
	const prefix = "kube_state_metrics_custom_resource_state_"
	counter := func(name, help string, value func(crd.Counts) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, func() float64 { return float64(value(counts())) })
	}
	return []prometheus.Collector{
		counter("add_events_total", "CustomResourceDefinitions added.", func(c crd.Counts) uint64 { return c.Added }),
		counter("update_events_total", "CustomResourceDefinitions changed.", func(c crd.Counts) uint64 { return c.Updated }),
		counter("delete_events_total", "CustomResourceDefinitions deleted.", func(c crd.Counts) uint64 { return c.Deleted }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "cache", Help: "Number of CustomResourceDefinitions in the cluster."},
			func() float64 { return float64(counts().Definitions) }),
	}
}

// resourceLabels returns the value of the label resource for each resource: its plural, with
// version and group if another resource before it has the same plural.
func resourceLabels(resources []kind.Resource) []string {
	first := map[string]kind.Resource{}
	labels := make([]string, len(resources))
	for i, r := range resources {
		labels[i] = r.Name
		if other, ok := first[r.Name]; !ok {
			first[r.Name] = r
		} else if other.Group != r.Group || other.Version != r.Version {
			labels[i] = strings.Join([]string{r.Name, r.Version, r.Group}, ".")
		}
	}
	return labels
}

// moduleVersion returns the version of a module that this program was built with.
func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}

// collector collects metrics about the watches and the store. Names that begin with
// kube_state_metrics_ are those that public alerts use.
type collector struct {
	sources Sources
	lists, watches, ordinal, shards,
	leader, elections, leaseFailures,
	up, failing, synced, lastEvent, events, undecodable, objects, series, bytes, failures *prometheus.Desc
}

func newCollector(s Sources) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &collector{
		sources:       s,
		lists:         desc("kube_state_metrics_list_total", "Lists of a resource, streamed or paged.", "result", "resource"),
		watches:       desc("kube_state_metrics_watch_total", "Watch requests for a resource.", "result", "resource"),
		ordinal:       desc("kube_state_metrics_shard_ordinal", "Ordinal of this shard, counted from 0.", "shard_ordinal"),
		shards:        desc("kube_state_metrics_total_shards", "Number of shards."),
		leader:        desc("kubestate_leader", "1 while this replica is the leader and serves series, 0 while it is a standby."),
		elections:     desc("kubestate_elections_total", "Times this replica became the leader."),
		leaseFailures: desc("kubestate_lease_failures_total", "Failed attempts to acquire or renew the Lease."),
		up:            desc("kubestate_watch_up", "1 while the watch works, 0 while it fails.", "resource", "namespace"),
		failing:       desc("kubestate_watch_failure_info", "Reason why the watch fails, as a label. Always 1, and present only while it fails.", "resource", "namespace", "reason"),
		synced:        desc("kubestate_watch_synced", "1 once the initial list of the watch is complete, 0 before.", "resource", "namespace"),
		lastEvent:     desc("kubestate_watch_last_event_timestamp_seconds", "Time of the last event of the watch, in Unix seconds.", "resource", "namespace"),
		events:        desc("kubestate_watch_events_total", "Events received by the watch.", "resource", "namespace", "type"),
		undecodable:   desc("kubestate_watch_decode_errors_total", "Objects and events of the watch that could not be decoded.", "resource", "namespace"),
		objects:       desc("kubestate_store_objects", "Objects stored.", "resource"),
		series:        desc("kubestate_store_series", "Series stored.", "resource"),
		bytes:         desc("kubestate_store_text_bytes", "Size of all sample lines stored, uncompressed, in bytes.", "resource"),
		failures:      desc("kubestate_store_render_failures_total", "Objects with a metric family that could not be computed.", "resource"),
	}
}

// senders returns functions that send gauges and counters to ch.
func senders(ch chan<- prometheus.Metric) (
	gauge func(d *prometheus.Desc, v float64, labels ...string),
	counter func(d *prometheus.Desc, v uint64, labels ...string),
) {
	gauge = func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter = func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	return gauge, counter
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge, counter := senders(ch)
	ordinal, shards := 0, 1
	if c.sources.Shard != nil {
		ordinal, shards = c.sources.Shard()
	}
	gauge(c.ordinal, float64(ordinal), strconv.Itoa(ordinal))
	gauge(c.shards, float64(shards))
	statuses := c.sources.Watches()
	for resource, n := range requestCounts(statuses) {
		counter(c.lists, n.Lists, "success", resource)
		counter(c.lists, n.ListErrors, "error", resource)
		counter(c.watches, n.Watches, "success", resource)
		counter(c.watches, n.WatchErrors, "error", resource)
	}
	var resources []kind.Resource
	for i := range statuses {
		resources = append(resources, statuses[i].Resource)
	}
	names := resourceLabels(resources)
	for i := range statuses {
		s := &statuses[i]
		resource, namespace := names[i], s.Namespace
		gauge(c.up, metric.Float(s.State != kubewatch.Failing), resource, namespace)
		if s.Reason != "" {
			gauge(c.failing, 1, resource, namespace, s.Reason)
		}
		gauge(c.synced, metric.Float(s.Synced), resource, namespace)
		if !s.LastEvent.IsZero() {
			gauge(c.lastEvent, float64(s.LastEvent.UnixMilli())/1000, resource, namespace)
		}
		counter(c.events, s.Counts.Added, resource, namespace, "added")
		counter(c.events, s.Counts.Modified, resource, namespace, "modified")
		counter(c.events, s.Counts.Deleted, resource, namespace, "deleted")
		counter(c.events, s.Counts.Bookmarks, resource, namespace, "bookmark")
		counter(c.events, s.Counts.Errors, resource, namespace, "error")
		counter(c.undecodable, s.Counts.DecodeErrors, resource, namespace)
	}
	if c.sources.Exporter == nil {
		return
	}
	c.collectElection(ch)
	tables := c.sources.Exporter.Tables()
	resources = resources[:0]
	for _, t := range tables {
		resources = append(resources, t.Resource)
	}
	names = resourceLabels(resources)
	for i, t := range tables {
		held, name := c.sources.Exporter.Stats(t.Resource), names[i]
		gauge(c.objects, float64(held.Objects), name)
		gauge(c.series, float64(held.Series), name)
		gauge(c.bytes, float64(held.Bytes), name)
		counter(c.failures, held.Failures, name)
	}
}

func (c *collector) collectElection(ch chan<- prometheus.Metric) {
	gauge, counter := senders(ch)
	if c.sources.Election == nil {
		gauge(c.leader, 1)
		return
	}
	s := c.sources.Election()
	gauge(c.leader, metric.Float(s.Leading))
	counter(c.elections, s.Acquired)
	counter(c.leaseFailures, s.Failures)
}

// requestCounts adds up the requests of watches of the same Go type, which is the value of
// the label resource that alerts use ("*v1.Pod").
func requestCounts(statuses []kubewatch.Status) map[string]kubewatch.Counts {
	sums := map[string]kubewatch.Counts{}
	for i := range statuses {
		r, n := statuses[i].Resource, statuses[i].Counts
		name := "*" + r.Version + "." + r.Kind
		sum := sums[name]
		sum.Lists += n.Lists
		sum.ListErrors += n.ListErrors
		sum.Watches += n.Watches
		sum.WatchErrors += n.WatchErrors
		sums[name] = sum
	}
	return sums
}
