package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// source is what is built.
type source struct {
	root     string    // of the repository
	version  string    // as --version prints it
	revision string    // commit, "unknown" outside of a repository
	time     time.Time // of the commit, or the Unix epoch: the only time in what is written
}

func newSource(ctx context.Context, root, version string) (source, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return source{}, err
	}
	s := source{root: root, version: version, revision: "unknown", time: time.Unix(0, 0).UTC()}
	out, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%H %cI").Output()
	if err != nil {
		return s, nil // an unpacked archive of the source
	}
	revision, at, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return source{}, fmt.Errorf("read time of commit %s: %w", revision, err)
	}
	s.revision, s.time = revision, t.UTC()
	return s, nil
}

// platform is an operating system and an architecture, in Go's names.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "_" + p.arch }

// binary returns the file name of the program.
func (p platform) binary() string {
	if p.os == "windows" {
		return "kubestate.exe"
	}
	return "kubestate"
}

// build compiles the program for a platform into dir and returns its path.
// `make build` uses the same flags.
func (s source) build(ctx context.Context, p platform, dir string) (string, error) {
	path := filepath.Join(dir, p.String(), p.binary())
	goTool := os.Getenv("GO")
	if goTool == "" {
		goTool = "go"
	}
	c := exec.CommandContext(ctx, goTool, "build", "-trimpath",
		"-ldflags", "-s -w -X main.version="+s.version, "-o", path, "./cmd/kubestate")
	c.Dir = s.root
	// GOAMD64 and the like are what a user may have set for this machine.
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build for %s: %w\n%s", p, err, out)
	}
	return path, nil
}
