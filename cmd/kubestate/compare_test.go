package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompareExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		name := filepath.Join(dir, strings.Fields(text)[0])
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	x, y := file("x 1"), file("y 1")
	for _, test := range []struct {
		b    string
		code int
	}{{x, 0}, {y, 1}, {filepath.Join(dir, "absent"), 2}, {file("<html>"), 2}} {
		var out, messages strings.Builder
		if code := run(t.Context(), []string{"compare", x, test.b}, nil, &out, &messages); code != test.code {
			t.Errorf("compare %s: exit code %d, want %d\n%s", test.b, code, test.code, messages.String())
		}
	}
}
