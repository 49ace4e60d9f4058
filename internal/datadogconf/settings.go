package datadogconf

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/datadog"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// Check is what an instance of the check comes to. Sinks are not in such a file.
type Check struct {
	agentconf.Settings
	// Interval is the time from run to run; 0: none told.
	Interval time.Duration
}

// Read reads an instance of the check: the only one of a file, or the one with a
// number, counted from 1; 0 is for a file that has one. A file may also be an
// instance itself. The error tells what the check would refuse, too; Warnings, what
// is not supported or not known.
func Read(name string, data []byte, number int) (*Check, error) {
	reader := &reader{names: datadog.Names()}
	o := strictyaml.Options{Lenient: true}
	var whole file
	reader.file = strictyaml.Read(name, data, &whole, o)
	switch {
	case !reader.file.Has("instances") && !reader.file.Has("init_config"):
		reader.file = strictyaml.Read(name, data, &reader.instance, o)
		if number != 0 && number != 1 {
			reader.file.Wrong("", "the file is an instance itself: there is no instance %d", number)
		}
	case len(whole.Instances) == 0:
		reader.file.Wrong("instances", "there is no instance")
	case number < 0 || number > len(whole.Instances) || number == 0 && len(whole.Instances) > 1:
		reader.file.Wrong("instances", "there are %d instances, of which a process runs one; say which: 1 to %d", len(whole.Instances), len(whole.Instances))
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

	names *agent.Names

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
			r.warnings = append(r.warnings, r.file.Where(path)+": the key is unknown and ignored")
		}
	}
	c := &Check{
		Settings: agentconf.Settings{
			Agent: agent.Config{
				Names: r.names, Kinds: r.kinds(), Joins: r.joins(),
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
	if c.Interval < 0 || r.Interval != 0 && c.Interval < time.Second {
		r.file.Wrong(r.path+"min_collection_interval", "%v is too little, want 1 second or more", r.Interval)
	}
	r.warnUnsupported()
	c.Warnings = r.warnings
	return c
}

func (r *reader) warnUnsupported() {
	if r.CustomResource.given {
		r.warn("custom_resource", "metrics of custom resources are not supported yet; it is ignored")
	}
	if len(r.DRADeviceClasses) > 0 {
		r.warn("dra_device_classes", "claims are not told apart by device class; all of them count")
	}
	if len(r.ShardCriteria) > 0 || r.ShardCount > 1 || r.ShardID > 0 {
		key := "shard_id"
		switch {
		case len(r.ShardCriteria) > 0:
			key = "shard_criteria"
		case r.ShardCount > 1:
			key = "shard_count"
		}
		r.warn(key, "sharding is not supported: this instance sends everything, so run no other")
	}
}

// mode returns the pod collection mode. As in the check, one that does not fit is
// default.
func (r *reader) mode() agent.PodMode {
	switch m := agent.PodMode(r.PodCollectionMode); m {
	case "", agent.AllPods:
	case agent.ClusterUnassigned, agent.ClusterAggregatesOnly:
		return m
	case "node_kubelet":
		r.warn("pod_collection_mode", "kubestate reads the API server, not kubelets; the mode is %s", agent.AllPods)
	default:
		r.warn("pod_collection_mode", "%q is unknown, want one of: %s, %s, %s; the mode is %s",
			m, agent.AllPods, agent.ClusterUnassigned, agent.ClusterAggregatesOnly, agent.AllPods)
	}
	return agent.AllPods
}

// notYet are resources that the check reads and kubestate does not.
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
			r.warn(fmt.Sprintf("collectors[%d]", i), "kubestate does not read %s yet; it is ignored", name)
		default:
			r.warn(fmt.Sprintf("collectors[%d]", i), "%q is no resource that kubestate reads; it is ignored%s", name, spell.Hint(name, known))
		}
	}
	switch {
	case agent.PodMode(r.PodCollectionMode) == agent.ClusterAggregatesOnly:
		names = []string{kind.Pods.Name} // whatever the collectors are, in the check too
	case len(names) == 0:
		// The check adds endpoints to what kube-state-metrics has by default.
		names = append(kind.Names(kind.Defaults()), kind.Endpoints.Name)
	}
	return agentconf.Kinds(names)
}

func (r *reader) joins() map[string]agent.Join {
	if r.LabelJoins == nil {
		return nil
	}
	joins := map[string]agent.Join{}
	for _, family := range slices.Sorted(maps.Keys(r.LabelJoins)) {
		j := r.LabelJoins[family]
		if len(j.Get) == 0 && !j.All {
			r.warn("label_joins."+family, "gets no labels: nothing gets labels of the family, not even those it gives by default")
			if r.names.AlwaysGet[family] == nil {
				j.Match = nil // an empty join is none
			}
		}
		joins[family] = agent.Join{Match: j.Match, Get: j.Get, All: j.All}
	}
	return joins
}

// asTags returns labels or annotations as tags, without those for which there is
// no name of a tag.
func (r *reader) asTags(key string, kinds map[string]map[string]string) map[string]map[string]string {
	for _, kindName := range slices.Sorted(maps.Keys(kinds)) {
		tags := kinds[kindName]
		for _, name := range slices.Sorted(maps.Keys(tags)) {
			if tags[name] == "" {
				r.warn(key+"."+kindName+"."+name, "there is no name of a tag; it is ignored")
				delete(tags, name)
			}
		}
	}
	return kinds
}

// tags returns the tags of the instance, and that of its service.
func (r *reader) tags() []sink.Tag {
	var tags []sink.Tag
	for i, text := range r.Tags {
		key, value, found := strings.Cut(text, ":")
		at := fmt.Sprintf("tags[%d]", i)
		switch {
		case key == "":
			r.warn(at, "%q has no name; it is ignored", text)
			continue
		case !found:
			r.warn(at, "%q has no value; it is sent as %q", text, text+":")
		}
		tags = append(tags, sink.Tag{Key: key, Value: value})
	}
	if r.Service != "" {
		tags = append(tags, sink.Tag{Key: "service", Value: r.Service})
	}
	return tags
}
