package kubewatch

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrNothingServed is the error of Ready when the API server refuses every resource.
var ErrNothingServed = errors.New("the API server refuses every resource; grant the rules of deploy/clusterrole.yaml")

// Ready returns nil once every watch has completed its initial list or the API server
// has refused it at least attempts times with 403 or 404: one resource that the cluster
// lacks does not keep the others out of service. The error names what is still missing.
// It is ErrNothingServed when every watch is refused: then there is nothing to serve.
func Ready(statuses []Status, attempts uint64) error {
	var errs []error
	refused := 0
	for i := range statuses {
		s := &statuses[i]
		switch {
		case s.Synced:
		case s.Refused() && s.Counts.ListErrors >= attempts:
			refused++
		default:
			errs = append(errs, fmt.Errorf("%s: %s", s.Scope(), s.State))
		}
	}
	if refused > 0 && refused == len(statuses) {
		return ErrNothingServed
	}
	return errors.Join(errs...)
}

// NotServed lists what the API server refuses and has never been listed, such as
// "secrets in namespace shop (forbidden)".
func NotServed(statuses []Status) (scopes []string) {
	for i := range statuses {
		s := &statuses[i]
		if s.Synced || !s.Refused() {
			continue
		}
		scopes = append(scopes, notServed(s.Scope(), s.Reason))
	}
	return scopes
}

func notServed(scope, reason string) string {
	why := "forbidden"
	if reason == string(metav1.StatusReasonNotFound) {
		why = "not found"
	}
	return scope + " (" + why + ")"
}

// Scope returns what the watch reads: the resource, and the namespace if it is limited
// to one.
func (s *Status) Scope() string {
	if s.Namespace == "" {
		return s.Resource.Name
	}
	return s.Resource.Name + " in namespace " + s.Namespace
}
