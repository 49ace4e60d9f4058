package conf

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/customresource"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Settings is the result of the options, in the form in which other packages take it.
type Settings struct {
	// Options are those in effect, of flags and file, for simple values such as ports.
	Options *Options
	// Exporter says what is served; its Logger is the caller's to set.
	Exporter kubestate.Config
	// CustomResources are further kinds, as far as the cluster serves them; nil: none.
	CustomResources *customresource.Config
	// Push says what is pushed; nil: nothing.
	Push *agentconf.Settings
	// Election says whether and how replicas elect the one that serves and pushes; that
	// of Push is then off. The agent command has only that of Push.
	Election agentconf.LeaderElection
	// Namespaces are those to read; nil is all.
	Namespaces []string
	// NotNamespaces are those not to read.
	NotNamespaces []string
	// FieldSelector is for requests of namespaced objects: it excludes those of
	// NotNamespaces.
	FieldSelector string
	// Warnings are about options without effect, or with an unexpected one. The caller
	// logs them.
	Warnings []string
}

// Reads reports whether objects of a namespace are read.
func (s *Settings) Reads(namespace string) bool {
	return (len(s.Namespaces) == 0 || slices.Contains(s.Namespaces, namespace)) && !slices.Contains(s.NotNamespaces, namespace)
}

// Complete reads the configuration file, checks the options and returns the settings. It
// does not change o, so that after a change of files another call returns what is then
// in effect: a key that was removed has the value of its flag or its default again. The
// error is a problem.List; each problem names the flag, or the file with line and key,
// and what is allowed.
func (o *Options) Complete() (Settings, error) {
	return o.clone().complete()
}

// Unused says which options select nothing of the resources that are served. They may be
// shared by several instances, so that they are no warnings.
func (s *Settings) Unused() []string {
	served := append(kind.Names(s.Exporter.Kinds), kubestate.AllResources)
	var unused []string
	for _, lists := range []struct {
		flag      string
		resources map[string][]string
	}{{"--metric-labels-allowlist", s.Exporter.Labels}, {"--metric-annotations-allowlist", s.Exporter.Annotations}} {
		for _, resource := range slices.Sorted(maps.Keys(lists.resources)) {
			if !slices.Contains(served, resource) {
				unused = append(unused, lists.flag+": "+resource+" is not among the resources that are served")
			}
		}
	}
	return unused
}

// clone returns a copy that shares nothing that complete changes.
func (o *Options) clone() *Options {
	c := *o
	c.unread, c.warned = slices.Clone(o.unread), slices.Clone(o.warned)
	c.file = map[string]problem.Problem{}
	return &c
}

func (o *Options) complete() (Settings, error) {
	section, problems := o.readFile()
	readable := len(problems) == 0
	problems = append(problems, o.problems()...)
	f, invalid := newFilter(o)
	problems = append(problems, invalid...)
	custom, unreadable := o.customResources()
	problems = append(problems, unreadable...)
	warnings := f.try(append(catalog(), custom.Families()...))
	push, wrong := o.push(section, readable)
	problems = append(problems, wrong...)
	election, wrong := o.exporterElection()
	problems = append(problems, wrong...)
	if err := problems.Err(); err != nil {
		return Settings{}, err
	}
	joins, _ := o.joins() // checked above
	s := Settings{
		Options: o,
		Exporter: kubestate.Config{
			Kinds:       o.kinds(),
			Keep:        f.keep,
			Labels:      o.MetricLabelsAllowlist,
			Annotations: o.MetricAnnotationsAllowlist,
			Joins:       joins,

			DisableCompression: !o.EnableGzipEncoding,
		},
		Push: push,

		CustomResources: custom,
		Election:        election,
		Namespaces:      unique(o.Namespaces),
		NotNamespaces:   unique(o.NamespacesDenylist),
		Warnings:        slices.Concat(o.warned, o.klog.warnings(), o.noLimits(), o.Shards.warnings(), warnings),
	}
	if election.Enabled && push != nil {
		push.LeaderElection.Enabled = false
	}
	o.selectNamespaces(&s)
	if slices.Contains(o.groups, Pushing) {
		o.narrow(&s)
	}
	return s, nil
}

// selectNamespaces warns about namespaces given twice, or both allowed and denied: as in
// kube-state-metrics the latter are not read.
func (o *Options) selectNamespaces(s *Settings) {
	if len(s.Namespaces) < len(o.Namespaces) {
		s.Warnings = append(s.Warnings, "--namespaces: ignoring duplicates")
	}
	s.Warnings = append(s.Warnings, impossible("--namespaces", s.Namespaces)...)
	s.Warnings = append(s.Warnings, impossible("--namespaces-denylist", s.NotNamespaces)...)
	for _, n := range s.Namespaces {
		if slices.Contains(s.NotNamespaces, n) {
			s.Warnings = append(s.Warnings, "--namespaces, --namespaces-denylist: namespace "+problem.Quote(n)+" is in both; not reading it")
		}
	}
	var terms []fields.Selector
	for _, n := range s.NotNamespaces {
		terms = append(terms, fields.OneTermNotEqualSelector("metadata.namespace", n))
	}
	s.FieldSelector = fields.AndSelectors(terms...).String()
}

// noLimits warns about negative time limits, which are none, as in kube-state-metrics.
func (o *Options) noLimits() []string {
	var warnings []string
	for _, row := range o.serveOptions() {
		if v, ok := row.value.(typed[time.Duration]); ok && *v.to < 0 {
			warnings = append(warnings, fmt.Sprintf("--%s: negative duration %v means no limit", row.name, *v.to))
		}
	}
	return warnings
}

// warnings says which options of shards select nothing, or have no effect.
func (s *ShardOptions) warnings() []string {
	var warnings []string
	if !s.Automatic() && (s.Shard < 0 || s.Shard >= s.TotalShards) {
		warnings = append(warnings, fmt.Sprintf("--shard, --total-shards: no objects are of shard %d of %d: must be 0 to --total-shards less 1", s.Shard, s.TotalShards))
	}
	if s.Pod != "" && s.PodNamespace == "" {
		warnings = append(warnings, "--pod: no effect without --pod-namespace")
	}
	if s.TrackUnscheduledPods && s.Node != "" {
		warnings = append(warnings, "--track-unscheduled-pods: overrides --node")
	}
	return warnings
}

// catalog returns all families of all resources.
func catalog() []metric.Desc {
	var families []metric.Desc
	for _, t := range kind.All() {
		families = append(families, t.Schema().Families...)
	}
	return families
}

// kinds returns the tables of the resources, in the order of the catalog.
func (o *Options) kinds() []*kind.Table {
	if o.Custom.Only {
		return []*kind.Table{}
	}
	if len(o.Resources) == 0 {
		return kind.Defaults()
	}
	return slices.DeleteFunc(kind.All(), func(t *kind.Table) bool { return !slices.Contains(o.Resources, t.Name) })
}

// Logger returns a logger that writes to w as the options say. For invalid options it
// uses the defaults.
func (o *Options) Logger(w io.Writer) *slog.Logger {
	level := o.klog.level()
	if slices.Contains(logLevels(), o.LogLevel) && (o.isSet("log-level") || level == slog.LevelInfo) {
		_ = level.UnmarshalText([]byte(o.LogLevel)) // logLevels are levels of slog
	}
	modules, _ := parseModules(o.klog.modules)
	lowest := level
	if len(modules) > 0 {
		lowest = slog.LevelDebug
	}
	var h slog.Handler = slog.NewTextHandler(w, &slog.HandlerOptions{Level: lowest})
	if o.LogFormat == "json" {
		h = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: lowest, ReplaceAttr: readable})
	}
	if len(modules) > 0 {
		h = moduleHandler{h, level, modules}
	}
	return slog.New(h)
}

// isSet reports whether a flag or the file sets an option.
func (o *Options) isSet(name string) bool {
	_, inFile := o.file[name]
	return inFile || o.flags[name]
}

// readable writes durations as the text format does, "1.5s", rather than as nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
