package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate/internal/problem"
)

// Whatever the option, problems with its flag and its key quote at most MaxQuote
// characters, and nothing of a value that may hold a password.
func TestQuotes(t *testing.T) {
	long := strings.Repeat("x", problem.MaxQuote+1)
	for _, row := range New().table() {
		for _, value := range []string{long, "[" + long + "]", "(" + long, "u:hunter2@" + long, "https://u:hunter2@h/%zz"} {
			checkQuotes(t, row.name, []string{"--" + row.name + "=" + value})
			if isOwnKey(row.key) {
				path := filepath.Join(t.TempDir(), "c.yaml")
				if err := os.WriteFile(path, []byte(row.key+": '"+value+"'\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				checkQuotes(t, row.key, []string{"--config=" + path})
			}
		}
	}
}

func checkQuotes(t *testing.T, option string, args []string) {
	t.Helper()
	o := New()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	o.AddFlags(fs, Groups()...)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	_, err := o.Complete()
	for _, p := range problem.Of(err) {
		text := p.Error()
		secret := (option == "apiserver" || option == "sink") && strings.Contains(text, "hunter2")
		if strings.Contains(text, strings.Repeat("x", problem.MaxQuote+1)) || secret {
			t.Errorf("%s: %s", option, text)
		}
	}
}
