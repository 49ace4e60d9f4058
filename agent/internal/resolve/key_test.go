package resolve

import (
	"slices"
	"strings"
	"testing"
)

// A key decodes to the values it was made of, and no other values have the same key.
func FuzzKey(f *testing.F) {
	f.Add("", "", "x")
	f.Add("a\xffb", "\xff\xff", "")
	f.Add(strings.Repeat("x", 127), strings.Repeat("y", 128), strings.Repeat("z", 20_000))
	f.Fuzz(func(t *testing.T, a, b, c string) {
		values := []string{a, b, c}
		var key []byte
		for _, v := range values {
			key = AppendKey(key, v)
		}
		if got := SplitKey(string(key), len(values)); !slices.Equal(got, values) {
			t.Errorf("key of %q decodes to %q", values, got)
		}
	})
}
