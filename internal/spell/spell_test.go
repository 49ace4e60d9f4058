package spell

import "testing"

func TestHint(t *testing.T) {
	names := []string{"deployments", "ingresses", "networkpolicies", "nodes", "pods"}
	for name, want := range map[string]string{
		"pod": "pods", "Pods": "pods", "node": "nodes", "ingress": "ingresses", "networkpolicy": "networkpolicies", "deplyoments": "deployments",
		"foo": "", "": "", "po": "", "customers": "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got := Hint(name, names); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
