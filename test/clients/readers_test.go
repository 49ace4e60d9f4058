package clients

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// reader is a client that decodes bodies.
type reader struct {
	name      string
	tool      string   // the program that it needs; empty: none
	encodings []string // acceptable values of Content-Encoding; "" is none
	// read returns the decoded response of url to the Accept header.
	read func(ctx context.Context, url, accept string) ([]byte, error)
}

// readers are all clients that return the body they read.
func readers() []reader {
	return []reader{
		{"go-identity", "", []string{""}, func(ctx context.Context, url, accept string) ([]byte, error) {
			return get(ctx, url, accept, "identity")
		}},
		{"go-default", "", []string{"gzip"}, goDefault},
		{"go-one-member", "", []string{"gzip"}, decoded("gzip", oneMember)},
		{"go-zstd", "", []string{"zstd"}, decoded("zstd", unzstd)},
		{"gunzip", "gunzip", []string{"gzip"}, decoded("gzip", filter("gunzip", "--stdout"))},
		{"zstd", "zstd", []string{"zstd"}, decoded("zstd", filter("zstd", "--decompress", "--stdout"))},
		{"python-zlib", "python3", []string{"gzip"}, decoded("gzip", filter("python3", "-c", pythonZlib))},
		{"python-gzip", "python3", []string{"gzip"}, decoded("gzip", filter("python3", "-c", pythonGzip))},
		{"node-fetch", "node", []string{"gzip", "zstd"}, program("node", "-e", nodeFetch)},
		{"curl", "curl", []string{"gzip", "zstd"}, program("sh", "-c", curl, "curl")},
		{"curl-gzip", "curl", []string{"gzip"}, program("sh", "-c", curl+" --header 'Accept-Encoding: gzip'", "curl")},
		{"curl-identity", "curl", []string{""}, program("sh", "-c", curl+" --no-compressed", "curl")},
	}
}

const (
	curl = `curl --silent --show-error --fail --compressed --header "Accept: $2" "$1"`

	pythonZlib = `
import sys, zlib
d = zlib.decompressobj(31)
sys.stdout.buffer.write(d.decompress(sys.stdin.buffer.read()))
if d.unused_data or d.unconsumed_tail or not d.eof:
    sys.exit(f"left over {len(d.unused_data)} and {len(d.unconsumed_tail)} bytes, end of stream {d.eof}")
`
	pythonGzip = `
import sys, gzip
sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))
`
	nodeFetch = `
const [url, accept] = process.argv.slice(1);
const response = await fetch(url, {headers: {accept}});
if (!response.ok) throw new Error("status " + response.status);
process.stdout.write(Buffer.from(await response.arrayBuffer()));
`
)

// check reads /metrics through the recorder. It returns an error unless the body, its
// encoding and its type are the expected ones.
func (r reader) check(ctx context.Context, through *recorder, accept, contentType string, want []byte) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	got, err := r.read(ctx, through.metrics(r.name), accept)
	return errors.Join(err, through.agreed(r.name, contentType, r.encodings...), equal(got, want))
}

// equal returns an error with the position of the first difference, if any.
func equal(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	near := func(b []byte) []byte { return b[max(0, at-40):min(len(b), at+40)] }
	return fmt.Errorf("%d bytes, not %d; they part at %d: %q, not %q", len(got), len(want), at, near(got), near(want))
}

// need skips the test if the tool of a reader is not installed. gunzip is part of every
// system that the tests run on.
func (r reader) need(t *testing.T) {
	t.Helper()
	if r.tool == "" {
		return
	}
	_, err := exec.LookPath(r.tool)
	switch {
	case err != nil && r.tool == "gunzip":
		t.Fatal(err)
	case err != nil:
		t.Skipf("NOT TESTED with %s: %v", r.tool, err)
	}
}

// get returns the body of a response without decoding.
func get(ctx context.Context, url, accept, acceptEncoding string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	if acceptEncoding != "" {
		request.Header.Set("Accept-Encoding", acceptEncoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", url, response.StatusCode)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return body, fmt.Errorf("get %s: read the body: %w", url, err)
	}
	return body, nil
}

// goDefault leaves encodings to Go's HTTP client.
func goDefault(ctx context.Context, url, accept string) ([]byte, error) {
	return get(ctx, url, accept, "")
}

// decoded reads a response in one encoding and decodes it as a whole.
func decoded(encoding string, decode func(context.Context, []byte) ([]byte, error)) func(context.Context, string, string) ([]byte, error) {
	return func(ctx context.Context, url, accept string) ([]byte, error) {
		body, err := get(ctx, url, accept, encoding)
		if err != nil {
			return nil, err
		}
		return decode(ctx, body)
	}
}

// oneMember decodes a gzip file that must have a single member.
func oneMember(_ context.Context, body []byte) ([]byte, error) {
	rest := bytes.NewReader(body)
	z, err := gzip.NewReader(rest)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	text, err := io.ReadAll(z)
	if err == nil && rest.Len() > 0 {
		err = fmt.Errorf("%d bytes behind the first member", rest.Len())
	}
	return text, err
}

func unzstd(_ context.Context, body []byte) ([]byte, error) {
	// Clients may reject larger windows, as Prometheus does.
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(body, nil)
}

// filter runs a program that decodes its standard input.
func filter(name string, args ...string) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, body []byte) ([]byte, error) {
		command := exec.CommandContext(ctx, name, args...)
		command.Stdin = bytes.NewReader(body)
		return output(command)
	}
}

// program runs a program that reads a URL; its last arguments are the URL and the
// Accept header.
func program(name string, args ...string) func(ctx context.Context, url, accept string) ([]byte, error) {
	return func(ctx context.Context, url, accept string) ([]byte, error) {
		return output(exec.CommandContext(ctx, name, append(slices.Clip(args), url, accept)...))
	}
}

// output returns the standard output of a command; the error contains its standard
// error.
func output(command *exec.Cmd) ([]byte, error) {
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", command.Path, err, complaints.String())
	}
	return out, err
}
