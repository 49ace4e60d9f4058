package bounded

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadFile(path, 5); err != nil || string(data) != "12345" {
		t.Errorf("got %q, %v", data, err)
	}
	if data, err := ReadFile(path, 4); err == nil || data != nil || err.Error() != path+": must have at most 4 bytes" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := ReadFile("/dev/zero", 1000); err == nil {
		t.Error("endless file: no error")
	}
	if _, err := ReadFile(path+"x", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Non-test code reads files and streams through this package, or with a limit of its
// own.
func TestNoUnboundedReads(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		slashed := strings.TrimPrefix(filepath.ToSlash(path), "../../")
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slashed == "test" || slashed == "tools" || slashed == "internal/gen" || slashed == "internal/sinktest" || slashed == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("os.ReadFile(")) {
			t.Errorf("%s calls os.ReadFile", slashed)
		}
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte("io.ReadAll(")) && !bytes.Contains(line, []byte("io.LimitReader(")) {
				t.Errorf("%s: unbounded: %s", slashed, line)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
