package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// bodyForm is a combination of format and encoding, and how to parse the response.
type bodyForm struct {
	name string
	form form
	read func(io.Reader) (families, error)
}

func bodyForms() []bodyForm {
	const (
		openMetrics = "application/openmetrics-text;version=1.0.0"
		protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	)
	text := func(r io.Reader) (families, error) { return readText(r, false) }
	open := func(r io.Reader) (families, error) { return readText(r, true) }
	return []bodyForm{
		{"text", form{textFormat, ""}, text},
		{"text, gzip", form{textFormat, "gzip"}, text},
		{"text, zstd", form{textFormat, "zstd"}, text},
		{"OpenMetrics, gzip", form{openMetrics, "gzip"}, open},
		{"protobuf", form{protobuf, ""}, readProtobuf},
		{"protobuf, gzip", form{protobuf, "gzip"}, readProtobuf},
	}
}

// errOtherFormat means that the server responded in a format that was not requested,
// which is allowed.
var errOtherFormat = errors.New("the server answers in another format")

// read gets a body, reads it whole and returns the encoding that it came in.
func (s *scraper) read(ctx context.Context, f bodyForm) (families, string, error) {
	response, err := s.open(ctx, f.form)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	wanted, _, _ := strings.Cut(f.form.accept, ";")
	if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, wanted) {
		return nil, "", fmt.Errorf("%w: %s", errOtherFormat, got)
	}
	encoding := response.Header.Get("Content-Encoding")
	body, err := decompress(response.Body, encoding)
	if err != nil {
		return nil, encoding, fmt.Errorf("%s body: %w", encoding, err)
	}
	defer body.Close()
	shown, err := f.read(body)
	if err != nil {
		return nil, encoding, fmt.Errorf("%s body: %w", cmp.Or(encoding, "plain"), err)
	}
	return shown, encoding, nil
}

func decompress(body io.Reader, encoding string) (io.ReadCloser, error) {
	switch encoding {
	case "":
		return io.NopCloser(body), nil
	case "gzip":
		return gzip.NewReader(body)
	case "zstd":
		r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return r.IOReadCloser(), nil
	}
	return nil, errors.New("nobody asked for this encoding")
}

// bodyScraper scrapes in one form, again and again. Its fields may be read once
// done.
type bodyScraper struct {
	bodyForm
	done     sync.WaitGroup
	scrapes  int
	series   int    // of the last body
	encoding string // of the last body
	note     string // why it ended before the time was over
	err      error
}

// startScrapers scrapes in every form, at least once and until timed ends. The first
// error stops all.
func startScrapers(ctx, timed context.Context, stop context.CancelFunc, url string, pause time.Duration) []*bodyScraper {
	var all []*bodyScraper
	for _, f := range bodyForms() {
		b := &bodyScraper{bodyForm: f}
		all = append(all, b)
		b.done.Go(func() {
			if b.run(ctx, timed, newScraper(url), pause); b.err != nil {
				stop()
			}
		})
	}
	return all
}

func (b *bodyScraper) run(ctx, timed context.Context, s *scraper, pause time.Duration) {
	// The first scrape may take longer than the time that is set.
	for bound := ctx; ; bound = timed {
		shown, encoding, err := s.read(bound, b.bodyForm)
		switch {
		case bound.Err() != nil:
			return
		case errors.Is(err, errOtherFormat):
			b.note = err.Error()
			return
		case err != nil:
			b.err = fmt.Errorf("%s, scrape %d: %w", b.name, b.scrapes+1, err)
			return
		}
		b.scrapes, b.series, b.encoding = b.scrapes+1, sum(shown), encoding
		if sleep(timed, pause) != nil {
			return
		}
	}
}

// finishScrapers waits for the scrapers, prints what they did and returns their errors.
func finishScrapers(w io.Writer, all []*bodyScraper) error {
	lines, errs := [][]string{{"asked for", "scrapes read whole", "series of the last", "came as", "note"}}, []error(nil)
	for _, b := range all {
		b.done.Wait()
		errs = append(errs, b.err)
		lines = append(lines, []string{b.name, thousands(b.scrapes), thousands(b.series), cmp.Or(b.encoding, "plain"), b.note})
	}
	fmt.Fprintln(w)
	writeTable(w, lines)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, b := range all {
		if b.scrapes == 0 && b.note == "" {
			errs = append(errs, fmt.Errorf("%s: no scrape came to its end", b.name))
		}
	}
	return errors.Join(errs...)
}
