package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
	"sigs.k8s.io/yaml"
)

const mixinDir = "../../deploy/mixin"

// The rendered files are those of the jsonnet.
func TestMixin(t *testing.T) {
	text, err := jsonnet.MakeVM().EvaluateFile(mixinDir + "/render.jsonnet")
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]string
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		golden(t, filepath.Join(mixinDir, "rendered", name), content)
	}
	rendered, err := filepath.Glob(mixinDir + "/rendered/*")
	if err != nil || len(rendered) != len(files) {
		t.Errorf("rendered has %d files, the mixin %d: %v", len(rendered), len(files), err)
	}
}

// Every alert has a test that it fires, one that it is quiet, and a section of the
// runbooks that says what to do.
func TestAlertsAreComplete(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string            `json:"alert"`
				Annotations map[string]string `json:"annotations"`
			} `json:"rules"`
		} `json:"groups"`
	}
	read(t, mixinDir+"/rendered/alerts.yaml", &rules)
	var tests struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string `json:"alertname"`
				ExpAlerts []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	read(t, mixinDir+"/tests.yaml", &tests)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, a := range test.AlertRuleTest {
			fires[a.Alertname] = fires[a.Alertname] || len(a.ExpAlerts) > 0
			quiet[a.Alertname] = quiet[a.Alertname] || len(a.ExpAlerts) == 0
		}
	}
	runbooks, err := os.ReadFile("../../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			n++
			if !fires[r.Alert] || !quiet[r.Alert] {
				t.Errorf("%s: a test in which it fires: %t, is quiet: %t", r.Alert, fires[r.Alert], quiet[r.Alert])
			}
			if !strings.Contains(string(runbooks), fmt.Sprintf("\n## %s\n", r.Alert)) {
				t.Errorf("%s: no section in docs/runbooks.md", r.Alert)
			}
			if !strings.HasSuffix(r.Annotations["runbook_url"], "/docs/runbooks.md#"+strings.ToLower(r.Alert)) {
				t.Errorf("%s: runbook_url %q", r.Alert, r.Annotations["runbook_url"])
			}
		}
	}
	if n == 0 {
		t.Error("no alerts")
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
