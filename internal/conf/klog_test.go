package conf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each case logs at every level; want are the first letters of the levels that appear.
func TestKlogLevels(t *testing.T) {
	for args, want := range map[string]string{
		"":                        "IWE",
		"-v=3":                    "IWE",
		"-v=4":                    "DIWE",
		"--v 10":                  "DIWE",
		"-v4 --log-level=warn":    "WE",
		"--log-level=info -v4":    "IWE",
		"--stderrthreshold=ERROR": "IWE",
		"--stderrthreshold=ERROR --legacy_stderr_threshold_behavior=false":   "E",
		"--stderrthreshold=warning --legacy_stderr_threshold_behavior=false": "WE",
		"--stderrthreshold=1 --legacy_stderr_threshold_behavior=false":       "WE",
		"--vmodule=klog_test=4":                   "DIWE",
		"--vmodule=klog_*=4":                      "DIWE",
		"--vmodule=klog_test=3":                   "IWE",
		"--vmodule=reflector=9":                   "IWE",
		"--vmodule=klog_test=1,klog_*=4":          "IWE",
		"--vmodule=klog_test=4 --log-level=error": "DIWE",
		"--vmodule=klog_test=4 --log-format=json": "DIWE",
		"--vmodule=other=4 --log-level=error":     "E",
	} {
		var out bytes.Buffer
		l := parseFlags(t, strings.Fields(args)...).Logger(&out).With("a", 1).WithGroup("g")
		l.Debug("message", "b", 2)
		l.Info("message", "b", 2)
		l.Warn("message", "b", 2)
		l.Error("message", "b", 2)
		var got strings.Builder
		for line := range strings.Lines(out.String()) {
			_, level, _ := strings.Cut(strings.ReplaceAll(line, `"`, ""), "level")
			got.WriteByte(level[1])
		}
		if got.String() != want {
			t.Errorf("%s: logged %s, want %s:\n%s", args, got.String(), want, out.String())
		}
	}
}

func TestKlogWarnings(t *testing.T) {
	const none = ": no effect; kubestate logs to standard error in the format of --log-format"
	for args, want := range map[string][]string{
		"-v=2 --vmodule=a=1 --stderrthreshold=ERROR --legacy_stderr_threshold_behavior=false":   nil,
		"--logtostderr --alsologtostderr=false --log_file_max_size=1800 --stderrthreshold=INFO": nil,
		"--logtostderr=false --log_dir=/var/log --skip_headers --log_backtrace_at=a.go:1":       {"--log_backtrace_at, --log_dir, --logtostderr, --skip_headers" + none},
		"--alsologtostderrthreshold=ERROR --one_output --skip_log_headers --add_dir_header":     {"--add_dir_header, --alsologtostderrthreshold, --one_output, --skip_log_headers" + none},
	} {
		s := complete(t, parseFlags(t, strings.Fields(args)...))
		if diff := cmp.Diff(want, s.Warnings); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", args, diff)
		}
	}
}
