package client

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/sink/internal/push"
)

const (
	// readLimit is how many bytes of a response body are read for an error: more than
	// are quoted, so that secrets are recognized before the text is cut.
	readLimit = 4096
)

// Status interprets the status of a response as all protocols here do: 2xx accepts
// everything; 408, 429 and 5xx may be retried, after the time in Retry-After; anything
// else rejects all series.
//
// Unless the status is 2xx, it reads the beginning of the body for the error, and
// redacts the secrets of the request in it. It does not close the body.
func Status(response *http.Response) push.Result {
	code := response.StatusCode
	if code/100 == 2 {
		return push.Result{}
	}
	result := push.Result{Err: statusError(response)}
	if code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code/100 == 5 {
		result.Retry = true
		result.RetryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
	} else {
		result.Rejected = push.All
	}
	return result
}

func statusError(response *http.Response) error {
	status := fmt.Sprintf("status %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	if r := response.Request; r != nil {
		status = fmt.Sprintf("post to %s: %s", r.URL.Host, status)
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, readLimit)) // text before a read error is better than none
	if text := Text(body, response.Request); text != "" {
		status += ": " + text
	}
	return errors.New(status)
}

// Text returns the beginning of a response to r, which may be nil, for an error or log:
// one line of at most 100 characters, without the secrets of r.
func Text(said []byte, r *http.Request) string {
	return problem.Cut(redact(oneLine(said), r))
}

// oneLine removes everything that moves the cursor of a terminal.
func oneLine(text []byte) string {
	printable := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(text))
	return strings.Join(strings.Fields(printable), " ")
}

// Lengths of secrets in bytes.
const (
	shortestSecret = 4 // anything shorter is no secret, but part of any word
	recognizable   = 8 // this many bytes of a longer secret are redacted as well
)

// redact replaces each secret of a request in text with three asterisks. Parts of
// longer secrets are replaced as well, because receivers quote the beginning of a key
// or escape some of its characters.
func redact(text string, r *http.Request) string {
	if r == nil {
		return text
	}
	secret := make([]bool, len(text)) // for each byte of text
	for s := range secrets(r) {
		n := min(len(s), recognizable)
		for i := 0; n >= shortestSecret && i+n <= len(text); i++ {
			if strings.Contains(s, text[i:i+n]) {
				fill(secret[i : i+n])
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !secret[i]:
			b.WriteByte(text[i])
		case i == 0 || !secret[i-1]:
			b.WriteString("***")
		}
	}
	return strings.ToValidUTF8(b.String(), "")
}

func fill(bits []bool) {
	for i := range bits {
		bits[i] = true
	}
}

// secrets yields the possible secrets of a request: password and query of the URL, and
// all words of headers, except those that describe the body.
func secrets(r *http.Request) iter.Seq[string] {
	return func(yield func(string) bool) {
		var all []string
		for name, values := range r.Header {
			switch name {
			case "Content-Type", "Content-Encoding", "User-Agent", "Accept", "Te", "Grpc-Encoding", "X-Prometheus-Remote-Write-Version":
			default:
				all = append(all, strings.Fields(strings.Join(values, " "))...)
			}
		}
		for _, values := range r.URL.Query() {
			all = append(all, values...)
		}
		password, _ := r.URL.User.Password()
		_, basic, _ := r.BasicAuth()
		for _, secret := range append(all, password, basic) {
			if secret != "Bearer" && secret != "Basic" && !yield(secret) {
				return
			}
		}
	}
}

// retryAfter parses a Retry-After header: seconds or a date. It returns 0 for anything
// else.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(0, seconds), int(push.MaxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(0, date.Sub(now)), push.MaxRetryAfter)
	}
	return 0
}
