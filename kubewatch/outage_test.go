package kubewatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// One server that is down is one line in the log, whatever the number of watches, and one
// when it is back.
func TestOutageIsOneLine(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		var watches []Watch
		for i := range 36 {
			watches = append(watches, Watch{Table: kind.ReplicaSets, Namespace: fmt.Sprint("ns", i), Store: &memory{}})
		}
		g, _ := c.watch(watches...)
		c.log.want(t)
		c.network.cut(true)
		time.Sleep(time.Hour)
		for _, s := range g.Statuses() {
			if s.State != Failing || s.Reason != Unreachable {
				t.Errorf("%s is %s", s.Scope(), s.State)
			}
		}
		c.network.cut(false)
		time.Sleep(time.Minute)
		c.log.want(t, "WARN cannot reach API server; retrying Unreachable", "INFO API server recovered")
		allow := c.api.Inject(apiserver.Unavailable("", 0))
		c.api.CutWatches("")
		time.Sleep(time.Hour)
		allow()
		time.Sleep(time.Minute)
		c.log.want(t, "WARN cannot reach API server; retrying Unreachable", "INFO API server recovered",
			"WARN watch failed; retrying ServiceUnavailable", "INFO API server recovered")
	})
}

const notServedLine = "WARN some resources are not served; deploy/clusterrole.yaml has the rules that they need: "

// However many resources are refused, that is one line in the log, and one when they are
// allowed again, at the start and later.
func TestRefusalsAreOneLine(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		var watches []Watch
		for i := range 36 {
			watches = append(watches, Watch{Table: kind.ReplicaSets, Namespace: fmt.Sprintf("ns%02d", i), Store: &memory{}})
		}
		var scopes, refused []string
		for i := range watches {
			scope := "replicasets in namespace " + watches[i].Namespace
			scopes, refused = append(scopes, scope), append(refused, scope+" (forbidden)")
		}
		allow := c.api.Inject(apiserver.Forbidden("replicasets"))
		c.watch(watches...)
		time.Sleep(time.Hour)
		allow()
		time.Sleep(time.Hour)
		lines := []string{notServedLine + strings.Join(refused, ", "), "INFO resources are served again: " + strings.Join(scopes, ", ")}
		c.log.want(t, lines...)
		allow = c.api.Inject(apiserver.Forbidden("replicasets"))
		c.api.CutWatches("")
		time.Sleep(time.Hour)
		allow()
		time.Sleep(time.Hour)
		c.log.want(t, append(lines, lines...)...)
	})
}

// A resource that is missing before and after an outage is logged once.
func TestOutageOfMissing(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.api.Inject(apiserver.Missing("replicasets"))
		g, _ := c.watchReplicaSets()
		time.Sleep(time.Minute)
		c.network.cut(true)
		time.Sleep(time.Minute)
		c.wantStatus(g, Failing, Unreachable)
		c.network.cut(false)
		time.Sleep(time.Minute)
		c.wantStatus(g, Failing, "NotFound")
		c.log.want(t, notServedLine+"replicasets (not found)", "WARN cannot reach API server; retrying Unreachable", "INFO API server recovered")
	})
}
