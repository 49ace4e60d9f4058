package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const childVariable = "KUBESTATE_TEST_OUT_OF_FILES"

// A process without file descriptors closes idle connections, answers its probes, and
// reports that it is short of them.
func TestOutOfFileDescriptors(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		outOfFilesChild(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOutOfFileDescriptors$")
	child.Env = append(os.Environ(), childVariable+"=1")
	var log bytes.Buffer
	child.Stderr = &log
	out, err1 := child.StdoutPipe()
	in, err2 := child.StdinPipe()
	if err := errors.Join(err1, err2, child.Start()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(line)
	// First connections that send nothing, then as many with a request that does not end.
	for _, request := range []string{"", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"} {
		for range 2 * childFiles {
			c, err := net.Dial("tcp", address) //nolint:noctx // loopback
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, request)
		}
		for _, path := range []string{"/livez", "/readyz", "/healthz"} {
			if code := raw(t, address, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); code != http.StatusOK {
				t.Errorf("%s: status %d", path, code)
			}
		}
	}
	if code := raw(t, address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); code != http.StatusServiceUnavailable {
		t.Errorf("/metrics: status %d", code)
	}
	_ = in.Close()
	if err := child.Wait(); err != nil {
		t.Errorf("child: %v\n%s", err, &log)
	}
	want := `level=ERROR msg="failed to accept connections; closing idle ones and retrying" port=main err="accept tcp`
	if strings.Count(log.String(), "level=ERROR") != 1 || !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "too many open files") {
		t.Errorf("log:\n%s", &log)
	}
}

// childFiles is how many file descriptors the child may have.
const childFiles = 64

func outOfFilesChild(t *testing.T) {
	c := fineConfig()
	c.Address, c.TelemetryAddress = "127.0.0.1:0", "127.0.0.1:0"
	c.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	c.Metrics = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: childFiles, Max: childFiles}); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString(s.Address() + "\n")
	go func() { _ = s.Run(t.Context()) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// faulty is a listener whose Accept fails with some errors first, and gives pipes then.
type faulty struct{ errs []error }

func (f *faulty) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	}
	c, _ := net.Pipe()
	return c, nil
}
func (f *faulty) Close() error   { return nil }
func (f *faulty) Addr() net.Addr { return &net.TCPAddr{} }

func onReserveConn(c net.Conn) bool { return onReserve(connContext(context.Background(), c)) }

func TestAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{}
		l := newListener(f, "main", slog.New(slog.DiscardHandler))
		defer l.Close()
		accept := func(reserve bool, wait time.Duration, errs ...error) net.Conn {
			t.Helper()
			f.errs = errs
			begun := time.Now()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if got := onReserveConn(c); got != reserve || time.Since(begun) != wait {
				t.Errorf("%v: on reserve: %v, after %v; want %v, %v", errs, got, time.Since(begun), reserve, wait)
			}
			return c
		}
		accept(false, 0)
		accept(false, minAcceptDelay, syscall.ECONNABORTED)
		c := accept(true, 0, syscall.EMFILE)
		if len(l.reserve) != reserved-1 {
			t.Errorf("%d descriptors in reserve", len(l.reserve))
		}
		_ = c.Close()
		if len(l.reserve) != reserved {
			t.Errorf("%d descriptors in reserve", len(l.reserve))
		}
		accept(false, minAcceptDelay, syscall.ENFILE, syscall.ENFILE) // another took the descriptor
		accept(false, 3*minAcceptDelay, syscall.ENOMEM, syscall.ENOBUFS)
		l.reserve = nil
		_, err := func() (net.Conn, error) { f.errs = []error{syscall.EINVAL}; return l.Accept() }()
		if !errors.Is(err, syscall.EINVAL) {
			t.Errorf("got %v", err)
		}
	})
}

// One connection too many takes the place of the one that was idle longest.
func TestTooManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(&faulty{}, "main", slog.New(slog.DiscardHandler))
		defer l.Close()
		accept := func() net.Conn {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			l.state(c, http.StateNew)
			time.Sleep(minIdle)
			return c
		}
		first, second := accept(), accept()
		l.open = maxConnections
		l.state(first, http.StateActive)
		third := accept()
		if _, err := second.Read(nil); !errors.Is(err, io.ErrClosedPipe) || onReserveConn(third) {
			t.Errorf("the connection that was idle longest: %v; the new one on reserve: %v", err, onReserveConn(third))
		}
		l.state(third, http.StateActive)
		fourth := accept()
		if !onReserveConn(fourth) {
			t.Error("a connection too many is not on reserve")
		}
		time.Sleep(reserveTimeout)
		synctest.Wait()
		if _, err := fourth.Read(nil); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a connection on reserve lives for ever: %v", err)
		}
		if l.open != maxConnections {
			t.Errorf("%d connections open", l.open)
		}
	})
}
