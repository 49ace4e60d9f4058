package client

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/sink/internal/push"
)

// status returns the Result of a response.
func status(code int, body string, change ...func(*http.Response)) push.Result {
	response := &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}
	defer response.Body.Close()
	for _, c := range change {
		c(response)
	}
	return Status(response)
}

func TestStatus(t *testing.T) {
	type meaning struct {
		Retry    bool
		Rejected int
		Err      string
	}
	for code, want := range map[int]meaning{
		200: {false, 0, "<nil>"},
		204: {false, 0, "<nil>"},
		299: {false, 0, "<nil>"},
		302: {false, push.All, "status 302 Found: why"},
		400: {false, push.All, "status 400 Bad Request: why"},
		401: {false, push.All, "status 401 Unauthorized: why"},
		403: {false, push.All, "status 403 Forbidden: why"},
		404: {false, push.All, "status 404 Not Found: why"},
		408: {true, 0, "status 408 Request Timeout: why"},
		413: {false, push.All, "status 413 Request Entity Too Large: why"},
		415: {false, push.All, "status 415 Unsupported Media Type: why"},
		429: {true, 0, "status 429 Too Many Requests: why"},
		500: {true, 0, "status 500 Internal Server Error: why"},
		503: {true, 0, "status 503 Service Unavailable: why"},
		599: {true, 0, "status 599 : why"},
	} {
		r := status(code, " why\r\n")
		got := meaning{r.Retry, r.Rejected, fmt.Sprint(r.Err)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", code, diff)
		}
	}
}

// The body of a success is left to the caller; of an error, a little is read.
func TestStatusReads(t *testing.T) {
	for code, most := range map[int]int{200: 0, 400: readLimit} {
		body := strings.NewReader(strings.Repeat("all work and no play ", 100_000))
		err := status(code, "", func(r *http.Response) { r.Body = io.NopCloser(body) }).Err
		if read := int(body.Size()) - body.Len(); read != most {
			t.Errorf("%d: %d bytes read, want %d", code, read, most)
		}
		if text := fmt.Sprint(err); len(text) > 100+50 {
			t.Errorf("%d: the error has %d bytes", code, len(text))
		}
	}
}

func TestStatusText(t *testing.T) {
	for body, want := range map[string]string{
		"":                             "status 400 Bad Request",
		"two\n\t lines \r\n":           "status 400 Bad Request: two lines",
		"a\x1b[31mred\x00\xff\u202e":   "status 400 Bad Request: a[31mred",
		strings.Repeat("é", 600):       "status 400 Bad Request: " + strings.Repeat("é", 99) + "…",
		"x" + strings.Repeat("é", 600): "status 400 Bad Request: x" + strings.Repeat("é", 98) + "…",
		strings.Repeat("é", 100):       "status 400 Bad Request: " + strings.Repeat("é", 100),
	} {
		if got := fmt.Sprint(status(400, body).Err); got != want {
			t.Errorf("body %.40q: %q, want %q", body, got, want)
		}
	}
	cut := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("half")))
	if got := fmt.Sprint(status(400, "", func(r *http.Response) { r.Body = io.NopCloser(cut) }).Err); got != "status 400 Bad Request: h" {
		t.Errorf("truncated body: %q", got)
	}
}

// The receiver echoes the request in its response.
func TestStatusHidesSecrets(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "https://user:url-password@receiver:9/v1/push?token=query-token&n=1", nil)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer bearer-token")
	request.Header.Set("Dd-Api-Key", "key-0123")
	request.Header.Set("X-Other", "key-0123-longer")
	of := func(r *http.Response) { r.Request = request }
	got := fmt.Sprint(status(403, "no application/json for Bearer bearer-token, key-0123, key-0123-longer, url-password, query-token; 1 is fine", of).Err)
	want := "post to receiver:9: status 403 Forbidden: no application/json for Bearer ***, ***, ***, ***, ***; 1 is fine"
	if got != want {
		t.Errorf("error %q\n want %q", got, want)
	}
	request.SetBasicAuth("someone", "basic-password")
	got = fmt.Sprint(status(403, "someone has basic-password, in short c29tZW9uZTpiYXNpYy1wYXNzd29yZA==", of).Err)
	want = "post to receiver:9: status 403 Forbidden: someone has ***, in short ***"
	if got != want {
		t.Errorf("error %q\n want %q", got, want)
	}
	got = fmt.Sprint(status(403, strings.Repeat(".", 95)+" basic-password", of).Err)
	if want = strings.Repeat(".", 95) + " ***"; !strings.HasSuffix(got, want) {
		t.Errorf("a secret at the end of what the error quotes: %q", got)
	}
	request.Header.Set("Dd-Api-Key", "0123456789abcdef<0123456789")
	request.Header.Set("X-Short", "abc 1234")
	for body, want := range map[string]string{
		"key 0123456789ab... is unknown":                                      "key ***... is unknown",
		"key ...89abcdef&lt;01234567 is unknown":                              "key ...***&lt;*** is unknown",
		"abc is short; 1234 is not, 123 is":                                   "abc is short; *** is not, 123 is",
		"0123456789abcdef<01234567890123456789abcde":                          "***",
		strings.Repeat(" ", readLimit-20) + "key 0123456789abcdef<0123456789": "key ***", // cut by the limit
	} {
		if got := fmt.Sprint(status(403, body, of).Err); got != "post to receiver:9: status 403 Forbidden: "+want {
			t.Errorf("%s: error %q, want %q", strings.TrimSpace(body), got, want)
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "0": 0, "-5": 0, "soon": 0, "1.5": 0,
		"9999999999999": time.Hour, "99999999999999999999999": 0,
		"Wed, 02 Jan 2030 03:04:35 GMT": 30 * time.Second,
		"Wed, 02 Jan 2030 03:04:04 GMT": 0,
		"Wed, 02 Jan 2031 03:04:04 GMT": time.Hour,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
	if got := status(429, "", func(r *http.Response) { r.Header.Set("Retry-After", "3") }).RetryAfter; got != 3*time.Second {
		t.Errorf("a 429 with Retry-After: 3 means %s", got)
	}
}
