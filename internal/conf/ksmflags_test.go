package conf

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/spf13/pflag"
)

// ksmFlags are the flags of kube-state-metrics 2.20; see testdata/kube-state-metrics.
func ksmFlags(t *testing.T) []struct{ Name, Type, Default string } {
	t.Helper()
	data, err := os.ReadFile("testdata/kube-state-metrics/flags.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var flags []struct{ Name, Type, Default string }
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		flags = append(flags, struct{ Name, Type, Default string }{})
		if err := json.Unmarshal(lines.Bytes(), &flags[len(flags)-1]); err != nil {
			t.Fatal(err)
		}
	}
	return flags
}

// Every flag of kube-state-metrics is one of ours, of the same type and with the same
// default, except that responses are compressed by default.
func TestFlagsOfKubeStateMetrics(t *testing.T) {
	o, fs := New(), pflag.NewFlagSet("test", pflag.ContinueOnError)
	o.AddFlags(fs, Groups()...)
	// Our types are more specific.
	types := map[string][]string{
		"string": {"string", listType, keysType}, "bool": {boolType}, "int": {"int"}, "int32": {"int"}, "float": {"float"}, "duration": {"duration"},
		"Level": {"int"}, "severity": {"string"}, "moduleSpec": {"string"}, "traceLocation": {"string"}, "uint64": {"string"},
	}
	flags := ksmFlags(t)
	if len(flags) != 53 {
		t.Errorf("%d flags, want 53", len(flags))
	}
	for _, want := range flags {
		if want.Name == "help" {
			continue // cobra adds it
		}
		f := fs.Lookup(want.Name)
		if f == nil {
			t.Errorf("no flag --%s", want.Name)
			continue
		}
		if want.Name == "enable-gzip-encoding" {
			want.Default = "true"
		}
		if !slices.Contains(types[want.Type], f.Value.Type()) || f.DefValue != want.Default {
			t.Errorf("--%s is of type %s with default %q, want %s and %q", want.Name, f.Value.Type(), f.DefValue, want.Type, want.Default)
		}
	}
	if f := fs.ShorthandLookup("v"); f == nil || f.Name != "v" {
		t.Errorf("-v is %v, want --v", f)
	}
}
