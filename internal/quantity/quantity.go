// Package quantity bounds Kubernetes quantities before they are parsed: parsing
// "1e-2147483648" would take hours, and gigabytes of memory. It does not know where
// quantities come from.
package quantity

import "strings"

const (
	maxLength         = 64 // in bytes
	maxExponentDigits = 2
)

// TooLarge replaces quantities that must not be parsed. It is cheap to parse and
// exceeds every quantity that is exposed, so readers of the object can tell that the
// quantity was out of bounds.
const TooLarge = "1e99"

// Bounded reports whether text, presumably a quantity, is cheap to parse: it has at
// most 64 characters and an exponent of at most two digits.
func Bounded(text string) bool {
	if len(text) > maxLength {
		return false
	}
	_, exponent, ok := strings.Cut(text, "e")
	if !ok {
		_, exponent, ok = strings.Cut(text, "E")
	}
	if !ok {
		return true
	}
	if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
		exponent = exponent[1:]
	}
	exponent = strings.TrimLeft(exponent, "0")
	return len(exponent) <= maxExponentDigits
}

// Like reports whether text has only characters of a quantity.
func Like(text string) bool {
	return text != "" && strings.IndexByte("+-.0123456789", text[0]) >= 0 &&
		strings.Trim(text, "+-.0123456789eEinumkKMGTP") == ""
}
