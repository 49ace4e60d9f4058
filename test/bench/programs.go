package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// programs are the binaries that the harness runs.
type programs struct {
	kubestate string
	bench     string // this program, which is also the API server
	dir       string // of what was built; empty if nothing was
}

// preparePrograms builds kubestate as `make build` does, unless a binary is given.
func preparePrograms(ctx context.Context, kubestate string) (programs, error) {
	bench, err := os.Executable()
	if err != nil {
		return programs{}, fmt.Errorf("find this program: %w", err)
	}
	p := programs{kubestate: kubestate, bench: bench}
	if kubestate != "" {
		return p, nil
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return p, err
	}
	if p.dir, err = os.MkdirTemp("", "kubestate-bench-"); err != nil {
		return p, fmt.Errorf("build kubestate: %w", err)
	}
	p.kubestate = filepath.Join(p.dir, "kubestate")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", p.kubestate, "./cmd/kubestate")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		p.remove()
		return p, fmt.Errorf("build kubestate: %w\n%s", err, out)
	}
	return p, nil
}

// remove deletes what was built.
func (p programs) remove() {
	if p.dir != "" {
		_ = os.RemoveAll(p.dir) // a directory left in the system's own for such things
	}
}

// moduleRoot returns the directory of the module that contains kubestate: the
// repository of the working directory.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/kubestate/kubestate").Output()
	if err != nil {
		return "", fmt.Errorf("find the source of kubestate: run this within its repository (go list -m: %w)", errors.Join(err, ctx.Err()))
	}
	return strings.TrimSpace(string(out)), nil
}

// process is a program that was started.
type process struct {
	name    string
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended, with err set
	err     error
	log     *tail
}

// start runs a program until ctx ends or end is called. Its standard error is kept for
// error messages and also passed to lines.
func start(ctx context.Context, name string, command *exec.Cmd, lines io.Writer) (*process, error) {
	p := &process{name: name, command: command, ended: make(chan struct{}), log: &tail{}}
	command.Stderr = io.MultiWriter(p.log, lines)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	context.AfterFunc(ctx, p.end)
	return p, nil
}

// end terminates the program, and kills it after ten seconds. It may be called more
// than once.
func (p *process) end() {
	select {
	case <-p.ended:
		return
	default:
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill() // likewise
		<-p.ended
	}
}

// died returns an error if the program has ended by itself.
func (p *process) died() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended: %w\n%s", p.name, errors.Join(p.err, errUnexpectedEnd), p.log.bytes())
	default:
		return nil
	}
}

var errUnexpectedEnd = errors.New("nobody asked it to")

// tail keeps the last lines written to it. Only the goroutine that copies a program's
// output writes; read it after the program has ended.
type tail struct{ last []byte }

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.last = append(t.last, b...)
	if n := len(t.last) - tailSize; n > 0 {
		t.last = t.last[:copy(t.last, t.last[n:])]
	}
	return len(b), nil
}

func (t *tail) bytes() []byte { return bytes.TrimSpace(t.last) }
