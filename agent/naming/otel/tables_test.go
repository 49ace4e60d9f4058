package otel_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/ksm"
	"github.com/kubestate/kubestate/agent/naming/otel"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/sink/jsonlines"
)

// A naming scheme survives a round trip through YAML and JSON, and sends the same series
// afterwards.
func TestSchemesRoundTrip(t *testing.T) {
	for _, names := range []*naming.Scheme{ksm.Scheme(), otel.Scheme()} {
		want := render(run(t, agent.Config{Scheme: names}, "testdata/cluster.yaml"))
		if want == "" {
			t.Fatalf("%s: no series for the objects", names.Name)
		}
		for form, write := range map[string]func(any) ([]byte, error){"YAML": yaml.Marshal, "JSON": json.Marshal} {
			data, err := write(names)
			if err != nil {
				t.Fatal(err)
			}
			read := readTable(t, data)
			if diff := cmp.Diff(names, read); diff != "" {
				t.Errorf("%s as %s: -written +read:\n%s", names.Name, form, diff)
			}
			got := render(run(t, agent.Config{Scheme: read}, "testdata/cluster.yaml"))
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s as %s: -series of the original +series of the copy:\n%s", names.Name, form, diff)
			}
		}
	}
}

// readTable reads a naming scheme from a file, as the program does.
func readTable(t *testing.T, data []byte) *naming.Scheme {
	t.Helper()
	file := filepath.Join(t.TempDir(), "names.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := agentconf.Table(file)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// block returns the code block that follows a mark in a document, and its position.
func block(t *testing.T, document, mark string) (code string, from, to int) {
	t.Helper()
	_, after, ok := strings.Cut(document, "<!-- "+mark+" -->\n")
	_, after, opened := strings.Cut(after, "\n") // ```yaml
	code, _, closed := strings.Cut(after, "```")
	if !ok || !opened || !closed {
		t.Fatalf("no code block after %q", mark)
	}
	from = len(document) - len(after)
	return code, from, from + len(code)
}

// The example in the documentation sends the documented series.
func TestDocumentedScheme(t *testing.T) {
	const file = "../../../docs/agent-names.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	document := string(text)
	table, _, _ := block(t, document, "shop.yaml")
	names := readTable(t, []byte(table))
	objects := filepath.Join(t.TempDir(), "objects.yaml")
	manifests, _, _ := block(t, document, "objects")
	if err := os.WriteFile(objects, []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}

	var lines bytes.Buffer
	out, err := jsonlines.New(jsonlines.Config{Output: &lines})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Send(t.Context(), run(t, agent.Config{Scheme: names}, objects)); err != nil {
		t.Fatal(err)
	}
	want, from, to := block(t, document, "lines")
	if *update {
		document = document[:from] + lines.String() + document[to:]
		if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(lines.String(), "\n")); diff != "" {
		t.Errorf("%s: -documented +got (go test ./agent/naming/otel -update rewrites it):\n%s", file, diff)
	}
}
