// Package harness builds the programs of a test, runs them as child processes and uses
// them from outside: flags, ports, signals, exit codes. It knows how kubestate is
// started, but nothing about Kubernetes or Prometheus, and depends only on the standard
// library.
package harness

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Build runs "go build -o outDir args..." in moduleDir. It reports what it builds on
// progress, twice a minute: a build with an empty cache takes minutes.
func Build(progress io.Writer, moduleDir, outDir string, args ...string) error {
	out, err := filepath.Abs(outDir)
	if err != nil {
		return fmt.Errorf("build %s: %w", moduleDir, err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("build %s: %w", moduleDir, err)
	}
	what := strings.Join(args, " ")
	started := time.Now()
	fmt.Fprintf(progress, "go build %s: minutes with an empty build cache, else seconds\n", what)
	finished := make(chan struct{})
	go func() {
		for {
			select {
			case <-finished:
				return
			case <-time.After(30 * time.Second):
				fmt.Fprintf(progress, "go build %s: still running after %s\n", what, since(started))
			}
		}
	}()
	build := exec.Command("go", append([]string{"build", "-o", out + "/"}, args...)...)
	build.Dir = moduleDir
	dieWithParent(build)
	output, err := build.CombinedOutput()
	close(finished)
	if err != nil {
		return fmt.Errorf("go build %s in %s: %w\n%s", what, moduleDir, err, output)
	}
	fmt.Fprintf(progress, "go build %s: done after %s\n", what, since(started))
	return nil
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Second) }
