package lease

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/kubewatch"
)

// path returns the path of the Leases of a namespace, or of one of them.
func path(namespace, name string) string {
	p := "/apis/coordination.k8s.io/v1/namespaces/" + url.PathEscape(namespace) + "/leases"
	if name != "" {
		p += "/" + url.PathEscape(name)
	}
	return p
}

// send sends a request about a Lease, with one in its body unless in is nil, and
// returns the Lease of the response. A refusal is a *apierrors.StatusError.
func send(ctx context.Context, c *kubewatch.Client, method, path string, in *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	body, err := c.Send(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	out := &coordinationv1.Lease{}
	if err := json.Unmarshal(body, out); err != nil {
		return nil, fmt.Errorf("invalid response: %w", err)
	}
	return out, nil
}

// holder returns the identity of the replica that holds a Lease; empty: none.
func holder(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// claim makes a replica the holder of a Lease.
func claim(lease *coordinationv1.Lease, identity string, duration time.Duration) {
	now := metav1.NowMicro()
	s := &lease.Spec
	if holder(lease) != identity {
		s.AcquireTime = &now
		if s.LeaseTransitions != nil {
			s.LeaseTransitions = new(*s.LeaseTransitions + 1)
		} else {
			s.LeaseTransitions = new(int32(0))
		}
	}
	s.HolderIdentity = &identity
	s.LeaseDurationSeconds = new(int32(duration / time.Second))
	s.RenewTime = &now
}

// release makes nobody the holder of a Lease.
func release(lease *coordinationv1.Lease) {
	now := metav1.NowMicro()
	s := &lease.Spec
	s.HolderIdentity = new("")
	s.LeaseDurationSeconds = new(int32(1))
	s.RenewTime, s.AcquireTime = &now, &now
}
