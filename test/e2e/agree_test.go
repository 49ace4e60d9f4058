package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// showAll is the flags that choose the kinds of this test and switch on what a
// family or label needs a flag for.
func showAll() []string {
	return []string{
		"--resources=pods,nodes,deployments,replicasets,namespaces",
		"--metric-labels-allowlist=pods=[*],nodes=[*],deployments=[*],replicasets=[*],namespaces=[*]",
		"--metric-annotations-allowlist=pods=[*],nodes=[*],deployments=[*],replicasets=[*],namespaces=[*]",
		"--metric-opt-in-list=kube_",
	}
}

// start runs kubestate as the user whose rights the test grants.
func start(t *testing.T, c *cluster.Cluster) *harness.Kubestate {
	t.Helper()
	return harness.StartKubestate(t, kubestateBinary, append(showAll(), "--kubeconfig="+c.Kubeconfig(t, cluster.Kubestate))...)
}

// timeout is how long kubestate may take to follow: the longest pause between
// two attempts after failures is 30 s.
const timeout = 90 * time.Second

// agree waits until kubestate serves the text that "kubestate render" writes
// for a dump of the cluster, and until the text passes the checks. Only the
// checks prove that both are not wrong in the same way. It returns the text.
func agree(t *testing.T, k *harness.Kubestate, c *cluster.Cluster, checks ...func(text string) error) string {
	t.Helper()
	return agreeOn(t, k, c, kinds(), checks...)
}

// agreeOn is agree for a cluster that has, as far as kubestate may know, only
// objects of some kinds.
func agreeOn(t *testing.T, k *harness.Kubestate, c *cluster.Cluster, kinds []schema.GroupVersionResource, checks ...func(text string) error) string {
	t.Helper()
	var text string
	k.Eventually(t, timeout, "/metrics equals render of the same objects", func() error {
		want := render(t, kubectlJSON(t, c.List(t, kinds...)), showAll()...)
		text = k.Scrape(t)
		errs := []error{difference(text, want)}
		for _, check := range checks {
			errs = append(errs, check(text))
		}
		return errors.Join(errs...)
	})
	return text
}

// has is a check that some line has each of the parts.
func has(parts ...string) func(text string) error {
	return func(text string) error {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return fmt.Errorf("no line has %q", part)
			}
		}
		return nil
	}
}

// hasNot is a check that no line, header lines included, has one of the parts.
func hasNot(parts ...string) func(text string) error {
	return func(text string) error {
		for _, part := range parts {
			if _, after, found := strings.Cut(text, part); found {
				line, _, _ := strings.Cut(after, "\n")
				return fmt.Errorf("a line has %q: …%s%s", part, part, line)
			}
		}
		return nil
	}
}

// render returns what "kubestate render" writes for a dump on its standard
// input.
func render(t *testing.T, dump []byte, flags ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), kubestateBinary, append([]string{"render", "-"}, flags...)...)
	command.Stdin = bytes.NewReader(dump)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("kubestate render: %v\n%s", err, stderr.String())
	}
	return stdout.String()
}

// kubectlJSON is the objects as "kubectl get -o json" prints them.
func kubectlJSON(t *testing.T, objects []unstructured.Unstructured) []byte {
	t.Helper()
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}}
	items := make([]any, 0, len(objects))
	for _, object := range objects {
		items = append(items, object.Object)
	}
	list["items"] = items
	dump, err := json.MarshalIndent(list, "", "    ")
	if err != nil {
		t.Fatalf("dump objects: %v", err)
	}
	return dump
}

// documents is the objects as YAML, one document each.
func documents(t *testing.T, objects []unstructured.Unstructured) []byte {
	t.Helper()
	var dump bytes.Buffer
	for _, object := range objects {
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatalf("dump objects: %v", err)
		}
		dump.WriteString("---\n")
		dump.Write(document)
	}
	return dump.Bytes()
}

// jsonLines is the objects as JSON, one line each.
func jsonLines(t *testing.T, objects []unstructured.Unstructured) []byte {
	t.Helper()
	var dump bytes.Buffer
	encoder := json.NewEncoder(&dump)
	for _, object := range objects {
		if err := encoder.Encode(object.Object); err != nil {
			t.Fatalf("dump objects: %v", err)
		}
	}
	return dump.Bytes()
}
