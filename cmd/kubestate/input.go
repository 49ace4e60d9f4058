package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/kind"
)

// maxFile bounds a file of objects, in bytes: it is read as a whole.
const maxFile = 2 << 30

// extensions are those of the files that are read in a directory, as kubectl does.
var extensions = [...]string{".json", ".yaml", ".yml"}

// input is what render reads.
type input struct {
	names     []string // files and directories; - is stdin
	recursive bool     // read directories below directories
	max       int64    // bytes of a file
	stdin     io.Reader
	messages  io.Writer // receives notes about files without objects
}

// read calls put with each object of all files. The error joins everything that is
// wrong with them.
func (in input) read(r *manifest.Reader, put func(*kind.Table, kind.Object)) error {
	var errs []error
	for _, name := range in.names {
		files, err := in.files(name)
		errs = append(errs, err)
		for _, file := range files {
			before := r.Objects
			data, err := in.readFile(file)
			if err == nil {
				err = r.Read(file, data, put)
			}
			if err == nil && r.Objects == before {
				_, _ = fmt.Fprintf(in.messages, "note: no objects in %s\n", display(file))
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// display returns the name of a file for messages.
func display(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// files returns the files that a name stands for: those of a directory, else itself.
func (in input) files(name string) ([]string, error) {
	if info, err := os.Stat(name); name == "-" || err != nil || !info.IsDir() {
		return []string{name}, nil // reading it reports what is wrong
	}
	var files []string
	// With a separator at the end, a symbolic link to a directory is followed.
	err := filepath.WalkDir(name+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && filepath.Clean(path) != filepath.Clean(name) && !in.recursive:
			return fs.SkipDir
		case !d.IsDir() && slices.Contains(extensions[:], filepath.Ext(path)) && isFile(path):
			files = append(files, path)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no .yaml, .yml or .json file in directory %s", name)
		if !in.recursive {
			err = fmt.Errorf("%w; -R reads the directories below it, too", err)
		}
	}
	return files, err
}

// isFile reports whether path is a file, or a link to one. A pipe in a directory
// would block.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// readFile reads a file of at most in.max bytes.
func (in input) readFile(name string) ([]byte, error) {
	if name != "-" {
		return bounded.ReadFile(name, in.max)
	}
	data, err := bounded.Read(in.stdin, in.max)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", display(name), err)
	}
	return data, nil
}

// count returns a number with its noun: 1 object, 2 objects.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
