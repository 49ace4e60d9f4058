package agent

import "testing"

func TestHostSuffix(t *testing.T) {
	for name, want := range map[string]string{"": "", "prod": "-prod", "Prod_EU 1": "-prod-eu-1", "a.b": "-a.b", "-x-": "-x", "_": ""} {
		if got := hostSuffix(name); got != want {
			t.Errorf("suffix of %q is %q, want %q", name, got, want)
		}
	}
}
