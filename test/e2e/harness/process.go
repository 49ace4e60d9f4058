package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Process is a running child process. It is killed at the end of the test that started
// it; if the test failed, the end of its log is printed.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan struct{}
}

// Start runs the program at path. The log of the process is named after name.
func Start(t testing.TB, name, path string, args ...string) *Process {
	t.Helper()
	p := &Process{name: name, cmd: exec.Command(path, args...), log: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	dieWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		// an exit code other than 0 is an error here; ExitCode reports it
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", name, lastLines(p.Log(), 60))
		}
	})
	return p
}

// Log returns the standard output and error of the process.
func (p *Process) Log() string { return p.log.String() }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Eventually is the function Eventually, but also fails the test when the process has
// ended.
func (p *Process) Eventually(t testing.TB, timeout time.Duration, what string, check func() error) {
	t.Helper()
	eventually(t, p.done, timeout, what, check)
}

// LogMatch waits for a match of an expression at the start of the log and returns its
// submatches. The expression should match whole lines.
func (p *Process) LogMatch(t testing.TB, what string, expression *regexp.Regexp) []string {
	t.Helper()
	var match []string
	p.Eventually(t, time.Minute, what, func() error {
		if match = expression.FindStringSubmatch(p.Log()); match == nil {
			return fmt.Errorf("%s: not in the log", p.name)
		}
		return nil
	})
	return match
}

// Signal sends a signal; a process that has ended ignores it.
func (p *Process) Signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// Kill ends the process at once and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ExitCode waits for the process to end, at most for timeout, and returns its exit
// code, or -1 if a signal ended it.
func (p *Process) ExitCode(t testing.TB, timeout time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(timeout):
		t.Fatalf("%s still runs after %s", p.name, timeout)
		return 0
	}
}

// lockedBuffer is a buffer that a process writes while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
