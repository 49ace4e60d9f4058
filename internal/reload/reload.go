// Package reload reports when files have changed: configuration, kubeconfig,
// credentials. What counts is the content, however it got there: written in place,
// renamed over, or swapped below a symbolic link, as a kubelet updates the volume
// of a ConfigMap.
package reload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Bounds of the work that a storm of changes can cause.
const (
	// settle is how long nothing must change before the files are read, so that an
	// editor that truncates and writes causes one reload. A storm is cut short
	// after maxSettle.
	settle    = 250 * time.Millisecond
	maxSettle = 2 * time.Second
	// poll is how often files are read without an event: some file systems send
	// none, and a directory that does not exist yet cannot be watched.
	poll = 10 * time.Second
	// maxBytes is how much of a file is read; what is longer is no configuration.
	maxBytes = 16 << 20
	maxFiles = 1000 // of a directory
)

// Config says which files to watch.
type Config struct {
	// Paths are files, or directories for the files right below them. They need
	// not exist.
	Paths []string
	// Signals forces a report of all paths, as SIGHUP does by convention; nil: never.
	Signals <-chan os.Signal
	Logger  *slog.Logger
}

// Watch calls changed with the paths whose content has changed, in order of Paths,
// until ctx ends. Calls do not overlap: changes during a call are reported by the
// next one, so that the last content is always seen. What the files held when Watch
// was called does not count as a change.
func Watch(ctx context.Context, c Config, changed func(ctx context.Context, paths []string)) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	w := &watcher{config: c, seen: map[string]digest{}, watched: map[string]bool{}}
	if events, err := fsnotify.NewWatcher(); err != nil {
		c.Logger.Warn("failed to watch files; reading them periodically", "interval", poll, "err", err)
	} else {
		w.events = events
		defer func() { _ = events.Close() }()
	}
	w.differing()
	w.run(ctx, changed)
}

type digest = [sha256.Size]byte

type watcher struct {
	config  Config
	events  *fsnotify.Watcher // nil: poll only
	watched map[string]bool   // directories
	seen    map[string]digest // content at the last report, by path
}

func (w *watcher) run(ctx context.Context, changed func(context.Context, []string)) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		paths, ok := w.wait(ctx, ticker.C)
		if !ok {
			return
		}
		if len(paths) > 0 {
			changed(ctx, paths)
		}
	}
}

// wait blocks until something may have changed, and returns what has. It returns
// false when ctx ends.
func (w *watcher) wait(ctx context.Context, tick <-chan time.Time) ([]string, bool) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if w.events != nil {
		events, failures = w.events.Events, w.events.Errors
	}
	select {
	case <-ctx.Done():
		return nil, false
	case <-w.config.Signals:
		w.differing()
		return slices.Clone(w.config.Paths), true
	case <-tick:
	case err := <-failures: // such as an overflow: events were lost
		w.config.Logger.Debug("file events lost", "err", err)
	case <-events:
		if !w.settled(ctx, events) {
			return nil, false
		}
	}
	return w.differing(), true
}

// settled waits until no events come for a moment. It returns false when ctx ends.
func (w *watcher) settled(ctx context.Context, events <-chan fsnotify.Event) bool {
	quiet, limit := time.NewTimer(settle), time.NewTimer(maxSettle)
	defer quiet.Stop()
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-events:
			quiet.Reset(settle)
		case <-quiet.C:
			return true
		case <-limit.C:
			return true
		}
	}
}

// differing returns the paths whose content is not what it was the last time, and
// watches directories that have come into being.
func (w *watcher) differing() []string {
	w.watch()
	var paths []string
	for _, path := range w.config.Paths {
		content := read(path)
		if old, known := w.seen[path]; known && old != content {
			paths = append(paths, path)
		}
		w.seen[path] = content
	}
	return paths
}

// watch subscribes to the directories of all paths, and to those that symbolic
// links lead to. A directory that was replaced has to be watched again.
func (w *watcher) watch() {
	if w.events == nil {
		return
	}
	wanted := map[string]bool{}
	for _, path := range w.config.Paths {
		wanted[filepath.Dir(path)] = true
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			wanted[path] = true
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			wanted[filepath.Dir(target)] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(wanted)) {
		w.watched[dir] = w.events.Add(dir) == nil // watching twice is no error
	}
	for dir := range w.watched {
		if !wanted[dir] {
			_ = w.events.Remove(dir) // it may be gone
			delete(w.watched, dir)
		}
	}
}

// read returns the digest of what is at path, of its absence or of the error.
func read(path string) digest {
	h := sha256.New()
	if entries, err := os.ReadDir(path); err == nil {
		for _, e := range entries[:min(len(entries), maxFiles)] {
			if info, err := os.Stat(filepath.Join(path, e.Name())); err == nil && info.Mode().IsRegular() {
				_, _ = fmt.Fprintf(h, "%q ", e.Name())
				readFile(h, filepath.Join(path, e.Name()))
			}
		}
		return digest(h.Sum(nil))
	}
	readFile(h, path)
	return digest(h.Sum(nil))
}

func readFile(h io.Writer, path string) {
	file, err := os.Open(path)
	if err != nil {
		_, _ = fmt.Fprintf(h, "absent: %v", errorClass(err))
		return
	}
	defer func() { _ = file.Close() }()
	n, err := io.Copy(h, io.LimitReader(file, maxBytes))
	_, _ = fmt.Fprintf(h, " %d bytes, %v", n, errorClass(err))
}

// errorClass is the same for an error that persists.
func errorClass(err error) string {
	switch {
	case err == nil:
		return ""
	case os.IsNotExist(err):
		return fs.ErrNotExist.Error()
	default:
		return err.Error()
	}
}
