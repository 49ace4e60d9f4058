package conf

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/kind"
)

// commandLine is a line of testdata/kube-state-metrics/command-lines.jsonl.
type commandLine struct {
	Name   string
	Args   []string
	Config string
	Expect string
}

func commandLines(t *testing.T) []commandLine {
	t.Helper()
	data, err := os.ReadFile("testdata/kube-state-metrics/command-lines.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []commandLine
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var c commandLine
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// options returns the options of a command line, with files for its placeholders.
func (c *commandLine) options(t *testing.T) *Options {
	t.Helper()
	other := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(other, []byte("spec: {resources: []}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := other
	if c.Config != "" {
		file = writeFile(t, strings.ReplaceAll(c.Config, "FILE", other))
	}
	args := slices.Clone(c.Args)
	for i, arg := range args {
		arg = strings.ReplaceAll(arg, "FILE-THAT-IS-NOT-THERE", other+".missing")
		args[i] = strings.NewReplacer("=FILE", "="+file, "=URL", "=https://10.0.0.1:6443", "$(NODE_NAME)", "node-1", "$(POD_NAME)", "ksm-1", "$(POD_NAMESPACE)", "monitoring").Replace(arg)
	}
	return parseFlags(t, args...)
}

// expectations are what the command lines mean, by name. warnings is their number.
var expectations = map[string]struct { //nolint:gochecknoglobals // never changed
	warnings int
	holds    func(o *Options, s *Settings) bool
}{
	"standard manifest": {0, func(o *Options, s *Settings) bool {
		return len(s.Exporter.Kinds) == 32 && o.Port == 8080 && o.TelemetryPort == 8081
	}},
	"chart defaults": {0, func(_ *Options, s *Settings) bool { return len(s.Exporter.Kinds) == 28 }},
	"chart with lists": {0, func(_ *Options, s *Settings) bool {
		return len(s.Exporter.Kinds) == 2 && cmp.Equal(s.Exporter.Labels, map[string][]string{"pods": {"app", "team"}, "nodes": {"*"}}) &&
			cmp.Equal(s.Exporter.Annotations, map[string][]string{"pods": {"example.com/owner"}}) && !keeps(s, "kube_secret_info") && keeps(s, "kube_pod_info")
	}},
	"behind kube-rbac-proxy": {0, func(o *Options, _ *Settings) bool {
		return o.Host == "127.0.0.1" && o.Port == 8081 && o.TelemetryHost == "127.0.0.1" && o.TelemetryPort == 8082
	}},
	"autosharding StatefulSet": {0, func(o *Options, _ *Settings) bool { return o.Shards.Automatic() && o.Shards.Pod == "ksm-1" }},
	"static shard":             {0, func(o *Options, _ *Settings) bool { return o.Shards.Shard == 1 && o.Shards.TotalShards == 3 }},
	"per node DaemonSet": {0, func(o *Options, _ *Settings) bool {
		return o.Shards.Node == "node-1" && cmp.Equal(o.Resources, []string{"pods"})
	}},
	"per node, without a node": {0, func(o *Options, _ *Settings) bool { return o.Shards.TrackUnscheduledPods }},
	"beside a DaemonSet": {0, func(_ *Options, s *Settings) bool {
		return len(s.Exporter.Kinds) == 31 && !slices.Contains(kind.Names(s.Exporter.Kinds), "pods")
	}},
	"out of cluster": {0, func(o *Options, _ *Settings) bool {
		return o.APIServer == "https://10.0.0.1:6443" && o.Kubeconfig != ""
	}},
	"namespaces given twice": {2, func(_ *Options, s *Settings) bool {
		return s.Reads("shop") && !s.Reads("billing") && !s.Reads("other") && len(s.Namespaces) == 2
	}},
	"logging flags": {1, func(o *Options, _ *Settings) bool { return o.klog.verbosity == 2 && o.klog.modules == "reflector=4" }},
	"memory and cache": {0, func(o *Options, s *Settings) bool {
		return o.Memory == MemoryOptions{true, 0.85} && o.UseAPIServerCache && o.ObjectLimit == 500 && !s.Exporter.DisableCompression
	}},
	"auth": {0, func(o *Options, _ *Settings) bool { return o.AuthFilter }},
	"TLS":  {0, func(o *Options, _ *Settings) bool { return o.TLSConfig != "" }},
	"file wins over flags": {1, func(o *Options, s *Settings) bool {
		return o.Port == 8080 && cmp.Equal(kind.Names(s.Exporter.Kinds), []string{"nodes", "pods"}) && cmp.Equal(s.Exporter.Labels, map[string][]string{"pods": {"app", "team"}}) &&
			!keeps(s, "kube_pod_tolerations") && cmp.Equal(s.Namespaces, []string{"shop"})
	}},
	"file with lists": {0, func(o *Options, s *Settings) bool {
		return cmp.Equal(kind.Names(s.Exporter.Kinds), []string{"deployments", "pods"}) && keeps(s, "kube_pod_info") && !keeps(s, "kube_pod_labels") &&
			o.ServerReadTimeout == 30*time.Second && o.ObjectLimit == 500 && o.UseAPIServerCache && o.Memory.Auto
	}},
	"file comes later": {1, func(o *Options, _ *Settings) bool { return o.Config != "" && o.ContinueWithoutConfig }},
	"custom resources inline": {0, func(o *Options, _ *Settings) bool {
		return strings.HasPrefix(o.Custom.Inline, "kind: CustomResourceStateMetrics\n") && o.Custom.Only
	}},
	"custom resources later": {1, func(o *Options, _ *Settings) bool {
		return strings.HasSuffix(strings.Join(o.Custom.Files, ""), ".missing") && o.Custom.ContinueWithout
	}},
	"deprecated keys": {1, func(o *Options, _ *Settings) bool {
		return len(o.Custom.Files) == 1 && !o.Custom.Only && o.Shards.PodNamespace == "monitoring" && o.Shards.Pod == "ksm-0"
	}},
}

func keeps(s *Settings, family string) bool {
	for _, d := range catalog() {
		if d.Name == family {
			return s.Exporter.Keep(&d)
		}
	}
	return false
}

func TestCommandLines(t *testing.T) {
	lines := commandLines(t)
	if len(lines) != len(expectations) {
		t.Errorf("%d command lines and %d expectations", len(lines), len(expectations))
	}
	for _, c := range lines {
		o := c.options(t)
		s, err := o.Complete()
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		e := expectations[c.Name]
		if e.holds == nil || !e.holds(s.Options, &s) || len(s.Warnings) != e.warnings {
			t.Errorf("%s: want %s; warnings %q, want %d; options\n%+v", c.Name, c.Expect, s.Warnings, e.warnings, s.Options)
		}
	}
}
