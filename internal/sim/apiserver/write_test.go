package apiserver_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

const leases = "/apis/coordination.k8s.io/v1/namespaces/ns/leases"

// lessor asks a server about Leases.
type lessor struct {
	server  *apiserver.Server
	version string // of the Lease that was written last
}

// ask sends a request, replacing VERSION in the body with the version of the Lease.
func (l *lessor) ask(t *testing.T, method, path, body string, code int, reason metav1.StatusReason) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(strings.Replace(body, "VERSION", l.version, 1)))
	request.Header.Set("Accept", "application/json")
	recorder := httptest.NewRecorder()
	l.server.ServeHTTP(recorder, request)
	var status metav1.Status
	if err := json.Unmarshal(recorder.Body.Bytes(), &status); err != nil || recorder.Code != code || status.Reason != reason {
		t.Errorf("%v, %d %s", err, recorder.Code, recorder.Body)
	}
	if recorder.Code >= http.StatusMultipleChoices {
		return
	}
	var lease coordinationv1.Lease
	if err := json.Unmarshal(recorder.Body.Bytes(), &lease); err != nil || lease.Name != "a" || lease.Namespace != "ns" || lease.ResourceVersion == l.version {
		t.Errorf("%v, %s", err, recorder.Body)
	}
	l.version = lease.ResourceVersion
}

// TestWriteLeases walks through what leader election does: create, replace, and
// what is refused on the way.
func TestWriteLeases(t *testing.T) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	server := apiserver.New(store, apiserver.Config{})
	lessor := &lessor{server: server}
	for _, c := range []struct {
		what, method, path, body string
		code                     int
		reason                   metav1.StatusReason
	}{
		{"replace before create", "PUT", leases + "/a", `{"metadata":{"name":"a"}}`, 404, metav1.StatusReasonNotFound},
		{"create", "POST", leases, `{"metadata":{"name":"a"},"spec":{"holderIdentity":"x"}}`, 201, ""},
		{"create again", "POST", leases, `{"metadata":{"name":"a"}}`, 409, metav1.StatusReasonAlreadyExists},
		{"replace", "PUT", leases + "/a", `{"metadata":{"name":"a","namespace":"ns","resourceVersion":"VERSION"},"spec":{"holderIdentity":"y"}}`, 200, ""},
		{"replace an old version", "PUT", leases + "/a", `{"metadata":{"name":"a","resourceVersion":"1"}}`, 409, metav1.StatusReasonConflict},
		{"replace whichever version", "PUT", leases + "/a", `{"metadata":{"name":"a"},"spec":{"holderIdentity":"z"}}`, 200, ""},
		{"no JSON", "PUT", leases + "/a", `{`, 400, metav1.StatusReasonBadRequest},
		{"another name", "PUT", leases + "/a", `{"metadata":{"name":"b"}}`, 400, metav1.StatusReasonBadRequest},
		{"another namespace", "POST", leases, `{"metadata":{"name":"b","namespace":"other"}}`, 400, metav1.StatusReasonBadRequest},
		{"no name", "POST", leases, `{}`, 400, metav1.StatusReasonBadRequest},
		{"delete", "DELETE", leases + "/a", ``, 405, metav1.StatusReasonMethodNotAllowed},
		{"create in no namespace", "POST", "/apis/coordination.k8s.io/v1/leases", `{"metadata":{"name":"b"}}`, 405, metav1.StatusReasonMethodNotAllowed},
	} {
		t.Run(c.what, func(t *testing.T) { lessor.ask(t, c.method, c.path, c.body, c.code, c.reason) })
	}
	e, found := store.Get("leases", "ns", "a")
	if !found {
		t.Fatal("the lease is not stored")
	}
	o, err := e.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if holder := o.(*coordinationv1.Lease).Spec.HolderIdentity; holder == nil || *holder != "z" {
		t.Errorf("holder %v", holder)
	}
	if got := server.Count(apiserver.VerbCreate, "leases"); got != 4 {
		t.Errorf("%d creates are counted, want 4", got)
	}
}
