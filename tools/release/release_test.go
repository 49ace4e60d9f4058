package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// Size budgets in bytes, of the program for one platform: what a node downloads,
// what it keeps, and what a person downloads.
const (
	imageCompressedLimit = 20 << 20
	imageUnpackedLimit   = 48 << 20
	archiveLimit         = 20 << 20
)

const testVersion = "v1.2.3-test"

// runCommand runs a command of the tool and returns what it prints.
func runCommand(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// readLayout returns the one index in an image layout.
func readLayout(t *testing.T, dir string) v1.ImageIndex {
	t.Helper()
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 {
		t.Fatalf("%d entries in the layout, want one", len(manifest.Manifests))
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestImage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "image")
	printed := runCommand(t, "image", "--root", "../..", "--version", testVersion, "--out", dir)
	index := readLayout(t, dir)
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s %s\n", dir, digest); printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}

	t.Run("platforms", func(t *testing.T) { checkPlatforms(t, index) })
	t.Run("second build", func(t *testing.T) {
		again := filepath.Join(t.TempDir(), "image")
		if out := runCommand(t, "image", "--root", "../..", "--version", testVersion, "--out", again); !strings.HasSuffix(out, " "+digest.String()+"\n") {
			t.Errorf("a second build printed %q, the first had digest %s", out, digest)
		}
	})
	t.Run("push", func(t *testing.T) {
		server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
		defer server.Close()
		reference := strings.TrimPrefix(server.URL, "http://") + "/kubestate:" + testVersion
		runCommand(t, "push", "--layout", dir, reference)
		ref, err := name.ParseReference(reference)
		if err != nil {
			t.Fatal(err)
		}
		pushed, err := remote.Get(ref)
		if err != nil {
			t.Fatal(err)
		}
		if pushed.Digest != digest {
			t.Errorf("the registry has digest %s, want %s", pushed.Digest, digest)
		}
	})
	t.Run("run", func(t *testing.T) { runInImage(t, imageOf(t, index)) })
}

func checkPlatforms(t *testing.T, index v1.ImageIndex) {
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Platform().String() != m.Platform.String() {
			t.Errorf("the config says %s, the index %s", config.Platform(), m.Platform)
		}
		if config.Config.User != "65534:65534" || !slices.Equal(config.Config.Entrypoint, []string{"/kubestate"}) {
			t.Errorf("user %q, entry point %q", config.Config.User, config.Config.Entrypoint)
		}
		for _, label := range []string{"version", "revision", "created", "source", "licenses", "title"} {
			if config.Config.Labels["org.opencontainers.image."+label] == "" {
				t.Errorf("label %s is missing", label)
			}
		}
		checkSize(t, image)
	}
	if want := []string{"linux/amd64", "linux/arm64"}; !slices.Equal(platforms, want) {
		t.Errorf("platforms %v, want %v", platforms, want)
	}
}

func checkSize(t *testing.T, image v1.Image) {
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var compressed, unpacked int64
	for _, l := range layers {
		size, err := l.Size()
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if err != nil {
			t.Fatal(err)
		}
		compressed, unpacked = compressed+size, unpacked+n
	}
	t.Logf("%d bytes compressed, %d unpacked", compressed, unpacked)
	if compressed > imageCompressedLimit || unpacked > imageUnpackedLimit {
		t.Errorf("%d bytes compressed (limit %d), %d unpacked (limit %d)", compressed, imageCompressedLimit, unpacked, imageUnpackedLimit)
	}
}

func TestRoots(t *testing.T) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots()) {
		t.Fatal("no certificate can be read")
	}
	if n := bytes.Count(roots(), []byte("BEGIN CERTIFICATE")); n < 100 {
		t.Errorf("%d certificates, want at least 100", n)
	}
}

func TestArchives(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "release")
	const list = "linux/amd64,windows/amd64" // a release has more, each of which takes minutes to build
	platforms, err := parsePlatforms(list)
	if err != nil {
		t.Fatal(err)
	}
	runCommand(t, "archives", "--root", "../..", "--version", testVersion, "--out", dir, "--platforms", list)
	want := []string{"checksums.txt"}
	for _, p := range platforms {
		base := "kubestate_1.2.3-test_" + p.String()
		archive := base + map[bool]string{true: ".zip", false: ".tar.gz"}[p.os == "windows"]
		want = append(want, base+".cdx.json", archive)
		checkArchive(t, filepath.Join(dir, archive), base, p)
		checkBillOfMaterials(t, filepath.Join(dir, base+".cdx.json"))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("files %q\nwant %q", got, want)
	}
	checkSums(t, dir, len(want)-1)
}

// checkSums compares every file with its line in checksums.txt.
func checkSums(t *testing.T, dir string, want int) {
	f, err := os.Open(filepath.Join(dir, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		sum, name, _ := strings.Cut(s.Text(), "  ")
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: checksum %x, listed as %s", name, got, sum)
		}
	}
	if n != want {
		t.Errorf("%d checksums, want %d", n, want)
	}
}

func checkArchive(t *testing.T, path, base string, p platform) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", filepath.Base(path), len(data))
	if len(data) > archiveLimit {
		t.Errorf("%s has %d bytes, the limit is %d", path, len(data), archiveLimit)
	}
	modes := map[string]fs.FileMode{}
	if p.os == "windows" {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			modes[f.Name] = f.Mode()
		}
	} else {
		g, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(g); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			modes[h.Name] = h.FileInfo().Mode()
		}
	}
	want := map[string]fs.FileMode{p.binary(): 0o755}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "completions/kubestate.bash",
		"completions/_kubestate", "completions/kubestate.fish", "completions/kubestate.ps1"} {
		want[name] = 0o644
	}
	if len(modes) != len(want) {
		t.Errorf("%s contains %v", path, modes)
	}
	for name, mode := range want {
		if modes[base+"/"+name] != mode {
			t.Errorf("%s: %s has mode %v, want %v", path, name, modes[base+"/"+name], mode)
		}
	}
}

func checkBillOfMaterials(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) || bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Version != testVersion {
		t.Errorf("%s: format %q, version %q", path, bom.BOMFormat, bom.Metadata.Component.Version)
	}
	for _, name := range []string{"std", "k8s.io/client-go", "github.com/klauspost/compress"} {
		i := slices.IndexFunc(*bom.Components, func(c cdx.Component) bool { return c.Name == name })
		if i < 0 || (*bom.Components)[i].Version == "" {
			t.Errorf("%s does not list %s with a version", path, name)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"image"}, {"image", "--version", "v1"}, {"push", "--layout", "x"}, {"publish", "--version", "v1", "--out", "x"}} {
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "usage: ") {
			t.Errorf("run %q: %v", args, err)
		}
	}
}

// imageOf returns the image of an index for this machine.
func imageOf(t *testing.T, index v1.ImageIndex) v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		if m.Platform.Architecture == runtime.GOARCH {
			image, err := index.Image(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
	}
	t.Fatalf("no image for %s", runtime.GOARCH)
	return nil
}
