package datadogconf

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// Check is the settings of an instance of the check. Sinks are not in such a file.
type Check struct {
	agentconf.Settings
	// Interval is the time from flush to flush; 0: not set.
	Interval time.Duration
}

// Read reads an instance of the check: the only one of a file, or the one with a
// number, counted from 1; 0 is for a file that has one. A file may also be an
// instance itself. The error lists what the check would refuse, too; Warnings, what is
// unsupported or unknown.
func Read(name string, data []byte, number int) (*Check, error) {
	reader := &reader{names: datadog.Scheme()}
	o := strictyaml.Options{Lenient: true}
	var whole file
	reader.file = strictyaml.Read(name, data, &whole, o)
	switch {
	case !reader.file.Has("instances") && !reader.file.Has("init_config"):
		reader.file = strictyaml.Read(name, data, &reader.instance, o)
		if number != 0 && number != 1 {
			reader.file.Report("", problem.New(fmt.Sprintf("no instance %d", number), "must be 1: the file is an instance itself"))
		}
	case len(whole.Instances) == 0:
		reader.file.Report("instances", problem.New("no instance", "must have at least one"))
	case number < 0 || number > len(whole.Instances) || number == 0 && len(whole.Instances) > 1:
		reader.file.Report("instances", problem.New(fmt.Sprintf("%d instances", len(whole.Instances)), fmt.Sprintf("must choose one with --datadog-instance, 1 to %d", len(whole.Instances))))
	default:
		reader.instance = whole.Instances[max(number-1, 0)]
		reader.path = fmt.Sprintf("instances[%d].", max(number-1, 0))
		reader.Service = cmp.Or(reader.Service, whole.InitConfig.Service)
	}
	if err := reader.file.Err(); err != nil {
		return nil, err
	}
	c := reader.check()
	if err := reader.file.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// reader turns an instance into settings.
type reader struct {
	instance

	names *naming.Scheme

	file     *strictyaml.File
	path     string // what precedes the keys of the instance
	warnings []string
}

func (r *reader) warn(key, format string, args ...any) {
	r.warnings = append(r.warnings, r.file.Where(r.path+key)+": "+fmt.Sprintf(format, args...))
}

func (r *reader) check() *Check {
	for _, path := range r.file.Unknown {
		if r.path == "" || strings.HasPrefix(path, r.path) || !strings.HasPrefix(path, "instances[") {
			r.warnings = append(r.warnings, r.file.Where(path)+": unknown key, ignored")
		}
	}
	c := &Check{
		Settings: agentconf.Settings{
			Agent: agent.Config{
				Scheme: r.names, Kinds: r.kinds(), Joins: r.joins(),
				LabelsAsTags:      r.asTags("labels_as_tags", r.LabelsAsTags),
				AnnotationsAsTags: r.asTags("annotations_as_tags", r.AnnotationsAsTags), LabelsMapper: r.LabelsMapper,
				Tags: r.tags(), PodMode: r.mode(), ClusterAggregates: r.ClusterAggregates,
				IgnoreUnknown: true,
			},
			Namespaces:     slices.Clone(r.Namespaces),
			CheckTelemetry: r.Telemetry,
			LeaderElection: agentconf.LeaderElection{Enabled: !r.SkipElection},
		},
		Interval: time.Duration(r.Interval * float64(time.Second)),
	}
	if r.Interval != 0 && !(r.Interval >= 1 && r.Interval <= maxInterval) {
		r.file.Report(r.path+"min_collection_interval", problem.New(fmt.Sprintf("invalid interval %v", r.Interval), fmt.Sprintf("must be between 1 and %d seconds", maxInterval)))
	}
	r.warnUnsupported()
	c.Warnings = r.warnings
	return c
}

// maxInterval bounds the time from flush to flush, in seconds: a year.
const maxInterval = 365 * 24 * 60 * 60

func (r *reader) warnUnsupported() {
	if r.CustomResource.given {
		r.warn("custom_resource", "custom resources are not supported yet; ignored")
	}
	if len(r.DRADeviceClasses) > 0 {
		r.warn("dra_device_classes", "device classes are not supported; counting all claims")
	}
	if len(r.ShardCriteria) > 0 || r.ShardCount > 1 || r.ShardID > 0 {
		key := "shard_id"
		switch {
		case len(r.ShardCriteria) > 0:
			key = "shard_criteria"
		case r.ShardCount > 1:
			key = "shard_count"
		}
		r.warn(key, "sharding is not supported; this instance sends all series, so run only one")
	}
}

// mode returns the pod collection mode. As in the check, an invalid one means default.
func (r *reader) mode() agent.PodMode {
	switch m := agent.PodMode(r.PodCollectionMode); m {
	case "", agent.AllPods:
	case agent.ClusterUnassigned, agent.ClusterAggregatesOnly:
		return m
	case "node_kubelet":
		r.warn("pod_collection_mode", "kubestate reads the API server, not kubelets; using %s", agent.AllPods)
	default:
		r.warn("pod_collection_mode", "unknown mode %s: must be one of: %s, %s, %s; using %s",
			problem.Quote(string(m)), agent.AllPods, agent.ClusterUnassigned, agent.ClusterAggregatesOnly, agent.AllPods)
	}
	return agent.AllPods
}

// notYet are the resources that the check reads and kubestate does not.
func notYet() []string { return []string{"devicetaintrules"} }

// kinds returns the tables of the collectors.
func (r *reader) kinds() []*kind.Table {
	known := kind.Names(kind.All())
	var names []string
	for i, name := range r.Collectors {
		switch {
		case slices.Contains(names, name):
		case slices.Contains(known, name):
			names = append(names, name)
		case slices.Contains(notYet(), name):
			r.warn(fmt.Sprintf("collectors[%d]", i), "resource %s is not supported yet; ignored", name)
		default:
			r.warn(fmt.Sprintf("collectors[%d]", i), "unknown resource %s, ignored%s", problem.Quote(name), spell.Hint(name, known))
		}
	}
	switch {
	case agent.PodMode(r.PodCollectionMode) == agent.ClusterAggregatesOnly:
		names = []string{kind.Pods.Name} // regardless of the collectors, as in the check
	case len(names) == 0:
		// The check adds endpoints to what kube-state-metrics has by default.
		names = append(kind.Names(kind.Defaults()), kind.Endpoints.Name)
	}
	return agentconf.Kinds(names)
}

func (r *reader) joins() map[string]naming.Join {
	if r.LabelJoins == nil {
		return nil
	}
	joins := map[string]naming.Join{}
	for _, family := range slices.Sorted(maps.Keys(r.LabelJoins)) {
		j := r.LabelJoins[family]
		if len(j.Get) == 0 && !j.All {
			r.warn("label_joins."+family, "join without labels; series get no labels of the family, not even the default ones")
			if r.names.AlwaysGet[family] == nil {
				j.Match = nil // an empty join is none
			}
		}
		joins[family] = naming.Join{Match: j.Match, Get: j.Get, All: j.All}
	}
	return joins
}

// asTags returns labels or annotations as tags, without those with an empty tag.
func (r *reader) asTags(key string, kinds map[string]map[string]string) map[string]map[string]string {
	for _, kindName := range slices.Sorted(maps.Keys(kinds)) {
		tags := kinds[kindName]
		for _, name := range slices.Sorted(maps.Keys(tags)) {
			if tags[name] == "" {
				r.warn(key+"."+kindName+"."+name, "empty tag, ignored")
				delete(tags, name)
			}
		}
	}
	return kinds
}

// tags returns the tags of the instance and of its service.
func (r *reader) tags() []sink.Tag {
	var tags []sink.Tag
	for i, text := range r.Tags {
		key, value, found := strings.Cut(text, ":")
		at := fmt.Sprintf("tags[%d]", i)
		switch {
		case key == "":
			r.warn(at, "tag %s without a name, ignored", problem.Quote(text))
			continue
		case !found:
			r.warn(at, "tag %s without a value; sent as %s", problem.Quote(text), problem.Quote(text+":"))
		}
		tags = append(tags, sink.Tag{Key: key, Value: value})
	}
	if r.Service != "" {
		tags = append(tags, sink.Tag{Key: "service", Value: r.Service})
	}
	return tags
}
