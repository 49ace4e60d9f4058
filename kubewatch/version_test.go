package kubewatch

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	resourcev1 "k8s.io/api/resource/v1"
	resourcev1beta2 "k8s.io/api/resource/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// serving returns an API server that has ResourceClaims in one version only.
func serving(t *testing.T, version string, empty func() apiserver.Object, claims ...apiserver.Object) *apiserver.Server {
	t.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: []apiserver.Resource{{
		Group: "resource.k8s.io", Version: version, Name: "resourceclaims", Kind: "ResourceClaim", Namespaced: true, New: empty,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if err := store.Put(c); err != nil {
			t.Fatal(err)
		}
	}
	return apiserver.New(store, apiserver.Config{})
}

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name}
}

// A server that does not have the newest version is read in an older one, and
// one that no longer has the older one, after its upgrade, in the newest: where
// the watch was, as nothing changed but the version.
func TestOlderVersion(t *testing.T) {
	var api atomic.Pointer[apiserver.Server]
	swappable := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.Load().ServeHTTP(w, r) })
	}
	inCluster(t, swappable, func(c *cluster) {
		old := &resourcev1beta2.ResourceClaim{ObjectMeta: named("a")}
		old.Spec.Devices.Requests = []resourcev1beta2.DeviceRequest{{
			Name: "gpu", Exactly: &resourcev1beta2.ExactDeviceRequest{DeviceClassName: "gpus", Count: 2},
		}}
		before := serving(t, "v1beta2", func() apiserver.Object { return &resourcev1beta2.ResourceClaim{} }, old)
		api.Store(before)
		m := &memory{}
		g, _ := c.watch(Watch{Table: kind.ResourceClaims, Store: m})
		m.want(t, "a")
		if claim, ok := m.objects["default/a"].(*resourcev1.ResourceClaim); !ok || claim.Spec.Devices.Requests[0].Exactly.Count != 2 {
			t.Errorf("stored %+v", m.objects["default/a"])
		}
		if s := c.wantStatus(g, Synced, ""); s.Counts.ListErrors != 0 {
			t.Errorf("counts %+v", s.Counts)
		}

		time.Sleep(time.Minute)
		api.Store(serving(t, "v1", func() apiserver.Object { return &resourcev1.ResourceClaim{} },
			&resourcev1.ResourceClaim{ObjectMeta: named("a")}, &resourcev1.ResourceClaim{ObjectMeta: named("b")}))
		before.CutWatches("resourceclaims")
		time.Sleep(time.Minute)
		m.want(t, "a b")
		if s := c.wantStatus(g, Synced, ""); s.Counts.Relists != 0 || s.Counts.WatchErrors != 0 {
			t.Errorf("counts %+v", s.Counts)
		}
		c.log.want(t)
	})
}

func TestNoVersion(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		g, _ := c.watch(Watch{Table: kind.ResourceClaims, Store: &memory{}})
		c.wantStatus(g, Failing, string(metav1.StatusReasonNotFound))
	})
}

func TestPaths(t *testing.T) {
	r := kind.Resource{Group: "resource.k8s.io", Version: "v1", Older: []string{"v1beta2", "v1beta1"}, Name: "resourceclaims"}
	want := []string{
		"/apis/resource.k8s.io/v1/namespaces/a%2Fb/resourceclaims",
		"/apis/resource.k8s.io/v1beta2/namespaces/a%2Fb/resourceclaims",
		"/apis/resource.k8s.io/v1beta1/namespaces/a%2Fb/resourceclaims",
	}
	if got := paths(r, "a/b"); !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
	if got := paths(kind.Pods.Resource, ""); !slices.Equal(got, []string{"/api/v1/pods"}) {
		t.Errorf("paths %q", got)
	}
}
