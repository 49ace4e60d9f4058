package kubewatch

import (
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

func TestNamespaceUID(t *testing.T) {
	answer := "" // in place of the server's
	instead := func(server http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if answer == "" {
				server.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(answer))
		})
	}
	inCluster(t, instead, func(c *cluster) {
		for _, n := range []metav1.ObjectMeta{{Name: "kube-public", UID: "u1"}, {Name: "kube-system", UID: "u2"}, {Name: "nameless"}} {
			if err := c.store.Put(&corev1.Namespace{ObjectMeta: n}); err != nil {
				t.Fatal(err)
			}
		}
		if uid, err := c.client.NamespaceUID(c.t.Context(), "kube-system"); uid != "u2" || err != nil {
			t.Errorf("UID %q, error %v", uid, err)
		}
		for name, want := range map[string]string{
			"none":     "get the UID of namespace none: there is none",
			"nameless": "get the UID of namespace nameless: there is none",
		} {
			if uid, err := c.client.NamespaceUID(c.t.Context(), name); uid != "" || err == nil || err.Error() != want || !Refused(err) {
				t.Errorf("UID %q, error %v", uid, err)
			}
		}
		for _, f := range []struct {
			fault   apiserver.Fault
			refused bool
		}{{apiserver.Forbidden("namespaces"), true}, {apiserver.Missing("namespaces"), true}, {apiserver.Fault{Effect: apiserver.EffectStatus, Status: apierrors.NewInternalError(io.EOF).Status()}, false}} {
			remove := c.api.Inject(f.fault)
			if uid, err := c.client.NamespaceUID(c.t.Context(), "kube-system"); uid != "" || err == nil || Refused(err) != f.refused {
				t.Errorf("%+v: UID %q, error %v, refused %v", f.fault, uid, err, Refused(err))
			}
			remove()
		}
		answer = "{"
		if uid, err := c.client.NamespaceUID(c.t.Context(), "kube-system"); uid != "" || err == nil || Refused(err) || !strings.Contains(err.Error(), "invalid response") {
			t.Errorf("UID %q, error %v", uid, err)
		}
	})
}
