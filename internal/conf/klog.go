package conf

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/internal/problem"
)

// klogOptions are the log flags of kube-state-metrics, which has them from klog.
// Verbosity, modules and threshold select what is logged; the others are about files
// and headers that kubestate does not write.
type klogOptions struct {
	verbosity       int
	modules         string // see parseModules
	toStderr        bool
	threshold       string // one of severities; counts where legacyThreshold is false
	legacyThreshold bool

	addDirHeader, alsoToStderr, oneOutput, skipHeaders, skipLogHeaders bool
	alsoThreshold, backtraceAt, dir, file, maxSize                     string
}

// debugVerbosity is the klog verbosity from which kubestate logs at debug level.
const debugVerbosity = 4

func (k *klogOptions) table() []option {
	return append([]option{
		{group: Logging, name: "v", letter: "v", def: "0", value: number(&k.verbosity),
			help: fmt.Sprintf("verbosity of klog, as in kube-state-metrics: from %d on it means --log-level=debug", debugVerbosity)},
		{group: Logging, name: "vmodule", value: text(&k.modules), check: k.checkModules,
			help: "verbosity by source file, as `pattern=N,...`: reading=4,sink*=5"},
		{group: Logging, hidden: true, name: "stderrthreshold", def: "INFO", value: text(&k.threshold), check: k.checkThreshold,
			help: "lowest severity that is logged, if --legacy_stderr_threshold_behavior=false"},
		{group: Logging, hidden: true, name: "legacy_stderr_threshold_behavior", def: "true", value: truth(&k.legacyThreshold),
			help: "ignore --stderrthreshold"},
	}, k.ignored()...)
}

// ignored returns the flags without effect.
func (k *klogOptions) ignored() []option {
	row := func(name, def string, v value) option {
		return option{group: Logging, hidden: true, name: name, def: def, value: v, help: "accepted for kube-state-metrics, without effect"}
	}
	return []option{
		row("logtostderr", "true", truth(&k.toStderr)),
		row("add_dir_header", "", truth(&k.addDirHeader)),
		row("alsologtostderr", "", truth(&k.alsoToStderr)),
		row("alsologtostderrthreshold", "INFO", text(&k.alsoThreshold)),
		row("log_backtrace_at", "", text(&k.backtraceAt)),
		row("log_dir", "", text(&k.dir)),
		row("log_file", "", text(&k.file)),
		row("log_file_max_size", "1800", text(&k.maxSize)),
		row("one_output", "", truth(&k.oneOutput)),
		row("skip_headers", "", truth(&k.skipHeaders)),
		row("skip_log_headers", "", truth(&k.skipLogHeaders)),
	}
}

// warnings says which flags ask for something other than the default, and have no effect.
func (k *klogOptions) warnings() []string {
	var names []string
	defaults := (&New().klog).ignored()
	for i, row := range k.ignored() {
		if row.value.String() != defaults[i].value.String() {
			names = append(names, "--"+row.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []string{strings.Join(names, ", ") + ": no effect; kubestate logs to standard error in the format of --log-format"}
}

// severities are those of klog, by level.
func severities() []struct {
	name  string
	level slog.Level
} {
	return []struct {
		name  string
		level slog.Level
	}{{"INFO", slog.LevelInfo}, {"WARNING", slog.LevelWarn}, {"ERROR", slog.LevelError}, {"FATAL", slog.LevelError}}
}

// severity returns the level of a severity, which may be a number, as in klog.
func severity(text string) (slog.Level, bool) {
	for i, s := range severities() {
		if strings.EqualFold(text, s.name) || text == strconv.Itoa(i) {
			return s.level, true
		}
	}
	return 0, false
}

func (k *klogOptions) checkThreshold() problem.List {
	if _, ok := severity(k.threshold); !ok {
		return one(problem.Invalid("severity", k.threshold, "must be one of: INFO, WARNING, ERROR, FATAL"))
	}
	return nil
}

func (k *klogOptions) checkModules() problem.List {
	_, err := parseModules(k.modules)
	return problem.Of(err)
}

// level returns the lowest level that is logged, where --log-level is not set.
func (k *klogOptions) level() slog.Level {
	if k.verbosity >= debugVerbosity {
		return slog.LevelDebug
	}
	if threshold, ok := severity(k.threshold); ok && !k.legacyThreshold {
		return threshold
	}
	return slog.LevelInfo
}

// module is an item of --vmodule: source files that log at debug level, or do not.
type module struct {
	pattern string // of the name of a file without .go
	debug   bool
}

// parseModules reads a value of --vmodule, such as reading=4,sink*=5.
func parseModules(text string) ([]module, error) {
	var modules []module
	for _, item := range trimmed(strings.Split(text, ",")) {
		pattern, number, _ := strings.Cut(item, "=")
		n, err := strconv.Atoi(number)
		if _, bad := path.Match(pattern, ""); pattern == "" || cmp.Or(err, bad) != nil || n < 0 {
			return nil, problem.Invalid("item", item, "must be pattern=N: a name of source files without .go, which may contain *, and a number")
		}
		modules = append(modules, module{pattern, n >= debugVerbosity})
	}
	return modules, nil
}

// moduleHandler is a handler that also logs debug records of some source files. The
// handler in it logs all levels.
type moduleHandler struct {
	slog.Handler

	level   slog.Level // of all other files
	modules []module
}

// Enabled implements slog.Handler: which file logs is known later.
func (moduleHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h moduleHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < h.level && !h.matches(r.PC) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// matches reports whether the first pattern that matches the file of a program counter
// asks for debug records.
func (h moduleHandler) matches(pc uintptr) bool {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	file := strings.TrimSuffix(path.Base(frame.File), ".go")
	for _, m := range h.modules {
		if ok, _ := path.Match(m.pattern, file); ok {
			return m.debug
		}
	}
	return false
}

// WithAttrs implements slog.Handler.
func (h moduleHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	return h
}

// WithGroup implements slog.Handler.
func (h moduleHandler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}
