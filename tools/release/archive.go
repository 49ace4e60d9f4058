package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// archivePlatforms are those of a release.
const archivePlatforms = "darwin/amd64,darwin/arm64,linux/amd64,linux/arm64,windows/amd64,windows/arm64"

// parsePlatforms reads a list such as archivePlatforms.
func parsePlatforms(list string) (platforms []platform, err error) {
	for text := range strings.SplitSeq(list, ",") {
		goos, arch, ok := strings.Cut(text, "/")
		if !ok {
			return nil, fmt.Errorf("invalid platform %q: must be like linux/amd64", text)
		}
		platforms = append(platforms, platform{goos, arch})
	}
	return platforms, nil
}

// writeArchives writes an archive and a bill of materials for every platform,
// and the checksums of them all.
func writeArchives(ctx context.Context, w io.Writer, s source, platforms []platform, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kubestate-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	shared, err := s.sharedFiles(ctx, dir)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	write := func(name string, data []byte) error {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), name)
		if _, err := fmt.Fprintf(w, "%10d %s\n", len(data), name); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(out, name), data, 0o644)
	}
	for _, p := range platforms {
		base := "kubestate_" + strings.TrimPrefix(s.version, "v") + "_" + p.String()
		binary, err := s.build(ctx, p, dir)
		if err != nil {
			return err
		}
		program, err := os.ReadFile(binary)
		if err != nil {
			return err
		}
		name, data, err := s.archive(p, base, append([]file{{p.binary(), 0o755, program}}, shared...))
		if err != nil {
			return err
		}
		bom, err := s.billOfMaterials(p, binary)
		if err != nil {
			return err
		}
		if err := write(name, data); err != nil {
			return err
		}
		if err := write(base+".cdx.json", bom); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(out, "checksums.txt"), sums.Bytes(), 0o644)
}

// sharedFiles returns what is the same in all archives: the license, the
// changelog and the completions of shells, which the program itself writes.
func (s source) sharedFiles(ctx context.Context, dir string) ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		data, err := os.ReadFile(filepath.Join(s.root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, 0o644, data})
	}
	host := platform{runtime.GOOS, runtime.GOARCH}
	binary, err := s.build(ctx, host, dir)
	if err != nil {
		return nil, err
	}
	for _, c := range []struct{ shell, name string }{
		{"bash", "kubestate.bash"}, {"zsh", "_kubestate"}, {"fish", "kubestate.fish"}, {"powershell", "kubestate.ps1"},
	} {
		out, err := exec.CommandContext(ctx, binary, "completion", c.shell).Output()
		if err != nil {
			return nil, fmt.Errorf("completion for %s: %w", c.shell, err)
		}
		files = append(files, file{"completions/" + c.name, 0o644, out})
	}
	return files, nil
}

// archive packs files below the directory base: as zip for Windows, otherwise as
// tar.gz.
func (s source) archive(p platform, base string, files []file) (name string, data []byte, err error) {
	var buf bytes.Buffer
	if p.os == "windows" {
		err = s.zip(&buf, base, files)
		return base + ".zip", buf.Bytes(), err
	}
	err = s.tarGzip(&buf, base, files)
	return base + ".tar.gz", buf.Bytes(), err
}

func (s source) zip(w io.Writer, base string, files []file) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		header := &zip.FileHeader{Name: base + "/" + f.name, Method: zip.Deflate, Modified: s.time}
		header.SetMode(os.FileMode(f.mode))
		out, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := out.Write(f.data); err != nil {
			return err
		}
	}
	return z.Close()
}

func (s source) tarGzip(w io.Writer, base string, files []file) error {
	g, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(g)
	for _, f := range files {
		header := &tar.Header{Name: base + "/" + f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: s.time, Typeflag: tar.TypeReg}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return g.Close()
}
