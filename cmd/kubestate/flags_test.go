package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// The help of every command fits a terminal of 80 columns.
func TestHelpWidth(t *testing.T) {
	for _, c := range append(rootCommand().Commands(), rootCommand()) {
		if c.Name() == "completion" || c.Name() == "help" {
			continue // cobra's
		}
		var out bytes.Buffer
		c.SetOut(&out)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > helpWidth {
				t.Errorf("%s: %d columns: %s", c.Name(), n, line)
			}
		}
	}
}

// Values of flags are completed; of lists, the last item.
func TestCompletion(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--resources repl", "replicasets,replicationcontrollers"},
		{"--resources pods,nod", "pods,nodes"},
		{"--metric-labels-allowlist pods=[a],nodes", "pods=[a],nodes=["},
		{"--metric-opt-in-list kube_pod_nodesel", "kube_pod_nodeselectors"},
		{"--log-level de", "debug"},
		{"agent --names da", "datadog"},
		{"agent --sink otlp+g", "otlp+grpc:,otlp+grpcs:"},
	} {
		var out bytes.Buffer
		args := append([]string{cobra.ShellCompNoDescRequestCmd}, strings.Fields(c.args)...)
		if code := run(t.Context(), args, nil, &out, &bytes.Buffer{}); code != 0 {
			t.Errorf("%s: exit code %d", c.args, code)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if got := strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, ":") }), ","); got != c.want {
			t.Errorf("%s: got %s, want %s", c.args, got, c.want)
		}
	}
}
