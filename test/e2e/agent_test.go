package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

const leaseNamespace = "default" // created by the API server

// replica is an agent that sends to a socket of the test.
type replica struct {
	*harness.Kubestate
	socket *net.UDPConn
}

// startReplica starts an agent that competes for the Lease, whose duration the agent
// reports.
func startReplica(t *testing.T, c *cluster.Cluster, name string, lasts time.Duration) *replica {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	config := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "agent: {leaderElection: {enabled: true, leaseDuration: %s}}\n", lasts), 0o600); err != nil {
		t.Fatal(err)
	}
	return &replica{socket: socket, Kubestate: harness.StartAgent(t, name, kubestateBinary,
		"--kubeconfig="+c.Kubeconfig(t, cluster.Kubestate), "--resources=pods,nodes,deployments,replicasets,namespaces",
		"--config="+config, "--leader-election-namespace="+leaseNamespace,
		"--sink=udp://"+socket.LocalAddr().String(), "--interval=1s")}
}

// receive waits for a datagram and returns it.
func (r *replica) receive(t *testing.T, timeout time.Duration) string {
	t.Helper()
	if err := r.socket.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := r.socket.Read(buf)
	if err != nil {
		t.Fatalf("nothing is received: %v", err)
	}
	return string(buf[:n])
}

// metric waits until the agent exposes a line about itself.
func (r *replica) metric(t *testing.T, line string) {
	t.Helper()
	r.Eventually(t, time.Minute, line, func() error {
		response, err := harness.Get(t.Context(), r.Telemetry+"/metrics")
		if err != nil {
			return err
		}
		return has(line + "\n")(response.Body)
	})
}

// testAgentLeads runs two agents with the permissions of the deployed Role. One sends;
// the other takes over at once when it shuts down, or after its Lease has expired when
// it is killed.
func testAgentLeads(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	defer c.GrantIn(t, leaseNamespace, "../../deploy/agent-leader-election.yaml")()
	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)

	first := startReplica(t, c, "first", time.Minute)
	if got := first.receive(t, time.Minute); !strings.Contains(got, "kube_") {
		t.Errorf("received %q", got)
	}
	second := startReplica(t, c, "second", 6*time.Second)
	second.metric(t, "kubestate_agent_leader 0")
	second.WaitReady(t)
	for range 3 {
		first.receive(t, time.Minute)
	}
	second.metric(t, `kubestate_agent_runs_total{result="success",sink="dogstatsd"} 0`)

	first.Signal(syscall.SIGTERM)
	if code := first.ExitCode(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM, not 0", code)
	}
	second.receive(t, 45*time.Second) // less than the duration of the first Lease
	second.metric(t, "kubestate_agent_leader 1")

	second.Kill()
	third := startReplica(t, c, "third", time.Minute)
	third.receive(t, time.Minute)
	third.metric(t, "kubestate_agent_leader 1")
}

// testAgentOnce runs the agent once with each naming scheme and looks for series that
// are always present.
func testAgentOnce(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)
	for names, parts := range map[string][]string{
		"ksm":     {`"name":"kube_deployment_spec_replicas"`, `"namespace:shop"`},
		"datadog": {`"name":"kubernetes_state.deployment.replicas_desired"`, `"kube_namespace:shop"`, `"name":"kubernetes_state.pod.count"`},
		"otel":    {`"name":"k8s.deployment.pod.desired"`, `"k8s.namespace.name:shop"`},
	} {
		command := exec.CommandContext(t.Context(), kubestateBinary, "agent", "--names="+names, "--sink=stdout", "--once",
			"--kubeconfig="+c.Kubeconfig(t, cluster.Kubestate))
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		if err := command.Run(); err != nil {
			t.Fatalf("agent --names %s: %v\n%s", names, err, stderr.String())
		}
		for _, part := range parts {
			if err := has(part)(stdout.String()); err != nil {
				t.Errorf("agent --names %s: %v", names, err)
			}
		}
	}
}
