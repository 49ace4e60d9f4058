package kubewatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// stallLimit is how long the server may send nothing while it owes us
	// something. The API server itself gives up on a request after 60 s.
	stallLimit = 90 * time.Second
	// maxShortBody bounds bodies that hold no objects, in bytes.
	maxShortBody = 1 << 20
)

// errStalled is the cause when a request ends because nothing came any more.
var errStalled = errors.New("the server sends nothing")

// answer is a successful response whose body is still to be read. Reading fails
// with errStalled when nothing comes for longer than idle.
type answer struct {
	codec codec // of the body's media type
	idle  time.Duration

	cause  func() error // why the request was cancelled; nil while it was not
	cancel context.CancelCauseFunc
	timer  *time.Timer
	body   io.ReadCloser
}

// get asks for something. A refusal is a *apierrors.StatusError.
func (c *Client) get(ctx context.Context, path string, query url.Values, accept string) (*answer, error) {
	return c.send(ctx, http.MethodGet, path, query, accept, http.NoBody)
}

// Send sends a request to a path of the API, with JSON in its body if there is any, and
// returns the JSON of the response, at most 1 MiB. It does not retry. A refusal is a
// *apierrors.StatusError.
func (c *Client) Send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		content = bytes.NewReader(body)
	}
	a, err := c.send(ctx, method, path, nil, mediaJSON, content)
	if err != nil {
		return nil, err
	}
	defer a.close()
	return io.ReadAll(io.LimitReader(a, maxShortBody))
}

// send sends a request, with JSON in its body if there is any. A refusal is a
// *apierrors.StatusError.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, accept string, body io.Reader) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &answer{idle: stallLimit, cause: func() error { return context.Cause(ctx) }, cancel: cancel}
	a.timer = time.AfterFunc(a.idle, func() { cancel(errStalled) })
	to := c.to.Load()
	u := to.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err == nil {
		req.Header.Set("Accept", accept)
		if body != http.NoBody {
			req.Header.Set("Content-Type", mediaJSON)
		}
		err = a.open(to.http.Load(), req)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *answer) open(client *http.Client, req *http.Request) error {
	resp, err := client.Do(req) //nolint:bodyclose // answer.close does it
	if err != nil {
		// The URL is left out: callers name what they read.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return a.explain(err)
	}
	a.body = resp.Body
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return a.refusal(resp)
	}
	a.timer.Stop()
	a.codec, err = codecFor(resp.Header.Get("Content-Type"))
	return err
}

// Read implements io.Reader.
func (a *answer) Read(p []byte) (int, error) {
	a.timer.Reset(a.idle)
	n, err := a.body.Read(p)
	a.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.explain(err)
	}
	return n, err
}

func (a *answer) close() {
	a.timer.Stop()
	a.cancel(nil)
	if a.body != nil {
		_ = a.body.Close() // the body was read as far as it was wanted
	}
}

// explain replaces the error of a request that we cancelled by our reason.
func (a *answer) explain(err error) error {
	if errors.Is(a.cause(), errStalled) {
		return fmt.Errorf("%w for %v", errStalled, a.idle)
	}
	return err
}

// refusal reads the Status that the API server sends with an error. Proxies send
// anything, of which only the status code counts.
func (a *answer) refusal(resp *http.Response) error {
	retryAfter := retryAfter(resp.Header)
	if location, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		return statusError(metav1.Status{
			Status:  metav1.StatusFailure,
			Message: fmt.Sprintf("redirect to %s://%s not followed (%s)", location.Scheme, location.Host, resp.Status),
		}, resp.StatusCode, retryAfter)
	}
	if codec, err := codecFor(resp.Header.Get("Content-Type")); err == nil {
		body, err := io.ReadAll(io.LimitReader(a.body, maxShortBody))
		if err == nil {
			body, err = codec.single(body)
		}
		var status metav1.Status
		if err == nil && codec.decode(body, &status) == nil && status.Status == metav1.StatusFailure {
			return statusError(status, resp.StatusCode, retryAfter)
		}
	}
	return apierrors.NewGenericServerResponse(resp.StatusCode, "get", schema.GroupResource{}, "", resp.Status, retryAfter, true)
}

// retryAfter returns the seconds of a Retry-After header. Nothing, a date or nonsense
// count as 0, and more than a day as a day.
func retryAfter(h http.Header) int {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return 0
	}
	return int(min(seconds, 24*60*60))
}

func statusError(s metav1.Status, code, retryAfter int) *apierrors.StatusError {
	if s.Code == 0 {
		s.Code = int32(code)
	}
	if retryAfter > 0 {
		if s.Details == nil {
			s.Details = &metav1.StatusDetails{}
		}
		s.Details.RetryAfterSeconds = int32(retryAfter)
	}
	return &apierrors.StatusError{ErrStatus: s}
}
