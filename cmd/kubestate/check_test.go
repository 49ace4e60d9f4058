package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// accessReviewer is an API server that only answers SelfSubjectAccessReviews.
func accessReviewer(t *testing.T, allowed func(a *authorizationv1.ResourceAttributes) bool) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review authorizationv1.SelfSubjectAccessReview
		if r.Method != http.MethodPost || r.URL.Path != "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" || json.NewDecoder(r.Body).Decode(&review) != nil {
			http.Error(w, "not a review", http.StatusNotFound)
			return
		}
		review.Status.Allowed = allowed(review.Spec.ResourceAttributes)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(review)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// runCheck returns the exit code and the output of check with flags.
func runCheck(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, messages bytes.Buffer
	code = run(ctx, append([]string{"check"}, args...), nil, &out, &messages)
	return code, out.String(), messages.String()
}

func TestCheckCluster(t *testing.T) {
	all := accessReviewer(t, func(*authorizationv1.ResourceAttributes) bool { return true })
	if code, stdout, stderr := runCheck(t, "--cluster", "--apiserver="+all); code != 0 || stdout != "The configuration is valid.\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q, want success", code, stdout, stderr)
	}

	some := accessReviewer(t, func(a *authorizationv1.ResourceAttributes) bool {
		return a.Resource != "secrets" && (a.Resource != "deployments" || a.Verb != "watch" || a.Namespace != "shop")
	})
	code, stdout, stderr := runCheck(t, "--cluster", "--apiserver="+some, "--resources=secrets,deployments,nodes", "--namespaces=shop,billing")
	const missing = `Missing permission: list secrets in namespace billing (metrics)
Missing permission: watch secrets in namespace billing (metrics)
Missing permission: list secrets in namespace shop (metrics)
Missing permission: watch secrets in namespace shop (metrics)
Missing permission: watch deployments.apps in namespace shop (metrics)
`
	if code != 1 || stdout != missing || !strings.HasPrefix(stderr, "Error: 5 permissions missing; 'kubestate rbac'") {
		t.Errorf("exit code %d, stderr %q, stdout\n%swant\n%s", code, stderr, stdout, missing)
	}

	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	if code, _, stderr := runCheck(t, "--cluster", "--apiserver="+closed.URL); code != 1 || !strings.HasPrefix(stderr, "Error: ask whether list configmaps is allowed: ") {
		t.Errorf("exit code %d, stderr %q, want that the API server is down", code, stderr)
	}
}
