package conf

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
)

// problems returns those of single options and of their combinations.
func (o *Options) problems() problem.List {
	all := slices.Clone(o.unread)
	for _, row := range o.table() {
		if row.check == nil {
			continue
		}
		for _, p := range row.check() {
			all = append(all, o.placed(p, row.name))
		}
	}
	if o.Port != 0 && o.Port == o.TelemetryPort && overlap(o.Host, o.TelemetryHost) {
		all = append(all, problem.Problem{
			Source:  "--port, --telemetry-port",
			What:    fmt.Sprintf("both are %d and their addresses %s and %s overlap", o.Port, problem.Quote(o.Host), problem.Quote(o.TelemetryHost)),
			Allowed: "must be two ports or two addresses",
		})
	}
	if len(o.MetricAllowlist) > 0 && len(o.MetricDenylist) > 0 {
		all = append(all, problem.Problem{
			Source: "--metric-allowlist, --metric-denylist", What: "allowlist and denylist are both set, they are mutually exclusive, only one of them can be set",
		})
	}
	if o.Election.Enabled && o.Shards.Automatic() && slices.Contains(o.groups, Sharding) {
		all = append(all, problem.Problem{
			Source: "--leader-election, --pod", What: "the shards of a StatefulSet are all active: they cannot elect a leader",
			Allowed: "leave out --leader-election, or --pod and --pod-namespace",
		})
	}
	return all
}

// placed returns a problem with the place of an option: its key in the file, or its
// flag.
func (o *Options) placed(p problem.Problem, name string) problem.Problem {
	if at, ok := o.file[name]; ok {
		p.Source, p.Line, p.Path = at.Source, at.Line, problem.Join(at.Path, p.Path)
		return p
	}
	p.Source = "--" + name
	return p
}

// overlap reports whether two addresses to listen on overlap. An unspecified one, of
// any family, listens on all.
func overlap(a, b string) bool { return a == b || unspecified(a) || unspecified(b) }

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

func one(p problem.Problem) problem.List { return problem.List{p} }

func checkPort(port int) problem.List {
	if port < 0 || port > 65535 {
		return one(problem.New(fmt.Sprintf("invalid port %d", port), "must be between 0 and 65535"))
	}
	return nil
}

func checkHost(host string) problem.List {
	if _, err := netip.ParseAddr(host); err != nil && strings.ContainsAny(host, " \t/[]:@") {
		return one(problem.Invalid("address", host, "must be an IP address without brackets, or a host name"))
	}
	return nil
}

// longest bounds every duration: a longer one is a mistake.
const longest = 365 * 24 * time.Hour

// atLeast returns a check of a duration: that it is between least and longest.
func atLeast(d *time.Duration, least time.Duration) func() problem.List {
	return func() problem.List {
		switch {
		case *d < least:
			return one(problem.Invalid("duration", d.String(), "must be at least "+least.String()))
		case *d > longest:
			return one(problem.Invalid("duration", d.String(), "must be at most "+longest.String()))
		}
		return nil
	}
}

// maxInstance bounds the number of an instance of the check.
const maxInstance = 1000

func checkInstance(n int) problem.List {
	if n < 0 || n > maxInstance {
		return one(problem.New(fmt.Sprintf("invalid number %d", n), fmt.Sprintf("must be between 1 and %d", maxInstance)))
	}
	return nil
}

func checkOneOf(thing, s string, allowed []string) problem.List {
	if slices.Contains(allowed, s) {
		return nil
	}
	p := problem.Invalid(thing, s, "must be one of: "+strings.Join(allowed, ", "))
	p.Hint = spell.Near(s, allowed)
	return one(p)
}

// checkAPIServer allows what Kubernetes clients allow: a URL, or host and port without
// a scheme. A value that may contain a password is not quoted.
func (o *Options) checkAPIServer() problem.List {
	if o.APIServer == "" {
		return nil
	}
	u, err := url.Parse(o.APIServer)
	bare := err != nil || u.Scheme == "" || u.Host == ""
	if bare {
		u, err = url.Parse("http://" + o.APIServer)
	}
	if err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && (!bare || u.Path == "" || u.Path == "/") {
		return nil
	}
	shown := problem.Quote(o.APIServer)
	if strings.Contains(o.APIServer, "@") {
		shown = "(not shown)"
	}
	return one(problem.New("invalid URL "+shown, "must be http or https and a host, such as https://10.0.0.1:6443, or host:port"))
}

func (o *Options) checkRatio() problem.List {
	if r := o.Memory.Ratio; o.Memory.Auto && !(r > 0 && r <= 1) {
		return one(problem.New(fmt.Sprintf("invalid ratio %v", r), "must be above 0 and at most 1"))
	}
	return nil
}

// checkFile checks that a file exists; name may be empty.
func checkFile(name string) problem.List {
	if name == "" {
		return nil
	}
	switch info, err := os.Stat(name); {
	case err != nil:
		return one(problem.New("cannot read file", problem.Cut(err.Error())))
	case info.IsDir():
		return one(problem.Invalid("path", name, "must be a file, not a directory"))
	}
	return nil
}

// checkNamespaces allows names that no namespace can have, as kube-state-metrics does, but
// none that would change the path of a request.
func checkNamespaces(names []string) problem.List {
	var all problem.List
	for _, n := range unique(names) {
		if len(content.IsPathSegmentName(n)) > 0 {
			all = append(all, problem.Invalid("namespace", n, namespaceForm))
		}
	}
	return all
}

const namespaceForm = "must be 1 to 63 of a-z, 0-9 and -, without - at either end"

// impossible returns a warning for each name that no namespace can have.
func impossible(flag string, names []string) []string {
	var warnings []string
	for _, n := range names {
		if len(validation.IsDNS1123Label(n)) > 0 {
			warnings = append(warnings, flag+": no namespace can be named "+problem.Quote(n)+": "+namespaceForm)
		}
	}
	return warnings
}

func (o *Options) checkResources() problem.List { return checkResourceNames(o.Resources) }

func checkResourceNames(names []string) problem.List {
	var all problem.List
	known := resourceNames()
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		p := problem.New("resource "+problem.Cut(name)+" does not exist", "must be one of: "+strings.Join(known, ", "))
		p.Hint = spell.Near(name, known)
		all = append(all, p)
	}
	return all
}

func checkAllowLists(lists map[string][]string) problem.List {
	var all problem.List
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		switch resource {
		case kubestate.AllResources:
		case "":
			all = append(all, problem.New("list of keys without a resource", "must be resource=[key,...]"))
		default:
			all = append(all, checkResourceNames([]string{resource})...)
		}
		for _, key := range lists[resource] {
			if n := strings.Count(key, "*"); n > 1 {
				all = append(all, problem.New("invalid format, only one wildcard per label allowed",
					fmt.Sprintf("%s of %s has %d", problem.Quote(key), problem.Cut(resource), n)))
			}
		}
	}
	return all
}
