package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exportedFields compares options by what users of the package see.
var exportedFields = cmpopts.IgnoreUnexported(Options{}) //nolint:gochecknoglobals // never changed

// writeFile writes a configuration file and returns its path.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every key of kube-state-metrics is one of ours.
func TestKeysOfKubeStateMetrics(t *testing.T) {
	const keys = `
annotations_allow_list: {pods: [a]}
labels_allow_list: {pods: [b]}
metric_allowlist: {kube_pod_info: {}}
metric_denylist: {}
metric_opt_in_list: {kube_pod_nodeselectors: }
resources: {pods: {}}
apiserver: localhost:1
custom_resource_config: ""
custom_resource_state_config_file: ""
custom_resource_config_file: ""
continue_without_custom_resource_state_config_file: true
host: 127.0.0.1
kubeconfig: ""
namespace: monitoring
node: ""
pod: ""
tls_config: ""
telemetry_host: 127.0.0.2
config: other.yaml
continue_without_config: true
namespaces: [c]
namespaces_denylist: [d]
port: 1
telemetry_port: 2
total_shards: 1
server_read_timeout: 1s
server_write_timeout: 2s
server_idle_timeout: 3s
server_read_header_timeout: 4s
shard: 0
custom_resources_only: false
enable_gzip_encoding: false
help: false
track_unscheduled_pods: false
use_api_server_cache: true
object_limit: 5
auth_filter: false
auto-gomemlimit: true
auto-gomemlimit-ratio: 0.5
`
	file := writeFile(t, keys)
	s := complete(t, parseFlags(t, "--config="+file))
	want := New()
	want.Config, want.ContinueWithoutConfig = file, true
	want.MetricAnnotationsAllowlist, want.MetricLabelsAllowlist = map[string][]string{"pods": {"a"}}, map[string][]string{"pods": {"b"}}
	want.MetricAllowlist, want.MetricOptInList, want.Resources = []string{"kube_pod_info"}, []string{"kube_pod_nodeselectors"}, []string{"pods"}
	want.APIServer, want.Host, want.TelemetryHost, want.Port, want.TelemetryPort = "localhost:1", "127.0.0.1", "127.0.0.2", 1, 2
	want.Custom.ContinueWithout, want.Shards.PodNamespace = true, "monitoring"
	want.Namespaces, want.NamespacesDenylist = []string{"c"}, []string{"d"}
	want.ServerReadTimeout, want.ServerWriteTimeout, want.ServerIdleTimeout, want.ServerReadHeaderTimeout = 1e9, 2e9, 3e9, 4e9
	want.EnableGzipEncoding, want.UseAPIServerCache, want.ObjectLimit = false, true, 5
	want.Memory = MemoryOptions{Auto: true, Ratio: 0.5}
	if diff := cmp.Diff(want, s.Options, exportedFields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := []string{
		file + ":11: custom_resource_config_file: deprecated; use custom_resource_state_config_file",
		file + ":20: config: ignored, the path of the file is a flag",
	}; !cmp.Equal(s.Warnings, want) {
		t.Errorf("warnings %q, want %q", s.Warnings, want)
	}
}

// Complete reads the file again, and leaves the options of the command line as they are:
// options whose keys were removed have their earlier values.
func TestCompleteAgain(t *testing.T) {
	file := writeFile(t, "")
	o := parseFlags(t, "--config="+file, "--port=9", "--resources=nodes", "--telemetry-port=x")
	settings := func(text string) Settings {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return complete(t, o)
	}
	const all = "telemetry_port: 2\nport: 1\nresources: [pods]\nnamespaces: [shop]\nlabels_allow_list: {pods: [a]}\nlog_level: debug\n"
	first := settings(all)
	want := New()
	want.Config, want.Port, want.TelemetryPort, want.Resources, want.Namespaces, want.LogLevel = file, 1, 2, []string{"pods"}, []string{"shop"}, "debug"
	want.MetricLabelsAllowlist = map[string][]string{"pods": {"a"}}
	if diff := cmp.Diff(want, first.Options, exportedFields); diff != "" {
		t.Errorf("options of flags and file (-want +got):\n%s", diff)
	}
	less := settings("telemetry_port: 3\n")
	want = New()
	want.Config, want.Port, want.TelemetryPort, want.Resources = file, 9, 3, []string{"nodes"}
	if diff := cmp.Diff(want, less.Options, exportedFields); diff != "" {
		t.Errorf("options after keys were removed (-want +got):\n%s", diff)
	}
	if less.Namespaces != nil || less.Exporter.Labels != nil {
		t.Errorf("settings %+v, want none of the removed keys", less)
	}
	again := settings(all)
	if diff := cmp.Diff(first.Options, again.Options, exportedFields); diff != "" || !cmp.Equal(first.Warnings, again.Warnings) {
		t.Errorf("the same file again (-want +got):\n%s\nwarnings %q, %q", diff, first.Warnings, again.Warnings)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Complete(); err == nil || !strings.HasPrefix(err.Error(), "--telemetry-port: invalid number") {
		t.Errorf("error %v, want the problem of the flag that no key overrides", err)
	}
}

func TestContinueWithoutConfig(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	if _, err := parseFlags(t, "--config="+missing).Complete(); err == nil || !strings.Contains(err.Error(), "--config: cannot read file: ") {
		t.Errorf("error %v, want that the file is missing", err)
	}
	o := parseFlags(t, "--config="+missing, "--continue-without-config")
	if s := complete(t, o); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "continuing without it") {
		t.Errorf("warnings %q, want one about the missing file", s.Warnings)
	}
	if err := os.WriteFile(missing, []byte("port: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := complete(t, o); s.Options.Port != 1 || len(s.Warnings) != 0 {
		t.Errorf("port %d, warnings %q, want the file that appeared", s.Options.Port, s.Warnings)
	}
	if err := os.WriteFile(missing, []byte("port: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Complete(); err == nil {
		t.Error("no error for an invalid file")
	}
}

// As in kube-state-metrics, the file need not be strict.
func TestLenientKeys(t *testing.T) {
	file := writeFile(t, `namespace: 5
enable_gzip_encoding: yes
port:
portt: 80
telemetry_port: 0x10
host: "::1"
`)
	s := complete(t, parseFlags(t, "--config="+file, "--port=9"))
	o := s.Options
	if o.Shards.PodNamespace != "5" || !o.EnableGzipEncoding || o.Port != 9 || o.TelemetryPort != 16 || o.Host != "::1" {
		t.Errorf("options %+v, want those of the file", o)
	}
	if want := []string{file + `:4: unknown key "portt", ignored; did you mean port?`}; !cmp.Equal(s.Warnings, want) {
		t.Errorf("warnings %q, want %q", s.Warnings, want)
	}
	for text, want := range map[string]string{
		"port: eighty\nresources: {pods: {}\n": ":",
		"port: x\ntelemetry_port: 1.5\nhost: [a]\nport: 1\nagent: {sink: []}\nnamespaces: a,b\n": ":1: port: invalid number \"x\"|:2: telemetry_port: invalid number|:3: host: invalid value|" +
			":4: port: duplicate key: must be set once, as in line 1|:5: agent: unknown key \"sink\": did you mean sinks?|:6: namespaces: invalid value \"a,b\": must be a list",
	} {
		_, err := parseFlags(t, "--config="+writeFile(t, text)).Complete()
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		for part := range strings.SplitSeq(want, "|") {
			if !strings.Contains(err.Error(), "config.yaml"+part) {
				t.Errorf("%s: error\n%v\nlacks %s", text, err, part)
			}
		}
	}
}
