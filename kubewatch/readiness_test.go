package kubewatch

import (
	"errors"
	"slices"
	"testing"

	"github.com/kubestate/kubestate/kind"
)

func TestReady(t *testing.T) {
	status := func(name, namespace string, synced bool, reason string, failures uint64) Status {
		s := Status{Resource: kind.Resource{Name: name}, Namespace: namespace, State: Connecting, Synced: synced, Reason: reason}
		if s.Counts.ListErrors = failures; reason != "" {
			s.State = Failing
		}
		return s
	}
	pods, asking := status("pods", "", true, "", 0), status("nodes", "", false, "", 0)
	forbidden, missing := status("secrets", "shop", false, "Forbidden", 1), status("leases", "", false, "NotFound", 2)
	f := func(attempts uint64, want string, notServed []string, statuses ...Status) {
		t.Helper()
		got := ""
		if err := Ready(statuses, attempts); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if names := NotServed(statuses); !slices.Equal(names, notServed) {
			t.Errorf("not served: %q, want %q", names, notServed)
		}
	}
	both := []string{"secrets in namespace shop (forbidden)", "leases (not found)"}
	f(0, "", nil)
	f(0, "", nil, pods)
	f(0, "nodes: connecting", nil, pods, asking)
	f(0, "", both, pods, forbidden, missing)
	f(2, "secrets in namespace shop: failing", both, pods, forbidden, missing)
	f(0, "nodes: connecting", both, asking, forbidden, missing)
	f(0, ErrNothingServed.Error(), both, forbidden, missing)
	f(2, "secrets in namespace shop: failing", both, forbidden, missing)
	f(0, "pods: failing", nil, status("pods", "", false, "Unreachable", 9), status("nodes", "", true, "Forbidden", 9))
	if err := Ready([]Status{forbidden}, 1); !errors.Is(err, ErrNothingServed) {
		t.Errorf("got %v", err)
	}
}
