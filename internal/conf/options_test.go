package conf

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// parseFlags returns the options that a command line leaves.
func parseFlags(t *testing.T, args ...string) *Options {
	t.Helper()
	o := New()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	o.AddFlags(fs, Files, Cluster, Scope, Sharding, Selection, Custom, Joining, Election, Serving, Telemetry, Security, Memory, Logging)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func complete(t *testing.T, o *Options) Settings {
	t.Helper()
	s, err := o.Complete()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The defaults are those of kube-state-metrics 2.20, except for compression.
func TestDefaults(t *testing.T) {
	o := parseFlags(t)
	want := &Options{
		Port: 8080, Host: "::", TelemetryPort: 8081, TelemetryHost: "::",
		ServerReadTimeout: time.Minute, ServerReadHeaderTimeout: 5 * time.Second,
		ServerWriteTimeout: time.Minute, ServerIdleTimeout: 5 * time.Minute,
		EnableGzipEncoding: true,
		EnablePprof:        true,
		Shards:             ShardOptions{TotalShards: 1},
		Memory:             MemoryOptions{Ratio: 0.9},
		LogFormat:          "text", LogLevel: "info",
		Push: PushOptions{Names: "ksm", Interval: 15 * time.Second, Timeout: 5 * time.Minute},
	}
	if diff := cmp.Diff(want, o, cmpopts.IgnoreUnexported(Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	s := complete(t, o)
	if diff := cmp.Diff(kind.Names(kind.Defaults()), kind.Names(s.Exporter.Kinds)); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for _, d := range catalog() {
		if s.Exporter.Keep(&d) == d.OptIn {
			t.Errorf("%s: kept %v, opt-in %v", d.Name, !d.OptIn, d.OptIn)
		}
	}
	if s.Namespaces != nil || s.FieldSelector != "" || s.Warnings != nil {
		t.Errorf("settings %+v, want all namespaces and no warnings", s)
	}
}

func TestAllFlags(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(kubeconfig, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := parseFlags(t,
		"--apiserver=https://10.0.0.1:6443/prefix", "--kubeconfig", kubeconfig,
		"--namespaces=a,b", "--namespaces-denylist=c, d", "--namespaces-denylist=c",
		"--resources=replicasets", "--resources=pods", "--resources=pods",
		"--metric-allowlist=^kube_pod_,^kube_replicaset_owner$", "--metric-opt-in-list=nodeselectors",
		"--metric-labels-allowlist=pods=[app,team-*]", "--metric-annotations-allowlist=*=[*]", "--join=kube_pod_*=[node]",
		"--port=0", "--host=127.0.0.1", "--telemetry-port=0", "--telemetry-host=localhost",
		"--server-read-timeout=1s", "--server-read-header-timeout=2s", "--server-write-timeout=3s", "--server-idle-timeout=0",
		"--enable-gzip-encoding=false",
		"--continue-without-config", "--use-apiserver-cache", "--object-limit=500", "--auto-gomemlimit", "--auto-gomemlimit-ratio=0.85",
		"--log-format=json", "--log-level=debug")
	want := &Options{
		APIServer: "https://10.0.0.1:6443/prefix", Kubeconfig: kubeconfig,
		Namespaces: []string{"a", "b"}, NamespacesDenylist: []string{"c", "d", "c"},
		Resources:                  []string{"replicasets", "pods"},
		MetricAllowlist:            []string{"^kube_pod_", "^kube_replicaset_owner$"},
		MetricOptInList:            []string{"nodeselectors"},
		MetricLabelsAllowlist:      map[string][]string{"pods": {"app", "team-*"}},
		MetricAnnotationsAllowlist: map[string][]string{"*": {"*"}},
		Join:                       map[string][]string{"kube_pod_*": {"node"}},
		Host:                       "127.0.0.1", TelemetryHost: "localhost",
		ServerReadTimeout: time.Second, ServerReadHeaderTimeout: 2 * time.Second, ServerWriteTimeout: 3 * time.Second,
		ContinueWithoutConfig: true, EnablePprof: true, UseAPIServerCache: true, ObjectLimit: 500,
		Shards:    ShardOptions{TotalShards: 1},
		Memory:    MemoryOptions{Auto: true, Ratio: 0.85},
		LogFormat: "json", LogLevel: "debug",
		Push: PushOptions{Names: "ksm", Interval: 15 * time.Second, Timeout: 5 * time.Minute},
	}
	if diff := cmp.Diff(want, o, cmpopts.IgnoreUnexported(Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	s := complete(t, o)
	if got := kind.Names(s.Exporter.Kinds); !cmp.Equal(got, []string{"pods", "replicasets"}) {
		t.Errorf("kinds %q, want pods and replicasets in the order of the catalog", got)
	}
	for name, want := range map[string]bool{"kube_pod_info": true, "kube_replicaset_owner": true, "kube_replicaset_created": false} {
		if got := s.Exporter.Keep(&metric.Desc{Name: name}); got != want {
			t.Errorf("%s: kept %v, want %v", name, got, want)
		}
	}
	if s.FieldSelector != "metadata.namespace!=c,metadata.namespace!=d" || !cmp.Equal(s.Namespaces, want.Namespaces) {
		t.Errorf("namespaces %q, field selector %q", s.Namespaces, s.FieldSelector)
	}
	if !cmp.Equal(s.Exporter.Labels, want.MetricLabelsAllowlist) || !cmp.Equal(s.Exporter.Annotations, want.MetricAnnotationsAllowlist) {
		t.Errorf("allow-lists %v, %v", s.Exporter.Labels, s.Exporter.Annotations)
	}
	if _, err := kubestate.New(s.Exporter); err != nil {
		t.Errorf("the settings do not make an Exporter: %v", err)
	}
}

// What a text of help says as the value is what one can write on the command line.
func TestFlagStrings(t *testing.T) {
	for _, arg := range []string{"port=1", "host=h", "server-read-timeout=1m30s", "resources=b,a", "metric-labels-allowlist=a=[x,y],b=[]"} {
		o := New()
		fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
		o.AddFlags(fs, Selection, Serving)
		name, text, _ := strings.Cut(arg, "=")
		if err := fs.Set(name, text); err != nil {
			t.Fatal(err)
		}
		if got := fs.Lookup(name).Value.String(); got != text {
			t.Errorf("--%s: %q, want %q", name, got, text)
		}
	}
}

func TestAddFlagsOfGroups(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	New().AddFlags(fs, Selection)
	if fs.Lookup("resources") == nil || fs.Lookup("port") != nil {
		t.Errorf("want the flags of the selection only:\n%s", fs.FlagUsages())
	}
}

func TestHelp(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	New().AddFlags(fs, Groups()...)
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
			t.Errorf("--%s: help %q, want some, without a full stop at the end", f.Name, f.Usage)
		}
	})
	usage := fs.FlagUsages()
	for _, want := range []string{"--port int", "(default 8080)", "(default 1m0s)", "--apiserver URL", "pods,"} {
		if !strings.Contains(usage, want) {
			t.Errorf("help lacks %q:\n%s", want, usage)
		}
	}
}

func TestWarnings(t *testing.T) {
	s := complete(t, parseFlags(t, "--metric-denylist=nothing"))
	if want := []string{`--metric-denylist: pattern "nothing" matches no family`}; !cmp.Equal(s.Warnings, want) {
		t.Errorf("warnings %q, want %q", s.Warnings, want)
	}
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	l := parseFlags(t, "--log-format=json", "--log-level=warn").Logger(&out)
	l.Info("quiet")
	l.Warn("loud", "duration", 1500*time.Millisecond, slog.Group("in", "wait", time.Minute))
	if got := out.String(); strings.Contains(got, "quiet") || !strings.HasSuffix(got, `"msg":"loud","duration":"1.5s","in":{"wait":"1m0s"}}`+"\n") {
		t.Errorf("log: %s", got)
	}
}

// TestTruths: a flag without value is true, and one that is neither says so.
func TestTruths(t *testing.T) {
	for flag, want := range map[string]bool{
		"--enable-gzip-encoding": true, "--enable-gzip-encoding=true": true, "--enable-gzip-encoding=0": false, "--enable-gzip-encoding=F": false,
	} {
		if got := complete(t, parseFlags(t, flag)).Exporter.DisableCompression; got == want {
			t.Errorf("%s: compression is disabled: %t", flag, got)
		}
	}
	_, err := parseFlags(t, "--enable-gzip-encoding=yes").Complete()
	if want := `--enable-gzip-encoding: invalid boolean "yes": must be true or false`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
