package main

import (
	"context"
	"net/http"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/kubewatch"
)

// clientConfig returns how to reach the API server.
func clientConfig(o *conf.Options) kubewatch.Config {
	return kubewatch.Config{Kubeconfig: o.Kubeconfig, APIServer: o.APIServer, Version: version}
}

// post returns a function that sends a body to a path of the API server.
func post(client *kubewatch.Client) func(ctx context.Context, path string, body []byte) ([]byte, error) {
	return func(ctx context.Context, path string, body []byte) ([]byte, error) {
		return client.Send(ctx, http.MethodPost, path, body)
	}
}
