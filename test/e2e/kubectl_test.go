package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

const kubectlBinary = "bin/kubectl"

// TestKubectl runs the real kubectl against the simulated API server of the demo.
func TestKubectl(t *testing.T) {
	t.Parallel()
	k := harness.StartKubestate(t, kubestateBinary, "demo", "--nodes", "3", "--pods", "60", "--churn", "0", "--port", "0", "--telemetry-port", "0")
	k.WaitReady(t)
	server := k.LogMatch(t, "the address of the API server", regexp.MustCompile(`apiserver=(http://127\.0\.0\.1:\d+)`))[1]
	kubectl := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), kubectlBinary, append([]string{"-s", server}, args...)...)
		command.Env = append(os.Environ(), "HOME="+t.TempDir(), "KUBECONFIG="+os.DevNull)
		output, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
		}
		return string(output)
	}
	names := strings.Fields(kubectl("get", "pods", "-A", "-o", "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} {end}"))
	if len(names) < 2*60 {
		t.Fatalf("kubectl lists %d Pods, want 60 or more", len(names)/2)
	}
	for args, lines := range map[string][]string{
		"get pods -A":                {`^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE$`, `^\S+ +` + names[1] + ` +\d+/\d+ +\w+ +\d+`},
		"get po -A -w=false -o wide": {`^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$`},
		"get nodes":                  {`^NAME +STATUS +ROLES +AGE +VERSION$`, `^node-00001 +Ready `},
		"get all -A":                 {`^\S+ +pod/`, `^\S+ +service/`, `^\S+ +deployment.apps/`, `^\S+ +replicaset.apps/`, `^\S+ +daemonset.apps/`, `^\S+ +statefulset.apps/`, `^\S+ +job.batch/`, `^\S+ +cronjob.batch/`, `^\S+ +horizontalpodautoscaler.autoscaling/`},
		"get events -A":              {`^No resources found$`},
		"get deploy,rs,sts,ds,jobs,cj,hpa,pdb,svc,ing,netpol,pvc,pv,sc,cm,secrets,quota,limits,leases,endpointslices -A": {`^\S+ +ingress.networking.k8s.io/`, `^\S+ +secret/`},
		"describe pod -n " + names[0] + " " + names[1]:                                                                   {`^Name: +` + names[1] + `$`, `^Containers:$`, `^Conditions:$`, `^Events: +<none>$`},
		"describe node node-00001": {`^Name: +node-00001$`, `^Capacity:$`, `^Non-terminated Pods: +\(\d+ in total\)$`, `^Allocated resources:$`},
		"describe deployments -A":  {`^Pod Template:$`, `^NewReplicaSet: `},
		"describe services -A":     {`^Endpoints: `},
		"api-resources":            {`^pods +po +v1 +true +Pod$`, `^deployments +deploy +apps/v1 +true +Deployment$`},
		"get pods -A --field-selector status.phase=NoSuchPhase": {`^No resources found$`},
	} {
		output := kubectl(strings.Fields(args)...)
		for _, line := range lines {
			if !regexp.MustCompile("(?m)" + line).MatchString(output) {
				t.Errorf("kubectl %s prints no line %q:\n%.2000s", args, line, output)
			}
		}
	}
}
