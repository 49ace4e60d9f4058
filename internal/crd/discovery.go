package crd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/kind"
)

// Client sends a request to the API server; see kubewatch.Client.
type Client interface {
	Send(ctx context.Context, method, path string, body []byte) ([]byte, error)
}

// Discover asks the API server which resources it serves in groups, sorted by group, name
// and version. A group that it does not serve has none.
func Discover(ctx context.Context, c Client, groups []string) (all []kind.Resource, err error) {
	for _, group := range groups {
		found, wrong := discoverGroup(ctx, c, group)
		if wrong != nil {
			err = errors.Join(err, fmt.Errorf("discover API group %s: %w", group, wrong))
		}
		all = append(all, found...)
	}
	sortResources(all)
	return all, err
}

func discoverGroup(ctx context.Context, c Client, group string) (all []kind.Resource, err error) {
	var versions metav1.APIGroup
	if err := get(ctx, c, "/apis/"+group, &versions); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, err
	}
	for _, v := range versions.Versions {
		var list metav1.APIResourceList
		if err := get(ctx, c, "/apis/"+group+"/"+v.Version, &list); err != nil {
			if apierrors.IsNotFound(err) { // it has just gone
				continue
			}
			return nil, err
		}
		for i := range list.APIResources {
			r := &list.APIResources[i]
			if strings.Contains(r.Name, "/") { // a subresource
				continue
			}
			all = append(all, kind.Resource{Group: group, Version: v.Version, Name: r.Name, Kind: r.Kind, Namespaced: r.Namespaced})
		}
	}
	return all, nil
}

func get(ctx context.Context, c Client, path string, into any) error {
	body, err := c.Send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}
