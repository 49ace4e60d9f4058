package kind

import (
	"errors"
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubestate/kubestate/metric"
)

// maxQuantity bounds the quantities that are shown. Converting one with a huge exponent,
// such as 1e2147483647, would take minutes and gigabytes. Package wire bounds quantities
// when they are parsed.
const maxQuantity = 1e64

var errQuantity = errors.New("quantity out of bounds: must be of at most 64 characters and between -1e64 and 1e64")

// addQuantity emits a quantity, or rejects it if it is out of bounds.
func addQuantity(q apiresource.Quantity, amount func(apiresource.Quantity) float64, e *metric.Emitter, values ...string) {
	if bounded(q, e) {
		e.Add(amount(q), values...)
	}
}

// bounded reports whether a quantity can be converted, and rejects it if not.
func bounded(q apiresource.Quantity, e *metric.Emitter) bool {
	if q.IsZero() || math.Abs(q.AsApproximateFloat64()) <= maxQuantity {
		return true
	}
	e.Reject(errQuantity)
	return false
}

// whole returns a quantity as an integer, rounded up. It wraps beyond 64 bits.
func whole(q apiresource.Quantity) float64 {
	if q.IsZero() {
		return 0 // regardless of the exponent, which conversion would apply step by step
	}
	return float64(q.Value())
}

// fractional returns a quantity rounded up to a thousandth, or to an integer if its
// thousandths do not fit in 64 bits.
func fractional(q apiresource.Quantity) float64 {
	if q.IsZero() {
		return 0
	}
	if v := q.Value(); v > math.MaxInt64/1000 {
		return float64(v)
	}
	return float64(q.MilliValue()) / 1000
}

// The values of the label unit.
const (
	unitCore    = "core"
	unitByte    = "byte"
	unitInteger = "integer"
)

// resources emits one sample for each resource of list that has a unit: amount converts all
// except CPU. before are the values of the labels before resource and unit. Resources
// without a known unit are omitted.
func resources(list corev1.ResourceList, amount func(apiresource.Quantity) float64, e *metric.Emitter, before ...string) {
	for _, name := range metric.SortedKeys(e, list) {
		q := list[corev1.ResourceName(name)]
		switch corev1.ResourceName(name) {
		case corev1.ResourceCPU:
			addResource(q, fractional, name, unitCore, e, before)
		case corev1.ResourceMemory, corev1.ResourceStorage, corev1.ResourceEphemeralStorage:
			addResource(q, amount, name, unitByte, e, before)
		default:
			if strings.HasPrefix(name, corev1.ResourceHugePagesPrefix) || strings.HasPrefix(name, corev1.ResourceAttachableVolumesPrefix) {
				addResource(q, amount, name, unitByte, e, before)
			}
			if extended(name) {
				addResource(q, amount, name, unitInteger, e, before)
			}
		}
	}
}

// networkBandwidth is a resource, and the value of its label resource, that resources
// omits, like any other that Kubernetes might define in the future.
const (
	networkBandwidth      corev1.ResourceName = "kubernetes.io/network-bandwidth"
	networkBandwidthLabel string              = "kubernetes_io_network_bandwidth"
)

// oneResource emits one sample for the resource name if list has it.
func oneResource(list corev1.ResourceList, name corev1.ResourceName, amount func(apiresource.Quantity) float64, e *metric.Emitter, values ...string) {
	if q, ok := list[name]; ok {
		addQuantity(q, amount, e, values...)
	}
}

func addResource(q apiresource.Quantity, amount func(apiresource.Quantity) float64, name, unit string, e *metric.Emitter, before []string) {
	var values [4]string
	n := copy(values[:], before)
	values[n], values[n+1] = e.SafeName(name), unit
	addQuantity(q, amount, e, values[:n+2]...)
}

// extended reports whether a resource is defined by a device plugin or an operator: its
// name has a domain that does not belong to Kubernetes.
func extended(name string) bool {
	const quotaPrefix = "requests."
	domain, base, ok := strings.Cut(name, "/")
	return ok && !strings.Contains(name, "kubernetes.io/") && !strings.HasPrefix(name, quotaPrefix) &&
		len(quotaPrefix)+len(domain) <= 253 && subdomain(domain) && qualified(base)
}

// subdomain reports whether s is a DNS subdomain (RFC 1123): labels of lower-case letters,
// digits and inner dashes, joined by dots.
func subdomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if !enclosed(label, func(c byte) bool { return c == '-' }) {
			return false
		}
	}
	return !strings.ContainsFunc(s, upper)
}

func upper(r rune) bool { return 'A' <= r && r <= 'Z' }

// qualified reports whether s can be the name part of a Kubernetes qualified name.
func qualified(s string) bool {
	return len(s) <= 63 && enclosed(s, func(c byte) bool { return c == '-' || c == '_' || c == '.' })
}

// enclosed reports whether s begins and ends with an ASCII letter or digit and otherwise
// contains only those and bytes that inner allows.
func enclosed(s string, inner func(byte) bool) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || i == len(s)-1 || !inner(c)) {
			return false
		}
	}
	return s != ""
}
