package conf

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Each case has one problem, and the message names flag, value and what is allowed.
func TestWrongValues(t *testing.T) {
	for _, c := range []struct {
		args string // with blanks between them
		want string
	}{
		{"--port=70000", "--port: invalid port 70000: must be between 0 and 65535"},
		{"--port=-1", "--port: invalid port -1: must be between 0 and 65535"},
		{"--telemetry-port=http", `--telemetry-port: invalid number "http": must be a whole number`},
		{"--port=8081", `--port, --telemetry-port: both are 8081 and their addresses "::" and "::" overlap: must be two ports or two addresses`},
		{"--port=8081 --host=127.0.0.1", `--port, --telemetry-port: both are 8081 and their addresses "127.0.0.1" and "::" overlap: must be two ports or two addresses`},
		{"--port=8081 --telemetry-host=127.0.0.1", `their addresses "::" and "127.0.0.1" overlap`},
		{"--port=8081 --host= --telemetry-host=127.0.0.1", `their addresses "" and "127.0.0.1" overlap`},
		{"--port=8081 --host=0.0.0.0 --telemetry-host=::1", `their addresses "0.0.0.0" and "::1" overlap`},
		{"--port=8081 --host=localhost --telemetry-host=localhost", `their addresses "localhost" and "localhost" overlap`},
		{"--host=[::1]", `--host: invalid address "[::1]": must be an IP address without brackets, or a host name`},
		{"--telemetry-host=localhost:80", `--telemetry-host: invalid address "localhost:80": must be an IP address without brackets, or a host name`},
		{"--server-idle-timeout=5", `--server-idle-timeout: invalid duration "5": must be a number with a unit, such as 500ms, 30s or 1m30s`},
		{"--log-format=xml", `--log-format: invalid format "xml": must be one of: text, json`},
		{"--log-level=trace", `--log-level: invalid level "trace": must be one of: debug, info, warn, error`},
		{"--apiserver=ftp://h", `--apiserver: invalid URL "ftp://h": must be http or https and a host, such as https://10.0.0.1:6443, or host:port`},
		{"--apiserver=https://", `--apiserver: invalid URL "https://": must be`},
		{"--apiserver=host:1/path", `--apiserver: invalid URL "host:1/path": must be`},
		{"--apiserver=ftp://me:hunter2@h", "--apiserver: invalid URL (not shown): must be"},
		{"--kubeconfig=/does/not/exist", "--kubeconfig: cannot read file: stat /does/not/exist: no such file or directory"},
		{"--kubeconfig=testdata", `--kubeconfig: invalid path "testdata": must be a file, not a directory`},
		{"--namespaces=a,b/c", `--namespaces: invalid namespace "b/c": must be 1 to 63 of a-z, 0-9 and -, without - at either end`},
		{"--namespaces-denylist=..", `--namespaces-denylist: invalid namespace "..": must be`},
		{"--resources=foo", "--resources: resource foo does not exist: must be one of: "},
		{"--resources=replicaset", ": did you mean replicasets?"},
		{"--metric-allowlist=a --metric-denylist=b", `--metric-allowlist, --metric-denylist: allowlist and denylist are both set, ` +
			`they are mutually exclusive, only one of them can be set`},
		{"--metric-allowlist=(", "--metric-allowlist: invalid pattern \"(\": error parsing regexp: missing closing ) in `(`; must be a regular expression in the syntax of ECMAScript"},
		{"--metric-opt-in-list=(", "--metric-opt-in-list: invalid pattern \"(\": error parsing regexp: missing closing ): `(`; must be a regular expression in the syntax of Go (RE2)"},
		{"--metric-labels-allowlist=pods=a]", `--metric-labels-allowlist: invalid value "pods=a]": invalid format, metric=[label1,label2,labeln...],metricN=[]: ` +
			`column 5: unexpected "=": must be a resource, then =[`},
		{"--metric-labels-allowlist==[a]", "--metric-labels-allowlist: list of keys without a resource: must be resource=[key,...]"},
		{"--metric-annotations-allowlist=foo=[a]", "--metric-annotations-allowlist: resource foo does not exist: must be one of: "},
		{"--auto-gomemlimit --auto-gomemlimit-ratio=1.5", "--auto-gomemlimit-ratio: invalid ratio 1.5: must be above 0 and at most 1"},
		{"--auto-gomemlimit --auto-gomemlimit-ratio=NaN", "--auto-gomemlimit-ratio: invalid ratio NaN: must be above 0 and at most 1"},
		{"--auto-gomemlimit-ratio=most", `--auto-gomemlimit-ratio: invalid number "most": must be a number, such as 0.9`},
		{"--stderrthreshold=LOUD", `--stderrthreshold: invalid severity "LOUD": must be one of: INFO, WARNING, ERROR, FATAL`},
		{"--vmodule=a", `--vmodule: invalid item "a": must be pattern=N`},
		{"--vmodule=a=1,[=2", `--vmodule: invalid item "[=2": must be pattern=N`},
		{"-v=much", `--v: invalid number "much": must be a whole number`},
		{"--tls-config=/does/not/exist", "--tls-config: cannot read file: stat /does/not/exist: no such file or directory"},
		{"--join=kube_pod_*=[nodelabel:zone]", `--join: invalid item "nodelabel:zone" of kube_pod_*: did you mean node_label?`},
		{"--join=kube_pod_*=[label]", `--join: invalid item "label" of kube_pod_*: must have a key, such as label:app`},
		{"--join=kube_pod_*=[node:w1]", `--join: invalid item "node:w1" of kube_pod_*: must be node without a key`},
		{"--join=kube_podz_*=[node]", `--join: join on "kube_podz_*": no family has such a name`},
		{"--join=kube_pod_*", `--join: invalid value "kube_pod_*": invalid format`},
		{"--metric-annotations-allowlist=pods=[*a*]", `--metric-annotations-allowlist: invalid format, only one wildcard per label allowed: "*a*" of pods has 2`},
	} {
		_, err := parseFlags(t, strings.Fields(c.args)...).Complete()
		if err == nil {
			t.Errorf("%s: no error, want %q", c.args, c.want)
			continue
		}
		if got := err.Error(); !strings.Contains(got, c.want) || strings.Contains(got, "\n") || strings.Contains(got, "hunter2") {
			t.Errorf("%s:\n got %s\nwant %s", c.args, got, c.want)
		}
	}
}

// TestAbsurdNumbers: every option that is a number or a duration has bounds, except for
// those of which kube-state-metrics accepts any number.
func TestAbsurdNumbers(t *testing.T) {
	for _, row := range New().table() {
		if slices.Contains([]string{"object-limit", "shard", "total-shards", "v"}, row.name) || strings.HasPrefix(row.name, "server-") {
			continue
		}
		absurd := map[string][]string{
			"int":      {"-1", "-2147483648", "2147483647", "1e9", "99999999999999999999"},
			"duration": {"-1ns", "-1h", "8760h1s", "2562047h", "1e9h"},
		}[row.value.Type()]
		for _, v := range absurd {
			o, fs := New(), pflag.NewFlagSet("test", pflag.ContinueOnError)
			o.AddFlags(fs, row.group)
			if err := fs.Set(row.name, v); err != nil {
				t.Fatal(err)
			}
			if err := o.problems().Error(); !strings.HasPrefix(err, "--"+row.name+": invalid ") || strings.Contains(err, "\n") {
				t.Errorf("--%s=%s: problems %q", row.name, v, err)
			}
		}
	}
}

func TestRightValues(t *testing.T) {
	for _, args := range []string{
		"--port=0 --telemetry-port=0",
		"--port=8081 --host=127.0.0.1 --telemetry-host=127.0.0.2",
		"--host=",
		"--host=fe80::1%eth0 --telemetry-host=my_host",
		"--server-read-timeout=0",
		"--apiserver=localhost:8080", "--apiserver=10.0.0.1:6443", "--apiserver=http://h/", "--apiserver=https://h:1/cluster/x",
		"--namespaces= --namespaces-denylist=",
		"--metric-labels-allowlist= --metric-annotations-allowlist=",
		"--metric-labels-allowlist=*=[*],pods=[a]",
		"--object-limit=-1 -v=-1", "--object-limit=2147483647 -v=2147483647",
		"--auto-gomemlimit-ratio=7",
		"--port=0x1F90 --telemetry-port=8_082",
	} {
		if _, err := parseFlags(t, strings.Fields(args)...).Complete(); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// What kube-state-metrics accepts is no problem, but has a warning where it ignores it.
func TestAcceptedWithWarnings(t *testing.T) {
	for args, want := range map[string]string{
		"--namespaces=a,a":                                 "--namespaces: ignoring duplicates",
		"--namespaces=A":                                   `--namespaces: no namespace can be named "A": must be`,
		"--namespaces=a,b --namespaces-denylist=a":         `namespace "a" is in both; not reading it`,
		"--namespaces-denylist=a.b":                        `--namespaces-denylist: no namespace can be named "a.b": must be`,
		"--metric-labels-allowlist=pods":                   "--metric-labels-allowlist: ignoring pods, which has no list of keys: must be pods=[key,...]",
		"--metric-annotations-allowlist=pods=[a],pods=[b]": "--metric-annotations-allowlist: pods has several lists; using the last: ",
		"--metric-labels-allowlist=pods=[a":                `--metric-labels-allowlist: ignoring the last key "a": the list must end with ]`,
		"--server-read-timeout=-1s":                        "--server-read-timeout: negative duration -1s means no limit",
		"--pod=a":                                          "--pod: no effect without --pod-namespace",
		"--metric-allowlist=nothing":                       `--metric-allowlist: pattern "nothing" matches no family`,
	} {
		s := complete(t, parseFlags(t, strings.Fields(args)...))
		if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], want) {
			t.Errorf("%s: warnings %q, want %s", args, s.Warnings, want)
		}
	}
	for args, want := range map[string]string{
		"--shard=3 --total-shards=3":          "no objects are of shard 3 of 3",
		"--shard=-1":                          "no objects are of shard -1 of 1",
		"--total-shards=0":                    "no objects are of shard 0 of 0",
		"--node=a --track-unscheduled-pods":   "--track-unscheduled-pods: overrides --node",
		"--shard=9 --pod=a --pod-namespace=b": "",
	} {
		if got := strings.Join(parseFlags(t, strings.Fields(args)...).Shards.warnings(), "\n"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: warnings %q, want %s", args, got, want)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := parseFlags(t, "--port=x", "--telemetry-port=70000", "--resources=foo,bar", "--namespaces=%",
		"--metric-allowlist=(,[", "--metric-opt-in-list=(?=a)", "--metric-labels-allowlist=pods[", "--log-level=loud").Complete()
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 10 {
		t.Errorf("%d problems, want 10:\n%v", len(lines), err)
	}
}
