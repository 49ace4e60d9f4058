package sim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim"
)

// TestWriteLeases walks through what leader election does: create, replace, and
// what is refused on the way.
func TestWriteLeases(t *testing.T) {
	store, err := sim.NewStore(sim.StoreConfig{Resources: sim.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	server := sim.NewServer(store, sim.ServerConfig{})
	const all = "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
	var version string
	for _, c := range []struct {
		what, method, path, body string
		code                     int
		reason                   metav1.StatusReason
	}{
		{"replace before create", "PUT", all + "/a", `{"metadata":{"name":"a"}}`, 404, metav1.StatusReasonNotFound},
		{"create", "POST", all, `{"metadata":{"name":"a"},"spec":{"holderIdentity":"x"}}`, 201, ""},
		{"create again", "POST", all, `{"metadata":{"name":"a"}}`, 409, metav1.StatusReasonAlreadyExists},
		{"replace", "PUT", all + "/a", `{"metadata":{"name":"a","namespace":"ns","resourceVersion":"VERSION"},"spec":{"holderIdentity":"y"}}`, 200, ""},
		{"replace an old version", "PUT", all + "/a", `{"metadata":{"name":"a","resourceVersion":"1"}}`, 409, metav1.StatusReasonConflict},
		{"replace whichever version", "PUT", all + "/a", `{"metadata":{"name":"a"},"spec":{"holderIdentity":"z"}}`, 200, ""},
		{"no JSON", "PUT", all + "/a", `{`, 400, metav1.StatusReasonBadRequest},
		{"another name", "PUT", all + "/a", `{"metadata":{"name":"b"}}`, 400, metav1.StatusReasonBadRequest},
		{"another namespace", "POST", all, `{"metadata":{"name":"b","namespace":"other"}}`, 400, metav1.StatusReasonBadRequest},
		{"no name", "POST", all, `{}`, 400, metav1.StatusReasonBadRequest},
		{"delete", "DELETE", all + "/a", ``, 405, metav1.StatusReasonMethodNotAllowed},
		{"create in no namespace", "POST", "/apis/coordination.k8s.io/v1/leases", `{"metadata":{"name":"b"}}`, 405, metav1.StatusReasonMethodNotAllowed},
	} {
		body := strings.Replace(c.body, "VERSION", version, 1)
		request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(body))
		request.Header.Set("Accept", "application/json")
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, request)
		var status metav1.Status
		var lease coordinationv1.Lease
		if err := json.Unmarshal(recorder.Body.Bytes(), &status); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if recorder.Code != c.code || status.Reason != c.reason {
			t.Errorf("%s: %d %s", c.what, recorder.Code, recorder.Body)
		}
		if recorder.Code < http.StatusMultipleChoices {
			if err := json.Unmarshal(recorder.Body.Bytes(), &lease); err != nil || lease.Name != "a" || lease.Namespace != "ns" || lease.ResourceVersion == version {
				t.Errorf("%s: %v, %s", c.what, err, recorder.Body)
			}
			version = lease.ResourceVersion
		}
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
	if got := server.Count(sim.VerbCreate, "leases"); got != 4 {
		t.Errorf("%d creates are counted, want 4", got)
	}
}
