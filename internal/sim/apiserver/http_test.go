package apiserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// TestNegotiation checks which encoding the server chooses.
func TestNegotiation(t *testing.T) {
	server := apiserver.New(newStore(t, 1, 1), apiserver.Config{})
	const table = "application/json;as=Table;v=v1;g=meta.k8s.io"
	const oldTable = "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
	for _, test := range []struct {
		accept string
		code   int
		want   string
	}{
		{"", 200, "application/json"},
		{"*/*", 200, "application/json"},
		{"application/*", 200, "application/json"},
		{protobuf, 200, protobuf},
		{protobuf + ",application/json", 200, protobuf},
		{"application/json," + protobuf, 200, "application/json"},
		{"application/json;q=0.5," + protobuf + ";q=0.9", 200, protobuf},
		{protobuf + ";q=0,application/json", 200, "application/json"},
		{oldTable + ",application/json", 200, "application/json"},
		{"application/cbor," + protobuf, 200, protobuf},
		{protobuf + ";as=Table;v=v1;g=meta.k8s.io", 406, "application/json"},
		{table, 200, "application/json"},
		{oldTable, 406, "application/json"},
		{"text/html", 406, "application/json"},
	} {
		code, header, _ := ask(t, server, http.MethodGet, "/api/v1/nodes", test.accept)
		if code != test.code || header.Get("Content-Type") != test.want {
			t.Errorf("Accept %q: %d %s, want %d %s", test.accept, code, header.Get("Content-Type"), test.code, test.want)
		}
	}
}

// TestErrors checks the answers to requests that are wrong.
func TestErrors(t *testing.T) {
	server := apiserver.New(newStore(t, 1, 1), apiserver.Config{})
	for _, test := range []struct {
		method, path string
		code         int
		reason       metav1.StatusReason // empty: the answer is plain text
	}{
		{"GET", "/api/v1/pods?limit=x", 400, metav1.StatusReasonBadRequest},
		{"GET", "/api/v1/pods?watch=maybe", 400, metav1.StatusReasonBadRequest},
		{"GET", "/api/v1/pods?resourceVersion=x", 400, metav1.StatusReasonBadRequest},
		{"GET", "/api/v1/pods?continue=x", 400, metav1.StatusReasonBadRequest},
		{"GET", "/api/v1/pods?labelSelector=a+b", 400, metav1.StatusReasonBadRequest},
		{"GET", "/api/v1/pods?fieldSelector=status.podIP%3D10.0.0.1", 400, metav1.StatusReasonBadRequest},
		{"GET", "/api/v1/pods?watch=true&sendInitialEvents=true", 422, metav1.StatusReasonInvalid},
		{"GET", "/api/v1/pods?watch=true&resourceVersionMatch=NotOlderThan", 422, metav1.StatusReasonInvalid},
		{"GET", "/api/v1/namespaces/default/pods/none", 404, metav1.StatusReasonNotFound},
		{"GET", "/api/v1/namespaces/default/nodes", 404, ""},
		{"GET", "/api/v1/unheard", 404, ""},
		{"GET", "/apis/apps/v2/deployments", 404, ""},
		{"GET", "/apis/none", 404, ""},
		{"GET", "/", 404, ""},
		{"POST", "/api/v1/namespaces/default/pods", 405, metav1.StatusReasonMethodNotAllowed},
	} {
		code, _, body := ask(t, server, test.method, test.path, "application/json")
		var status metav1.Status
		if err := json.Unmarshal(body, &status); err != nil && test.reason != "" {
			t.Errorf("%s %s: %v in %s", test.method, test.path, err, body)
		}
		if code != test.code || status.Reason != test.reason || test.reason != "" && int(status.Code) != code {
			t.Errorf("%s %s: %d %s, want %d %q", test.method, test.path, code, body, test.code, test.reason)
		}
	}
}

func TestDiscovery(t *testing.T) {
	_, running := start(t, newStore(t, 1, 1), apiserver.Config{})
	c, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: running.URL})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.ServerVersion(); err != nil || v.Major != "1" {
		t.Errorf("version %v, %v", v, err)
	}
	_, lists, err := c.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, list := range lists {
		for _, r := range list.APIResources {
			found[r.Name] = list.GroupVersion + " " + r.Kind
		}
	}
	for _, r := range apiserver.Resources() {
		want := (r.Group + "/" + r.Version)
		if r.Group == "" {
			want = r.Version
		}
		if found[r.Name] != want+" "+r.Kind {
			t.Errorf("%s is %q, want %q", r.Name, found[r.Name], want+" "+r.Kind)
		}
	}
	for _, path := range []string{"/healthz", "/livez", "/readyz"} {
		if code, _ := get(t, running.URL+path, "*/*"); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func ask(t *testing.T, handler http.Handler, method, path, accept string) (int, http.Header, []byte) {
	t.Helper()
	request := httptest.NewRequestWithContext(testContext(t), method, path, nil)
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	body, err := io.ReadAll(recorder.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return recorder.Code, recorder.Header(), body
}
