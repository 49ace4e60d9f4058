package crd

import (
	"context"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestate/kubestate/kind"
)

// server answers with the body of a path.
type server map[string]string

func (s server) Send(_ context.Context, _, path string, _ []byte) ([]byte, error) {
	if body, ok := s[path]; ok {
		return []byte(body), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{}, path)
}

func TestDiscover(t *testing.T) {
	s := server{
		"/apis/b.io":         `{"versions":[{"version":"v2"},{"version":"v1"},{"version":"v0"}]}`,
		"/apis/b.io/v2":      `{"resources":[{"name":"foos","kind":"Foo","namespaced":true},{"name":"foos/status","kind":"Foo","namespaced":true}]}`,
		"/apis/b.io/v1":      `{"resources":[{"name":"foos","kind":"Foo","namespaced":true},{"name":"bars","kind":"Bar"}]}`,
		"/apis/a.io":         `{"versions":[{"version":"v1"}]}`,
		"/apis/a.io/v1":      `{"resources":[{"name":"as","kind":"A"}]}`,
		"/apis/broken.io":    `{"versions":[{"version":"v1"}]}`,
		"/apis/broken.io/v1": `{`,
	}
	all, err := Discover(context.Background(), s, []string{"b.io", "gone.io", "broken.io", "a.io"})
	if want := "discover API group broken.io: unexpected end of JSON input"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	want := []kind.Resource{
		{Group: "a.io", Version: "v1", Name: "as", Kind: "A"},
		{Group: "b.io", Version: "v1", Name: "bars", Kind: "Bar"},
		{Group: "b.io", Version: "v1", Name: "foos", Kind: "Foo", Namespaced: true},
		{Group: "b.io", Version: "v2", Name: "foos", Kind: "Foo", Namespaced: true},
	}
	if diff := gocmp.Diff(want, all); diff != "" {
		t.Error(fmt.Sprint("(-want +got):\n", diff))
	}
}
