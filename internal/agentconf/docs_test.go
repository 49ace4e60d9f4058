package agentconf

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
)

// example returns the first configuration file in docs/agent-config.md, with the paths of
// its secrets in a temporary directory that has them.
func example(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/agent-config.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(rest, "```")
	if !found || !strings.HasPrefix(text, "agent:\n") {
		t.Fatal("docs/agent-config.md does not begin with a configuration file")
	}
	dir := t.TempDir()
	for _, name := range []string{"datadog-key", "ca.pem", "key", "token"} {
		content := "secret"
		if name == "ca.pem" {
			content = certificate
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(text, "/etc/kubestate/", dir+"/")
}

// The example in the documentation is valid and has every setting, and an agent and its
// sinks can be created from it.
func TestExample(t *testing.T) {
	text := example(t)
	c, err := Reader{}.Read("example.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, schema(t), text); err != nil {
		t.Errorf("invalid according to the schema: %v", err)
	}
	if _, err := agent.New(c.Agent.Settings().Agent); err != nil {
		t.Error(err)
	}
	outputs, warnings, err := c.Agent.Outputs()
	if err != nil || len(outputs) != len(sinkTypes()) || len(warnings) > 0 {
		t.Errorf("%d sinks of %d types, warnings %q, %v", len(outputs), len(sinkTypes()), warnings, err)
	}
	keysOf(reflect.TypeFor[Agent](), func(key string) { mentioned(t, text, key) })
	keysOf(reflect.TypeFor[LeaderElection](), func(key string) { mentioned(t, text, key) })
	for _, empty := range sinkTypes() {
		keysOf(reflect.TypeOf(empty()).Elem(), func(key string) { mentioned(t, text, key) })
	}
}

// The tables of docs/agent-names.md list all fields, with nested fields in the row of their
// parent.
func TestNamesFields(t *testing.T) {
	page, err := os.ReadFile("../../docs/agent-names.md")
	if err != nil {
		t.Fatal(err)
	}
	_, fields, found := strings.Cut(string(page), "\n## The fields\n")
	if !found {
		t.Fatal("docs/agent-names.md has no section for fields")
	}
	ofTable, ofRule, _ := strings.Cut(fields, "\nA rule")
	rows := map[string]string{}
	for line := range strings.SplitSeq(fields, "\n") {
		if cells := strings.SplitN(line, "|", 3); len(cells) == 3 {
			rows[strings.Trim(cells[1], " `")] = cells[2]
		}
	}
	for struc, text := range map[reflect.Type]string{
		namesType: ofTable, reflect.TypeFor[naming.Rule](): ofRule,
		reflect.TypeFor[naming.Aggregate](): rows["aggregates"], reflect.TypeFor[naming.Join](): rows["joins"],
		reflect.TypeFor[naming.Override](): rows["overrides"], reflect.TypeFor[naming.Owners](): rows["owners"],
		reflect.TypeFor[naming.Entity](): rows["entities"], reflect.TypeFor[naming.States](): rows["states"], reflect.TypeFor[naming.Check](): rows["check"],
	} {
		keysOf(struc, func(key string) {
			if key != "-" && !strings.Contains(text, "`"+key+"`") && !strings.Contains(text, "`"+key+": ") {
				t.Errorf("the documentation of %s lacks %s", struc.Name(), key)
			}
		})
	}
	for typ, text := range map[reflect.Type]string{
		reflect.TypeFor[naming.Op](): rows["aggregates"], reflect.TypeFor[naming.Type](): rows["type"],
		reflect.TypeFor[naming.Value](): rows["value"], reflect.TypeFor[naming.Status](): rows["check"],
	} {
		for _, value := range values()[typ] {
			if !strings.Contains(text, "`"+value+"`") {
				t.Errorf("the documentation of %s lacks %s", typ.Name(), value)
			}
		}
	}
}

func mentioned(t *testing.T, text, key string) {
	t.Helper()
	if !strings.Contains(text, key+":") {
		t.Errorf("the example lacks %s", key)
	}
}

// keysOf calls with for each key of a struct and its embedded structs.
func keysOf(s reflect.Type, with func(key string)) {
	for f := range s.Fields() {
		if f.Anonymous {
			keysOf(f.Type, with)
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		with(key)
	}
}

// certificate is a self-signed certificate.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUB2CjX7f7FSPZONIljduN1dykMkcwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyNzIxMzczNVoYDzIxMjYxMTAzMjEz
NzM1WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATt3BWKiyCqAfcdYK37m/EZ2f+GxU0kQZfIPkvq/PFG4XbjiHRUdL8tIt0FAafC
reFY6FC8OQWFMBPf+f7ygBJno1MwUTAdBgNVHQ4EFgQUD1dkq1/1yODXg6ogwpxp
cTVY6d4wHwYDVR0jBBgwFoAUD1dkq1/1yODXg6ogwpxpcTVY6d4wDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAxYqxAyRg4tMq2McuncEA4zhO0KNda
bRy5ghTm7f1sCQIhAJAAAUtWHVKxDeLNl+kZTOtPI59jUU6KdMAWlumPqqWt
-----END CERTIFICATE-----
`
