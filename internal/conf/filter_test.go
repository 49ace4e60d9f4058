package conf

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/metric"
)

// slow takes exponential time for names of letters only.
const slow = `^(?=k)(\w+)+!`

// What is not surely the same in RE2 and in ECMAScript must not be shared.
func TestShared(t *testing.T) {
	for pattern, want := range map[string]bool{
		"kube_pod_info": true, "^kube_(pod|node)_.*$": true, "(?i)kube": true, `kube_\w+?_x|`: true, "[a-z_]{1,3}": true, `(?:a)\b`: true, `\d`: true, "": true,
		// Look-around and references are unknown to RE2.
		"^(?!x).*$": false, `(a)\1`: false, "(?<=a)b": false,
		// These mean something else there, or in one of them nothing.
		"(?P<x>a)": false, "(?<x>a)": false, "[[:alpha:]]": false, `\z`: false, `\Qa\E`: false, `\pL`: false, "[]a]": false, "a{,3}": false,
		"x(?i)a": false, "a++": false, "^*": false, "[^]": false,
	} {
		if got := shared.MatchString(pattern); got != want {
			t.Errorf("%q: %v, want %v", pattern, got, want)
		}
	}
}

func TestECMAScript(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{`\z`, "kube_z", true}, // z: no escape in ECMAScript
		{`\z`, "kube", false},
		{"[[:alpha:]]", "k]", false}, // the class [:alph, then ]
		{"[[:alpha:]]", "a]", true},
		{`^kube_(\w+)_\1$`, "kube_pod_pod", true},
		{`^kube_(\w+)_\1$`, "kube_pod_node", false},
		{`(?<!init_)container`, "kube_pod_container_info", true},
		{`(?<!init_)container`, "kube_pod_init_container_info", false},
		{"[^]", "x", true}, // any character
		{"[]", "x", false}, // none
	} {
		match, err := compileECMAScript(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		if got, err := match(c.name); err != nil || got != c.want {
			t.Errorf("%q on %s: %v, %v, want %v", c.pattern, c.name, got, err, c.want)
		}
	}
}

// A shared pattern is left to RE2: it answers where backtracking would not.
func TestSharedIsFast(t *testing.T) {
	match, err := compileECMAScript(`^(\w+)+:$`)
	if err != nil {
		t.Fatal(err)
	}
	if matched, err := match("kube_" + strings.Repeat("a", 60)); matched || err != nil {
		t.Errorf("%v, %v, want no match and no error", matched, err)
	}
}

func families(names ...string) []metric.Desc {
	var descs []metric.Desc
	for _, name := range names {
		descs = append(descs, metric.Desc{Name: name, OptIn: strings.HasPrefix(name, "opt_")})
	}
	return descs
}

func TestBothFiltersMustPass(t *testing.T) {
	f, errs := newFilter(&Options{MetricAllowlist: []string{"pod"}, MetricOptInList: []string{"pod_a", "node_a"}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var kept []string
	for _, d := range families("kube_pod", "kube_node", "opt_pod_a", "opt_pod_b", "opt_node_a") {
		if f.keep(&d) {
			kept = append(kept, d.Name)
		}
	}
	if want := []string{"kube_pod", "opt_pod_a"}; !cmp.Equal(kept, want) {
		t.Errorf("kept %q, want %q", kept, want)
	}
}

func TestPatternsWithoutEffect(t *testing.T) {
	f, errs := newFilter(&Options{
		MetricAllowlist: []string{"pod", "nothing"},
		MetricOptInList: []string{"opt_a", "pod"},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	warnings := f.try(families("kube_pod", "opt_a"))
	want := []string{
		`--metric-allowlist: pattern "nothing" matches no family`,
		`--metric-opt-in-list: pattern "pod" matches no family that is off by default`,
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSlowPattern(t *testing.T) {
	long, short := "kube_"+strings.Repeat("a", 60), "node"
	for _, o := range []*Options{{MetricAllowlist: []string{slow, "."}}, {MetricAllowlist: []string{slow}}, {MetricDenylist: []string{slow}}} {
		f, errs := newFilter(o)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		warnings := f.try(families(long, short))
		if len(warnings) != 1 || !strings.Contains(warnings[0], "takes too long for "+long) {
			t.Errorf("%+v: warnings %q, want one about the long name", o, warnings)
		}
		// Another pattern may still allow the family.
		if got, want := f.keep(&metric.Desc{Name: long}), len(o.MetricAllowlist) == 2; got != want {
			t.Errorf("%+v: long name kept %v, want %v", o, got, want)
		}
	}

	// In the whole catalog there are too many long names: the pattern is given up.
	settings := complete(t, parseFlags(t, "--metric-denylist="+slow))
	if w := settings.Warnings; len(w) != 1 || !strings.Contains(w[0], "takes more than 2s for all families") {
		t.Errorf("warnings %q, want one about the time", w)
	}
	begun := time.Now()
	for _, d := range catalog() {
		if settings.Exporter.Keep(&d) {
			t.Errorf("%s is served, although the pattern is given up", d.Name)
		}
	}
	if took := time.Since(begun); took > patternTime {
		t.Errorf("the pattern is tried again: %v", took)
	}
}

// Both engines agree on what is said to be shared, no pattern makes one panic,
// and the time of a match is bounded (else fuzzing reports that it hangs).
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{slow, "kube_pod_info", "^(?!kube_pod).*", `(?i)KUBE_\w+?_labels$`, "[^a-f_]{2,3}|", "(?:a|b)*", `\bkube`, "*", "[a--]", "(|a)+$"} {
		f.Add(seed, "kube_pod_init_container_info")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if !regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`).MatchString(name) {
			name = "kube_pod_info"
		}
		match, err := compileECMAScript(text)
		if err != nil {
			return
		}
		got, err := match(name)
		if !shared.MatchString(text) {
			return
		}
		if err != nil {
			t.Fatalf("%q on %s: %v, but RE2 has no limit", text, name, err)
		}
		re, err := regexp2.Compile(text, regexp2.ECMAScript)
		if err != nil {
			t.Fatalf("%q is accepted: %v", text, err)
		}
		re.MatchTimeout = matchTime
		if want, err := re.MatchString(name); err == nil && got != want {
			t.Errorf("%q on %s: RE2 says %v, ECMAScript %v", text, name, got, want)
		}
	})
}
