package kubewatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NamespaceUID asks for the UID of a Namespace. It needs the permission to list
// Namespaces, as a watch does, and does not retry; Refused tells of its error
// whether there is any use in that.
func (c *Client) NamespaceUID(ctx context.Context, name string) (string, error) {
	uid, err := c.namespaceUID(ctx, name)
	if err != nil {
		return "", fmt.Errorf("get the UID of namespace %s: %w", name, err)
	}
	return uid, nil
}

func (c *Client) namespaceUID(ctx context.Context, name string) (string, error) {
	query := url.Values{"fieldSelector": {"metadata.name=" + name}}
	a, err := c.get(ctx, "/api/v1/namespaces", query, mediaJSON+";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"+mediaJSON)
	if err != nil {
		return "", err
	}
	defer a.close()
	body, err := io.ReadAll(io.LimitReader(a, maxShortBody))
	if err != nil {
		return "", err
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(body, &list); err != nil {
		return "", fmt.Errorf("%w: %w", errInvalidResponse, err)
	}
	for i := range list.Items {
		if o := &list.Items[i]; o.Name == name && o.UID != "" {
			return string(o.UID), nil
		}
	}
	return "", errNoNamespace
}

var errNoNamespace = errors.New("there is none")

// Refused reports whether a request failed because something may not be read or is
// not there, rather than because the server cannot answer now.
func Refused(err error) bool {
	return errors.Is(err, errNoNamespace) || apierrors.IsForbidden(err) || apierrors.IsNotFound(err)
}
