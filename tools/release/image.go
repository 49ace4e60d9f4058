package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user and group that the program runs as.
const nobody = "65534"

// certificates is where Go looks for the roots of TLS first. Mount a file there
// to trust others.
const certificates = "etc/ssl/certs/ca-certificates.crt"

var imagePlatforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}}

// writeImage writes an OCI image layout with one index of an image for each
// platform, and reports its digest.
func writeImage(ctx context.Context, w io.Writer, s source, out string) error {
	index, err := s.imageIndex(ctx)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	l, err := layout.Write(out, empty.Index)
	if err != nil {
		return err
	}
	err = l.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": s.version}))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s %s\n", out, digest)
	return err
}

// imageIndex builds the image of every platform.
func (s source) imageIndex(ctx context.Context) (v1.ImageIndex, error) {
	dir, err := os.MkdirTemp("", "kubestate-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range imagePlatforms {
		binary, err := s.build(ctx, p, dir)
		if err != nil {
			return nil, err
		}
		image, err := s.image(p, binary)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
		})
	}
	return mutate.Annotations(index, s.labels()).(v1.ImageIndex), nil
}

// image returns the image of one platform: two layers on nothing, of which only
// that of the program differs from release to release.
func (s source) image(p platform, binary string) (v1.Image, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	system, err := s.layer(
		file{"etc/passwd", 0o644, []byte("nobody:x:" + nobody + ":" + nobody + ":nobody:/:/sbin/nologin\n")},
		file{"etc/group", 0o644, []byte("nobody:x:" + nobody + ":\n")},
		file{certificates, 0o644, roots()},
	)
	if err != nil {
		return nil, err
	}
	own, err := s.layer(file{"kubestate", 0o755, program})
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base,
		mutate.Addendum{Layer: system, History: v1.History{Created: v1.Time{Time: s.time}, CreatedBy: "roots of TLS and the user nobody"}},
		mutate.Addendum{Layer: own, History: v1.History{Created: v1.Time{Time: s.time}, CreatedBy: "kubestate " + s.version}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Architecture, config.OS = p.arch, p.os
	config.Created = v1.Time{Time: s.time}
	config.Config = v1.Config{
		User:         nobody + ":" + nobody,
		Entrypoint:   []string{"/kubestate"},
		WorkingDir:   "/",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8081/tcp": {}},
		Labels:       s.labels(),
	}
	return mutate.ConfigFile(image, config)
}

// labels returns the pre-defined annotation keys of the OCI image specification.
func (s source) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         "kubestate",
		"org.opencontainers.image.description":   "Metrics about the objects of a Kubernetes cluster",
		"org.opencontainers.image.version":       s.version,
		"org.opencontainers.image.revision":      s.revision,
		"org.opencontainers.image.created":       s.time.Format(time.RFC3339),
		"org.opencontainers.image.source":        "https://github.com/kubestate/kubestate",
		"org.opencontainers.image.documentation": "https://github.com/kubestate/kubestate/tree/main/docs",
		"org.opencontainers.image.licenses":      "Apache-2.0",
	}
}

// file is a file of a layer.
type file struct {
	name string
	mode int64
	data []byte
}

// layer returns a layer of files and the directories above them, which belong to
// root.
func (s source) layer(files ...file) (v1.Layer, error) {
	var buf bytes.Buffer
	t := tar.NewWriter(&buf)
	made := map[string]bool{".": true}
	var mkdir func(string) error
	mkdir = func(dir string) error {
		if made[dir] {
			return nil
		}
		made[dir] = true
		if err := mkdir(path.Dir(dir)); err != nil {
			return err
		}
		return t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: s.time})
	}
	for _, f := range files {
		if err := mkdir(path.Dir(f.name)); err != nil {
			return nil, err
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: s.time}
		if err := t.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression))
}

// roots returns the certificate authorities that Mozilla trusts, as PEM. Those
// that it trusts under a condition only are left out: a file cannot express it.
func roots() []byte {
	var buf bytes.Buffer
	for r := range bundle.Roots() {
		if r.Constraint == nil {
			_ = pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}) // a Buffer takes all
		}
	}
	return buf.Bytes()
}

// push sends the index of a layout to a registry, as the user whom `docker
// login` has left in ~/.docker/config.json.
func push(ctx context.Context, w io.Writer, from, reference string) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	outer, err := layout.ImageIndexFromPath(from)
	if err != nil {
		return fmt.Errorf("read image layout %s: %w", from, err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		return err
	}
	if n := len(manifest.Manifests); n != 1 {
		return fmt.Errorf("image layout %s has %d images, not one", from, n)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s@%s\n", ref.Context(), manifest.Manifests[0].Digest)
	return err
}
