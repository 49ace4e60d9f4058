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

	"github.com/kubestate/kubestate/sink/internal/push"
)

const (
	// readLimit is how many bytes of a response body are read for an error: more than
	// are quoted, so that a secret is recognized before the text is cut.
	readLimit = 4096
	// textLimit is how many characters of what others wrote an error quotes at most.
	textLimit = 100
)

// Status returns what the status of an answer means in all protocols here: 2xx
// that everything was taken; 408, 429 and 5xx that another attempt may succeed,
// at the time that Retry-After says; everything else that all series are refused.
//
// For the error it reads the beginning of the body of a response that is not 2xx, and
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
	body, _ := io.ReadAll(io.LimitReader(response.Body, readLimit)) // what came before an error is better than nothing
	if text := Text(body, response.Request); text != "" {
		status += ": " + text
	}
	return errors.New(status)
}

// Text returns the beginning of what a receiver said to r, which may be nil, fit for
// an error or the log: one line of at most 100 characters, without the secrets of r.
func Text(said []byte, r *http.Request) string {
	return beginning(redact(oneLine(said), r))
}

// beginning returns the first textLimit characters of a text.
func beginning(text string) string {
	n := 0
	for i := range text {
		if n == textLimit {
			return text[:i]
		}
		n++
	}
	return text
}

// oneLine returns text in which nothing moves the cursor of a terminal.
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

// Lengths of secrets, in bytes.
const (
	shortestSecret = 4 // what is shorter is no secret, but part of any word
	recognizable   = 8 // as much of a longer secret is redacted, too
)

// redact replaces each secret of a request in text with three asterisks. Of longer
// secrets it replaces parts, too: receivers quote the beginning of a key, or escape
// some of its characters.
func redact(text string, r *http.Request) string {
	if r == nil {
		return text
	}
	secret := make([]bool, len(text)) // byte by byte
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

// secrets yields what may be secret in a request: the password and the query of the
// URL, and all words of headers, except those that describe the body.
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

// retryAfter reads the header of that name: seconds or a date. What it cannot
// read is 0.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(0, seconds), int(push.MaxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(0, date.Sub(now)), push.MaxRetryAfter)
	}
	return 0
}
