package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// scrapeTimeout is far above what any scrape should take.
const scrapeTimeout = 10 * time.Minute

// newClient returns a client that does not decode responses.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   scrapeTimeout,
		Transport: &http.Transport{DisableCompression: true, ReadBufferSize: 256 << 10},
	}
}

// form is the format and encoding that a scrape requests.
type form struct{ accept, encoding string }

func plainForm() form { return form{accept: textFormat} }

func gzipForm() form { return form{accept: textFormat, encoding: "gzip"} }

const textFormat = "text/plain;version=0.0.4"

// scraper scrapes one program over one connection. One goroutine uses it.
type scraper struct {
	url    string
	client *http.Client
	buffer []byte
}

func newScraper(url string) *scraper {
	return &scraper{url: url, client: newClient(), buffer: make([]byte, 256<<10)}
}

// scrape is the result of one request.
type scrape struct {
	wall     time.Duration // from the request to the last byte
	size     int64         // of the body on the wire
	encoding string        // that the server chose; empty for none
}

// open asks for a body.
func (s *scraper) open(ctx context.Context, f form) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", f.accept)
	request.Header.Set("Accept-Encoding", cmp.Or(f.encoding, "identity"))
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("scrape: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("scrape: %s", response.Status), response.Body.Close())
	}
	return response, nil
}

// scrape reads a response and writes it to w unchanged; nil discards it.
func (s *scraper) scrape(ctx context.Context, f form, w io.Writer) (scrape, error) {
	start := time.Now()
	response, err := s.open(ctx, f)
	if err != nil {
		return scrape{}, err
	}
	defer response.Body.Close()
	result := scrape{encoding: response.Header.Get("Content-Encoding")}
	for {
		n, err := response.Body.Read(s.buffer)
		result.size += int64(n)
		if w != nil && n > 0 {
			if _, err := w.Write(s.buffer[:n]); err != nil {
				return result, fmt.Errorf("scrape: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return result, fmt.Errorf("scrape: after %d bytes: %w", result.size, err)
		}
	}
	result.wall = time.Since(start)
	return result, nil
}

// scrapes is the result of several scrapes.
type scrapes struct {
	walls    []time.Duration
	cpu      time.Duration // of the server, all together
	encoding string
	size     int64 // of the last body
}

// repeat scrapes n times. before, unless nil, runs before each scrape and is not
// measured.
func (s *scraper) repeat(ctx context.Context, pid, n int, f form, before func() error) (scrapes, error) {
	var all scrapes
	for range n {
		if before != nil {
			if err := before(); err != nil {
				return all, err
			}
		}
		start, err := cpuTime(pid)
		if err != nil {
			return all, err
		}
		one, err := s.scrape(ctx, f, nil)
		if err != nil {
			return all, err
		}
		end, err := cpuTime(pid)
		if err != nil {
			return all, err
		}
		all.walls = append(all.walls, one.wall)
		all.cpu += end - start
		all.encoding, all.size = one.encoding, one.size
	}
	return all, nil
}

func (s *scrapes) median() float64 { return median(s.walls).Seconds() }

// cpuEach is the server's processor time per scrape, in seconds.
func (s *scrapes) cpuEach() float64 {
	return s.cpu.Seconds() / float64(max(1, len(s.walls)))
}

// median returns the middle of values, 0 of none.
func median(values []time.Duration) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
