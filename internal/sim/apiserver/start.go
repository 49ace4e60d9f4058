package apiserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Running is a server that listens on the loopback interface.
type Running struct {
	URL string // such as http://127.0.0.1:8001

	server *http.Server
	done   chan struct{}
}

// Start serves the handler over plain HTTP on 127.0.0.1; port 0 means any free
// one. The caller must call Close.
func Start(handler http.Handler, port int) (*Running, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("start simulated API server: %w", err)
	}
	r := &Running{
		URL: "http://" + listener.Addr().String(),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			// Watches set their own deadlines, frame by frame.
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(listener) // always ends with ErrServerClosed after Close
	}()
	return r, nil
}

// Close cuts all connections at once and frees the port.
func (r *Running) Close() {
	_ = r.server.Close() // reports only that a listener was closed before
	<-r.done
}
