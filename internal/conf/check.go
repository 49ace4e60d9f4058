package conf

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/kind"
)

var (
	logFormats = []string{"text", "json"}
	logLevels  = []string{"debug", "info", "warn", "error"}
)

// check returns all that is wrong with single options and with their combination.
func (o *Options) check() []error {
	errs := slices.Clone(o.unread)
	for _, row := range o.table() {
		if row.check == nil {
			continue
		}
		for _, err := range row.check() {
			errs = append(errs, fmt.Errorf("--%s: %w", row.name, err))
		}
	}
	for _, n := range o.Namespaces {
		if slices.Contains(o.NamespacesDenylist, n) {
			errs = append(errs, fmt.Errorf("--namespaces, --namespaces-denylist: namespace %q is in both, want it in one", n))
		}
	}
	if o.Port != 0 && o.Port == o.TelemetryPort && overlap(o.Host, o.TelemetryHost) {
		errs = append(errs, fmt.Errorf("--port, --telemetry-port: both are %d and their addresses %q and %q overlap, want two ports or two addresses",
			o.Port, o.Host, o.TelemetryHost))
	}
	if len(o.MetricAllowlist) > 0 && len(o.MetricDenylist) > 0 {
		errs = append(errs, fmt.Errorf("--metric-allowlist, --metric-denylist: allowlist and denylist are both set, "+
			"they are mutually exclusive, only one of them can be set: %q and %q", o.MetricAllowlist, o.MetricDenylist))
	}
	return errs
}

// overlap tells whether two addresses to listen on have one in common. One that
// is unspecified, whatever its family, listens on all.
func overlap(a, b string) bool { return a == b || unspecified(a) || unspecified(b) }

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

func one(err error) []error { return []error{err} }

func checkPort(port int) []error {
	if port < 0 || port > 65535 {
		return one(fmt.Errorf("%d is no port, want 0 to 65535", port))
	}
	return nil
}

func checkHost(host string) []error {
	if _, err := netip.ParseAddr(host); err != nil && strings.ContainsAny(host, " \t/[]:@") {
		return one(fmt.Errorf("%q is no address, want an IP address without brackets or a host name", host))
	}
	return nil
}

func notNegative(d *time.Duration) func() []error {
	return func() []error {
		if *d < 0 {
			return one(fmt.Errorf("%s is negative, want 0s or more", *d))
		}
		return nil
	}
}

func checkOneOf(s string, allowed []string) []error {
	if !slices.Contains(allowed, s) {
		return one(fmt.Errorf("%q is unknown, want one of: %s", s, strings.Join(allowed, ", ")))
	}
	return nil
}

// checkAPIServer allows what a Kubernetes client allows: a URL, or a host and
// port without a scheme. The error does not show the value where it may hold a
// password.
func (o *Options) checkAPIServer() []error {
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
	shown := fmt.Sprintf("%q", o.APIServer)
	if strings.Contains(o.APIServer, "@") {
		shown = "the value"
	}
	return one(fmt.Errorf("%s is no URL of an API server, want http or https and host, such as https://10.0.0.1:6443, or host:port", shown))
}

func (o *Options) checkKubeconfig() []error {
	if o.Kubeconfig == "" {
		return nil
	}
	switch info, err := os.Stat(o.Kubeconfig); {
	case err != nil:
		return one(fmt.Errorf("want a file that can be read: %w", err))
	case info.IsDir():
		return one(fmt.Errorf("%q is a directory, want a file", o.Kubeconfig))
	}
	return nil
}

func (o *Options) checkNamespaces() []error {
	errs := checkNamespaceNames(o.Namespaces)
	for i, n := range o.Namespaces {
		if slices.Index(o.Namespaces, n) == i && slices.Contains(o.Namespaces[i+1:], n) {
			errs = append(errs, fmt.Errorf("namespace %q is given more than once, want it once", n))
		}
	}
	return errs
}

func (o *Options) checkNamespacesDenylist() []error { return checkNamespaceNames(o.NamespacesDenylist) }

func checkNamespaceNames(names []string) []error {
	var errs []error
	for _, n := range names {
		if len(validation.IsDNS1123Label(n)) > 0 {
			errs = append(errs, fmt.Errorf("%q is no name of a namespace, want 1 to 63 of a-z, 0-9 and -, with no - at either end", n))
		}
	}
	return errs
}

func (o *Options) checkResources() []error { return checkResourceNames(o.Resources) }

func checkResourceNames(names []string) []error {
	known := kind.Names(kind.All())
	var errs []error
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		errs = append(errs, fmt.Errorf("resource %s does not exist. Available resources: %s%s", name, strings.Join(known, ", "), spell.Hint(name, known)))
	}
	return errs
}

func (o *Options) checkLabelsAllowlist() []error { return checkAllowLists(o.MetricLabelsAllowlist) }

func (o *Options) checkAnnotationsAllowlist() []error {
	return checkAllowLists(o.MetricAnnotationsAllowlist)
}

func checkAllowLists(lists map[string][]string) []error {
	var errs []error
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		switch resource {
		case kubestate.AllResources:
		case "":
			errs = append(errs, errors.New("a list of keys has no resource, want one before =["))
		default:
			errs = append(errs, checkResourceNames([]string{resource})...)
		}
		for _, key := range lists[resource] {
			if strings.Count(key, "*") > 1 {
				errs = append(errs, fmt.Errorf("invalid format, only one wildcard per label allowed: %q of %s has %d",
					key, resource, strings.Count(key, "*")))
			}
		}
	}
	return errs
}
