package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// receiveCommand is the subcommand that receives what sinks send.
const receiveCommand = "receive"

// receivers is the process that receives what sinks send.
type receivers struct {
	URL     string // of the intake and of OTLP
	Socket  string // of DogStatsD
	process *process
}

func startReceivers(ctx context.Context, dir string) (*receivers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	command := exec.Command(self, receiveCommand, filepath.Join(dir, "dogstatsd"))
	_, err1 := command.StdinPipe() // which ends with this process
	out, err2 := command.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("start the receivers: %w", err)
	}
	r := &receivers{}
	if r.process, err = start(ctx, "the receivers", command, io.Discard); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(out).Decode(r); err != nil {
		r.process.end()
		return nil, fmt.Errorf("start the receivers: %w", errors.Join(err, r.process.died()))
	}
	return r, nil
}

// receiveMain accepts and discards everything until its input ends.
func receiveMain(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("%s: want the path of a socket, got %q", receiveCommand, args)
	}
	socket, err := net.Listen("unix", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }() // nobody sends any more
	go forgetAll(socket)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(accept)}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(l) }() // its error is that it was closed
	if err := json.NewEncoder(stdout).Encode(receivers{URL: "http://" + l.Addr().String(), Socket: args[0]}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		ended <- err
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// forgetAll reads and discards what clients send, until the listener is closed.
func forgetAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}()
	}
}

// accept accepts every request of the intake and of OTLP.
func accept(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if strings.HasPrefix(r.URL.Path, "/v1/") { // OTLP, for which an empty answer is a success
		w.Header().Set("Content-Type", "application/x-protobuf")
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"errors":[]}`)
}
