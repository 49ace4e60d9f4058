package prometheus

import (
	"bytes"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestPromtool: promtool reads /metrics and has nothing to say against it.
func TestPromtool(t *testing.T) {
	buildPrograms(t)
	findings, err := promtool(t, startDemo(t, "--churn=0").Scrape(t))
	if err != nil || len(findings) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, strings.Join(findings, "\n"))
	}
}

// knownFindings is all that promtool has to say against any family.
func knownFindings() []string {
	const count = ` non-histogram and non-summary metrics should not have "_count" suffix`
	return []string{
		"kube_resourceclaim_spec_device_request_count" + count,
		"kube_resourceslice_spec_pool_resource_slice_count" + count,
	}
}

// TestPromtoolRandomObjects: the parser of promtool, which is not that of
// Prometheus, reads all text that kubestate can write, and its linter finds in
// every family together what is known.
func TestPromtoolRandomObjects(t *testing.T) {
	buildPrograms(t)
	found := map[string]bool{}
	for seed := range int64(20) {
		x, _ := random(t, seed, "text")
		text, _ := write(t, x, ContentTypeText)
		findings, err := promtool(t, string(text))
		if err != nil {
			t.Fatalf("promtool check metrics, seed %d: %v\n%s", seed, err, strings.Join(findings, "\n"))
		}
		for _, finding := range findings {
			// A random object has the same condition or container twice; no
			// API server accepts it.
			if !strings.HasSuffix(finding, " metric not unique") {
				found[finding] = true
			}
		}
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, knownFindings()) {
		t.Errorf("promtool check metrics finds\n%q\nand should find\n%q", got, knownFindings())
	}
}

// TestPromtoolRefuses proves that a text that is wrong would be found.
func TestPromtoolRefuses(t *testing.T) {
	buildPrograms(t)
	for name, text := range map[string]string{
		"no brace at the end": "a{x=\"1\" 1\n",
		"two values":          "a 1 1 1\n",
		"two types":           "# TYPE a gauge\n# TYPE a gauge\na 1\n",
		"line feed":           "a{x=\"\n\"} 1\n",
	} {
		if _, err := promtool(t, text); err == nil {
			t.Errorf("%s: promtool accepts %q", name, text)
		}
	}
	if findings, err := promtool(t, "# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n"); err != nil || len(findings) != 1 {
		t.Errorf("promtool has %d findings about a gauge named a_total, not 1: %v, %v", len(findings), findings, err)
	}
}

// promtool returns the findings of "promtool check metrics" about a text. The
// error says that it cannot be parsed.
func promtool(t *testing.T, text string) (findings []string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), promtoolBinary, "check", "metrics")
	command.Stdin = strings.NewReader(text)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err = command.Run()
	var exit *exec.ExitError
	const lint = 3 // exit code: parsed, with findings
	if errors.As(err, &exit) && exit.ExitCode() == lint {
		err = nil
	}
	for line := range strings.Lines(out.String()) {
		findings = append(findings, strings.TrimSpace(line))
	}
	return findings, err
}
