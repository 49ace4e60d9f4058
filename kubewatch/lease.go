package kubewatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// leasePath returns where the API has the Leases of a namespace, or one of them.
func leasePath(namespace, name string) string {
	path := "/apis/coordination.k8s.io/v1/namespaces/" + url.PathEscape(namespace) + "/leases"
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	return path
}

// lease sends a request about a Lease, with one in its body unless in is nil, and
// returns the one that the server answers with. A refusal is a
// *apierrors.StatusError.
func (c *Client) lease(ctx context.Context, method, path string, in *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	a, err := c.send(ctx, method, path, nil, mediaJSON, body)
	if err != nil {
		return nil, err
	}
	defer a.close()
	b, err := io.ReadAll(io.LimitReader(a, maxShortBody))
	if err != nil {
		return nil, err
	}
	out := &coordinationv1.Lease{}
	if err := json.Unmarshal(b, out); err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalidResponse, err)
	}
	return out, nil
}
