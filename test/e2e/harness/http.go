package harness

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Eventually calls check until it returns nil, and fails the test with the last error
// after timeout or when the test's context ends.
func Eventually(t testing.TB, timeout time.Duration, what string, check func() error) {
	t.Helper()
	eventually(t, nil, timeout, what, check)
}

// eventually is Eventually, and also fails the test when over is closed.
func eventually(t testing.TB, over <-chan struct{}, timeout time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, timeout, err)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-over:
			t.Fatalf("%s: the process has ended: %v", what, err)
		case <-t.Context().Done():
			t.Fatalf("%s: the test ended: %v", what, err)
		}
	}
}

// FreePorts returns distinct TCP ports of 127.0.0.1 that nobody listens on. It is for
// programs that cannot choose a port and report it. The ports are below the ephemeral
// range, so that the system does not assign them before the program listens.
func FreePorts(t testing.TB, n int) []int {
	t.Helper()
	const first, last = 10_000, 30_000
	var ports []int
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := first + rand.IntN(last-first)
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer listener.Close() // held until all ports are chosen
		ports = append(ports, port)
	}
	t.Fatal("find free ports: none of a thousand is free")
	return nil
}

// Response is a completely read HTTP response.
type Response struct {
	Status int
	Body   string
}

// Get requests url. The header is pairs of names and values.
func Get(ctx context.Context, url string, header ...string) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("get %s: read the body: %w", url, err)
	}
	return &Response{Status: response.StatusCode, Body: string(body)}, nil
}
