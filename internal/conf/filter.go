package conf

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/dlclark/regexp2/v2"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/metric"
)

const (
	// matchTime bounds one match of an ECMAScript pattern, which may otherwise take
	// exponential time. The clock that is used ticks every 100 ms.
	matchTime = 100 * time.Millisecond
	// patternTime bounds all matches of one pattern against the catalog.
	patternTime = 2 * time.Second
)

// pattern is one regular expression of an option. It is safe for concurrent use.
type pattern struct {
	flag, text string
	match      func(name string) (bool, error)
	slow       bool // takes more than patternTime, so that it is not tried again
}

// errSlow is why a slow pattern does not match.
var errSlow = errors.New("too slow")

// matches reports whether the pattern matches a name. The error says why it cannot tell.
func (p *pattern) matches(name string) (bool, error) {
	if p.slow {
		return false, errSlow
	}
	return p.match(name)
}

// filter decides which families are served.
type filter struct{ allow, deny, optIn []pattern }

// newFilter compiles the patterns of the options, and returns a problem for each
// invalid one.
func newFilter(o *Options) (*filter, problem.List) {
	f := &filter{}
	var errs problem.List
	compile := func(to *[]pattern, flag string, texts []string, with func(string) (func(string) (bool, error), error)) {
		for _, text := range texts {
			match, err := with(text)
			if err != nil {
				errs = append(errs, o.placed(problem.Problem{What: "invalid pattern " + problem.Quote(text), Allowed: err.Error()}, flag))
				continue
			}
			*to = append(*to, pattern{flag: flag, text: text, match: match})
		}
	}
	compile(&f.allow, "metric-allowlist", o.MetricAllowlist, compileECMAScript)
	compile(&f.deny, "metric-denylist", o.MetricDenylist, compileECMAScript)
	compile(&f.optIn, "metric-opt-in-list", o.MetricOptInList, compileRE2)
	return f, errs
}

func compileRE2(text string) (func(string) (bool, error), error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%s; must be a regular expression in the syntax of Go (RE2)", problem.Cut(err.Error()))
	}
	return func(name string) (bool, error) { return re.MatchString(name), nil }, nil
}

// shared matches expressions of which each part has one meaning in RE2 and in
// ECMAScript, as far as names of metrics go. It is strict: a backslash, a group
// or a class that it does not know goes to the ECMAScript engine.
var shared = regexp.MustCompile(`^(?:\(\?i\))?` + // only in front, where its reach is not in doubt
	`(?:` +
	`(?:[\w:.)]|\\[wWdD.]|\[\^?[\w:.-]+\])` + // a character, a class, the end of a group
	`(?:(?:[*+?]|\{\d+(?:,\d*)?\})\??)?` + // and how often
	`|[|^$]|\\[bB]|\((?:\?:)?` +
	`)*$`)

// compileECMAScript compiles an expression that may look ahead and behind. What
// RE2 understands in the same way is left to it: its time is linear.
func compileECMAScript(text string) (func(string) (bool, error), error) {
	if shared.MatchString(text) {
		if match, err := compileRE2(text); err == nil {
			return match, nil
		}
	}
	re, err := regexp2.Compile(text, regexp2.ECMAScript)
	if err != nil {
		return nil, fmt.Errorf("%s; must be a regular expression in the syntax of ECMAScript (JavaScript)", problem.Cut(err.Error()))
	}
	re.MatchTimeout = matchTime
	return re.MatchString, nil
}

// keep reports whether a family is served. If a pattern takes too long for it, it is
// not allowed, or denied.
func (f *filter) keep(d *metric.Desc) bool {
	if d.OptIn && !matchAny(f.optIn, d.Name, false) {
		return false
	}
	if len(f.allow) > 0 {
		return matchAny(f.allow, d.Name, false)
	}
	return !matchAny(f.deny, d.Name, true)
}

// matchAny reports whether a pattern matches; failed is the result of one that fails.
func matchAny(patterns []pattern, name string, failed bool) bool {
	for i := range patterns {
		matched, err := patterns[i].matches(name)
		if err != nil {
			matched = failed
		}
		if matched {
			return true
		}
	}
	return false
}

// try matches all patterns against the families that they apply to, and marks those that
// are slow. Warnings are about patterns that match nothing and families that a pattern takes
// too long for.
func (f *filter) try(families []metric.Desc) (warnings []string) {
	var all, optIn []string
	for i := range families {
		all = append(all, families[i].Name)
		if families[i].OptIn {
			optIn = append(optIn, families[i].Name)
		}
	}
	for _, group := range []struct {
		patterns []pattern
		names    []string
		what     string
	}{
		{f.allow, all, "family"},
		{f.deny, all, "family"},
		{f.optIn, optIn, "family that is off by default"},
	} {
		for i := range group.patterns {
			p := &group.patterns[i]
			matched, slow := p.try(group.names)
			if matched == 0 && len(slow) == 0 {
				warnings = append(warnings, fmt.Sprintf("--%s: pattern %s matches no %s", p.flag, problem.Quote(p.text), group.what))
			}
			warnings = append(warnings, slow...)
		}
	}
	return warnings
}

// try returns how many names match, and a warning for each that takes too long. If all
// take too long together, it marks the pattern and ends.
func (p *pattern) try(names []string) (matched int, warnings []string) {
	start := time.Now()
	for _, name := range names {
		ok, err := p.matches(name)
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("--%s: pattern %s takes too long for %s, which is not served: %s", p.flag, problem.Quote(p.text), name, problem.Cut(err.Error())))
		}
		if ok {
			matched++
		}
		if time.Since(start) > patternTime {
			p.slow = true
			return 0, []string{fmt.Sprintf("--%s: pattern %s takes more than %v for all families, and families that depend on it are not served: "+
				"must have no repetition inside a repetition, such as (a+)+", p.flag, problem.Quote(p.text), patternTime)}
		}
	}
	return matched, warnings
}
