package clients

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// encoded is a body in the encodings that a server may choose from.
type encoded struct{ identity, gzip, zstd []byte }

// ServeHTTP responds with the smallest accepted encoding.
func (e encoded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := e.identity
	accepted := r.Header.Get("Accept-Encoding")
	switch {
	case strings.Contains(accepted, "zstd"):
		w.Header().Set("Content-Encoding", "zstd")
		body = e.zstd
	case strings.Contains(accepted, "gzip"):
		w.Header().Set("Content-Encoding", "gzip")
		body = e.gzip
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(body) // a client that detects an error disconnects
}

// serve starts a server and a recorder in front of it.
func (e encoded) serve(t *testing.T) *recorder {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return record(t, server.URL)
}

// Readers read responses encoded by other servers completely.
func TestReaders(t *testing.T) {
	body := referenceBody()
	for name, good := range map[string]encoded{
		"at once":   {body, gzipped(t, body), zstandard(t, body)},
		"in pieces": {body, flushed(t, body), joined(body, func(piece []byte) []byte { return zstandard(t, piece) })},
	} {
		t.Run(name, func(t *testing.T) {
			through := good.serve(t)
			for _, r := range readers() {
				t.Run(r.name, func(t *testing.T) {
					r.need(t)
					if err := r.check(t.Context(), through, "text/plain", "text/plain", body); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// Invalid encodings are detected by the readers that can, so that reading kubestate's
// responses proves something.
func TestReadersNotice(t *testing.T) {
	body := referenceBody()
	one, frame := gzipped(t, body), zstandard(t, body)
	changed := slices.Clone(one)
	changed[len(changed)-8] ^= 1 // the checksum precedes the length
	for name, bad := range map[string]struct {
		encoded
		noticedBy []string
	}{
		"many gzip members": {
			encoded{body, joined(body, func(piece []byte) []byte { return gzipped(t, piece) }), frame},
			[]string{"curl-gzip", "python-zlib", "go-one-member"},
		},
		"no end":         {encoded{body, one[:len(one)-8], frame[:len(frame)-4]}, []string{"go-default", "gunzip", "python-zlib", "python-gzip", "go-zstd", "zstd"}},
		"wrong checksum": {encoded{body, changed, frame}, []string{"go-default", "gunzip", "python-zlib", "python-gzip", "node-fetch"}},
		"another body":   {encoded{body, gzipped(t, body[1:]), zstandard(t, body[1:])}, []string{"node-fetch", "curl", "curl-gzip", "gunzip", "zstd"}},
		"never encoded":  {encoded{body, body, body}, []string{"go-default", "curl", "curl-gzip", "node-fetch"}},
	} {
		t.Run(name, func(t *testing.T) {
			through := bad.serve(t)
			for _, r := range readers() {
				if !slices.Contains(bad.noticedBy, r.name) {
					continue
				}
				t.Run(r.name, func(t *testing.T) {
					r.need(t)
					err := r.check(t.Context(), through, "text/plain", "text/plain", body)
					if err == nil {
						t.Error("it has noticed nothing")
					}
					t.Logf("%.300v", err)
				})
			}
		})
	}
}

// referenceBody is some 20 MB of the text format.
func referenceBody() []byte {
	var b bytes.Buffer
	for i := range 150_000 {
		fmt.Fprintf(&b, "kube_pod_container_status_waiting_reason{namespace=\"team-%d\",pod=\"web-%d-%x\",container=\"main\",reason=\"CrashLoopBackOff\"} %d\n",
			i%40, i, i*i, i%2)
	}
	return b.Bytes()
}

// joined encodes a body as 50 concatenated files.
func joined(body []byte, encode func([]byte) []byte) []byte {
	var all []byte
	for piece := range slices.Chunk(body, len(body)/50+1) {
		all = append(all, encode(piece)...)
	}
	return all
}

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	write(t, z, body)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// flushed builds one gzip member of 50 independent streams: each ends with a flush, and
// an empty final block ends the member (RFC 1952).
func flushed(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	b.Write(joined(body, func(piece []byte) []byte {
		var stream bytes.Buffer
		z, err := flate.NewWriter(&stream, 1)
		if err != nil {
			t.Fatal(err)
		}
		write(t, z, piece)
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
		return stream.Bytes()
	}))
	b.Write([]byte{3, 0})
	end := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))
	b.Write(binary.LittleEndian.AppendUint32(end, uint32(len(body))))
	return b.Bytes()
}

func zstandard(t *testing.T, body []byte) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.EncodeAll(body, nil)
}

func write(t *testing.T, w io.Writer, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}
