package reload_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kubestate/kubestate/internal/reload"
)

// watch starts a watcher and returns its reports.
func watch(t *testing.T, c reload.Config) <-chan []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reports, ended, probe := make(chan []string, 1000), make(chan struct{}), make(chan os.Signal)
	signals := c.Signals
	c.Signals = probe
	go func() {
		defer close(ended)
		reload.Watch(ctx, c, func(_ context.Context, paths []string) { reports <- paths })
	}()
	// The first report proves that the files have been read: what comes later is a change.
	probe <- os.Interrupt
	<-reports
	if signals != nil {
		go func() {
			for s := range signals {
				probe <- s
			}
		}()
	}
	t.Cleanup(func() { cancel(); <-ended })
	return reports
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, reports <-chan []string, want ...string) {
	t.Helper()
	if got := <-reports; !slices.Equal(got, want) {
		t.Errorf("reported %q, want %q", got, want)
	}
}

func TestReportsWhatChanged(t *testing.T) {
	dir := t.TempDir()
	a, b, later := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "later")
	write(t, a, "1")
	write(t, b, "1")
	reports := watch(t, reload.Config{Paths: []string{a, b, later}})

	write(t, a, "2")
	expect(t, reports, a)
	write(t, later, "1") // comes into being
	expect(t, reports, later)
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	expect(t, reports, b)
	next := filepath.Join(dir, "next")
	write(t, next, "2") // not watched
	if err := os.Rename(next, b); err != nil {
		t.Fatal(err)
	}
	expect(t, reports, b)
	write(t, a, "2") // touched, but the same
	write(t, later, "2")
	expect(t, reports, later)
}

// A kubelet writes a ConfigMap into a new directory, then swaps the link ..data.
func TestConfigMapVolume(t *testing.T) {
	dir := t.TempDir()
	update := func(version int) {
		t.Helper()
		target := filepath.Join(dir, fmt.Sprintf("..%d", version))
		if err := os.Mkdir(target, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(target, "config.yaml"), fmt.Sprint(version))
		link := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..%d", version-1))); err != nil {
			t.Fatal(err)
		}
	}
	update(1)
	file := filepath.Join(dir, "config.yaml")
	if err := os.Symlink(filepath.Join("..data", "config.yaml"), file); err != nil {
		t.Fatal(err)
	}
	reports := watch(t, reload.Config{Paths: []string{file}})
	for version := 2; version < 5; version++ {
		update(version)
		expect(t, reports, file)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), "1")
	reports := watch(t, reload.Config{Paths: []string{dir}})
	write(t, filepath.Join(dir, "b.yaml"), "1")
	expect(t, reports, dir)
	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	expect(t, reports, dir)
}

func TestSignalReportsEverything(t *testing.T) {
	signals := make(chan os.Signal)
	defer close(signals)
	paths := []string{filepath.Join(t.TempDir(), "absent"), filepath.Join(t.TempDir(), "absent too")}
	reports := watch(t, reload.Config{Paths: paths, Signals: signals})
	signals <- os.Interrupt
	expect(t, reports, paths...)
}

// Whatever happens in between, the last content is reported.
func TestStormEndsInTheLastState(t *testing.T) {
	const changes = 100
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, "0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started, signals, reports := make(chan struct{}), make(chan os.Signal), 0
	go func() {
		signals <- os.Interrupt
		<-started
		for n := range changes {
			write(t, file, fmt.Sprint(n+1))
		}
	}()
	reload.Watch(ctx, reload.Config{Paths: []string{file}, Signals: signals}, func(context.Context, []string) {
		if reports == 0 {
			close(started)
		}
		reports++
		if text, err := os.ReadFile(file); err != nil || string(text) == fmt.Sprint(changes) {
			cancel()
		}
	})
	if reports > changes+1 {
		t.Errorf("%d reports of a signal and %d changes", reports, changes)
	}
}
