// Package bounded reads files and streams up to a limit, so that unexpected input, such
// as a device or the wrong file, cannot exhaust memory.
package bounded

import (
	"fmt"
	"io"
	"os"
)

// Limits in bytes.
const (
	Secret   = 64 << 10 // tokens, keys, passwords, names
	Config   = 16 << 20 // configuration, certificates
	Document = 1 << 30  // manifests, as kubectl prints them
)

// ReadFile returns the content of a file of at most limit bytes.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := Read(f, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// Read returns the content of r, which must be at most limit bytes.
func Read(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("must have at most %d bytes", limit)
	}
	return data, err
}
