package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
)

// reviewing is an API server that also reviews tokens: good is that of prometheus, who
// may get /metrics, and poor that of somebody who may not.
func reviewing(t *testing.T) string {
	t.Helper()
	_, server, _ := newAPIServer(t, pod("a", "n1"))
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("POST /apis/authentication.k8s.io/v1/tokenreviews", func(w http.ResponseWriter, r *http.Request) {
		review := reviewOf[authenticationv1.TokenReview](t, r)
		if name, known := map[string]string{"good": "prometheus", "poor": "somebody"}[review.Spec.Token]; known {
			review.Status = authenticationv1.TokenReviewStatus{Authenticated: true, User: authenticationv1.UserInfo{Username: name}}
		}
		created(t, w, review)
	})
	mux.HandleFunc("POST /apis/authorization.k8s.io/v1/subjectaccessreviews", func(w http.ResponseWriter, r *http.Request) {
		review := reviewOf[authorizationv1.SubjectAccessReview](t, r)
		path := review.Spec.NonResourceAttributes
		review.Status.Allowed = review.Spec.User == "prometheus" && path.Verb == "get" && path.Path == "/metrics"
		created(t, w, review)
	})
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api.URL
}

func reviewOf[T any](t *testing.T, r *http.Request) *T {
	var review T
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		t.Error(err)
	}
	return &review
}

func created[T any](t *testing.T, w http.ResponseWriter, review *T) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	if err := json.NewEncoder(w).Encode(review); err != nil {
		t.Error(err)
	}
}

// With --auth-filter, metrics of both ports and profiles are for those whom the API
// server allows them; probes are for all.
func TestAuthFilter(t *testing.T) {
	p := startReading(t, reviewing(t), "--auth-filter")
	p.log.await(t, regexp.MustCompile(`msg=synced`))
	for _, c := range []struct {
		port, path, token string
		code              int
		body              string
	}{
		{"metrics", "/metrics", "", 401, "Unauthorized\n"},
		{"metrics", "/metrics", "bad", 401, "Unauthorized\n"},
		{"metrics", "/metrics", "poor", 403, "Authorization denied for user somebody\n"},
		{"metrics", "/metrics", "good", 200, "kube_pod_info{"},
		{"metrics", "/sd", "good", 403, "Authorization denied for user prometheus\n"},
		{"metrics", "/readyz", "", 200, "OK"},
		{"metrics", "/livez", "", 200, "OK"},
		{"telemetry", "/metrics", "", 401, "Unauthorized\n"},
		{"telemetry", "/metrics", "good", 200, "kubestate_watch_up{"},
		{"telemetry", "/debug/pprof/", "", 401, "Unauthorized\n"},
		{"telemetry", "/debug/pprof/", "good", 403, "Authorization denied for user prometheus\n"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.address(c.port)+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != c.code || !strings.Contains(string(body), c.body) {
			t.Errorf("%s port, %s with token %q: %d %.100q %v; not %d %q", c.port, c.path, c.token, response.StatusCode, body, err, c.code, c.body)
		}
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// An API server that does not review is an error of the request, and not an answer.
func TestAuthFilterWithoutReviews(t *testing.T) {
	_, _, api := newAPIServer(t, pod("a", "n1"))
	p := startReading(t, api, "--auth-filter")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.address("metrics")+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer SECRET")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusInternalServerError {
		t.Errorf("%d", response.StatusCode)
	}
	p.log.await(t, regexp.MustCompile(`level=WARN msg="failed to authorize requests`))
	if strings.Contains(p.log.text(), "SECRET") {
		t.Error("the log has the token")
	}
}

// The options for the ports reach them: basic authentication by --tls-config, and no
// profiles.
func TestPortOptions(t *testing.T) {
	config := filepath.Join(t.TempDir(), "web.yaml")
	const users = "basic_auth_users: {prometheus: '$2a$04$yAwAJ9nyHJMqM1T1HsL2Eexik1pEA1/q2ri5vNtdjDYSN0uX7345u'}\n"
	if err := os.WriteFile(config, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, api := newAPIServer(t, pod("a", "n1"))
	p := startReading(t, api, "--tls-config", config, "--enable-pprof=false")
	for path, want := range map[string]int{"/debug/pprof/": 404, "/metrics": 200} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.address("telemetry")+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for _, authenticated := range []bool{false, true} {
			expected := want
			if authenticated {
				request.SetBasicAuth("prometheus", "secret")
			} else {
				expected = http.StatusUnauthorized
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != expected {
				t.Errorf("%s, authenticated %t: %d", path, authenticated, response.StatusCode)
			}
		}
	}
}

// A web configuration that is invalid is an error at the start.
func TestInvalidTLSConfig(t *testing.T) {
	config := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(config, []byte("tls_server_config: {cert_file: none}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startReading(t, "http://127.0.0.1:1", "--tls-config", config)
	if code := <-p.code; code != 1 || !strings.Contains(p.log.text(), config) {
		t.Errorf("exit code %d, log %s", code, p.log.text())
	}
}
