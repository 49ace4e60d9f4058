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

// promtool accepts /metrics without findings.
func TestPromtool(t *testing.T) {
	buildPrograms(t)
	findings, err := promtool(t, startDemo(t, "--churn=0").Scrape(t))
	if err != nil || len(findings) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, strings.Join(findings, "\n"))
	}
}

// knownFindings are all expected findings of promtool, for all families.
func knownFindings() []string {
	const count = ` non-histogram and non-summary metrics should not have "_count" suffix`
	return []string{
		"kube_resourceclaim_spec_device_request_count" + count,
		"kube_resourceslice_spec_pool_resource_slice_count" + count,
	}
}

// The parser of promtool, which differs from that of Prometheus, accepts all text that
// kubestate can write, and its linter has only the known findings for all families.
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
			// A random object may have duplicate conditions or containers, which API
			// servers reject.
			if !strings.HasSuffix(finding, " metric not unique") {
				found[finding] = true
			}
		}
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, knownFindings()) {
		t.Errorf("promtool check metrics finds\n%q\nand should find\n%q", got, knownFindings())
	}
}

// promtool finds invalid text.
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

// promtool returns the findings of "promtool check metrics". The error reports text
// that cannot be parsed.
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
