package quantity

import (
	"strings"
	"testing"

	apiresource "k8s.io/apimachinery/pkg/api/resource"
)

func TestBounded(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "0": true, "1500m": true, "16Gi": true, "1E": true, "2Ei": true, "1e3": true, "1E18": true,
		"1e-99": true, "1e+99": true, "1e099": true, "-1.5e-03": true, "no quantity": true,
		strings.Repeat("9", 64): true, strings.Repeat("9", 65): false,
		"1e100": false, "1E-100": false, "1e+0100": false, "1e-2147483648": false, "0e2147483647": false,
	} {
		if got := Bounded(text); got != want {
			t.Errorf("Bounded(%q) = %t, want %t", text, got, want)
		}
	}
}

// Everything that the parser accepts looks like a quantity.
func TestLike(t *testing.T) {
	for _, suffix := range []string{"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E-3", "e+3"} {
		for _, number := range []string{"1", "-1", "+1", ".5", "1.5", "0"} {
			q := number + suffix
			if _, err := apiresource.ParseQuantity(q); err != nil {
				t.Errorf("ParseQuantity(%q): %v", q, err)
			}
			if !Like(q) {
				t.Errorf("Like(%q) = false", q)
			}
		}
	}
	for _, text := range []string{"", "true", "e3", "5d4e1234", "10.0.0.1/8", "2026-01-01T00:00:00Z"} {
		if Like(text) {
			t.Errorf("Like(%q) = true", text)
		}
	}
}

// The replacement parses, and is not longer than what it replaces.
func TestTooLarge(t *testing.T) {
	q, err := apiresource.ParseQuantity(TooLarge)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.AsApproximateFloat64(); got < 0.9e99 {
		t.Errorf("%s is %g", TooLarge, got)
	}
	if !Bounded(TooLarge) || Bounded("e100") || len("e100") < len(TooLarge) {
		t.Errorf("%s is out of bounds or longer than what it replaces", TooLarge)
	}
}
