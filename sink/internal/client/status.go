package client

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/kubestate/kubestate/sink/internal/push"
)

// How much of the body of an answer is read and how much of that goes into an
// error, in bytes. More is read, so that no secret is cut and so overlooked.
const (
	readLimit = 4096
	textLimit = 512
)

// Status returns what the status of an answer means in all protocols here: 2xx
// that everything was taken; 408, 429 and 5xx that another attempt may succeed,
// at the time that Retry-After says; everything else that all series are refused.
//
// Of the body of an answer that is not 2xx it reads a little, for the error, and
// blackens in it whatever the request had for its eyes only. It does not close the
// body.
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

// Text returns what a receiver says to r, which may be nil, fit for an error or the
// log: one line, not long, without what r had for the receiver's eyes only.
func Text(said []byte, r *http.Request) string {
	text := blacken(oneLine(said), r)
	return strings.ToValidUTF8(text[:min(len(text), textLimit)], "")
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

// blacken replaces what text repeats of the secrets of a request.
func blacken(text string, r *http.Request) string {
	if r == nil {
		return text
	}
	// The longest first: one may be the beginning of another.
	for _, secret := range slices.SortedFunc(secrets(r), func(a, b string) int { return len(b) - len(a) }) {
		if len(secret) >= 4 { // shorter ones are none, and part of any word
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// secrets yields what may be one: the password and the query of the URL and all
// words of headers, but for those that say what is sent.
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
