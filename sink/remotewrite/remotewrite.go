// Package remotewrite sends runs to a receiver of Prometheus remote write, in
// version 1.0 or 2.0 of the protocol. It refuses to know where series come from
// and what their names mean.
//
// Version 1.0 is https://prometheus.io/docs/specs/prw/remote_write_spec/, 2.0 is
// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ as of 2.0-rc.4,
// where the start of a counter belongs to its samples. Service checks have no
// place in either and are not sent.
package remotewrite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Version is a version of the protocol.
type Version uint8

// The versions there are. Auto tries 2.0, and stays with 1.0 once the receiver
// has refused that.
const (
	Auto Version = iota
	V1
	V2
)

// NoHost as the HostLabel leaves hosts out.
const NoHost = "-"

// Config says where and how to send. The zero value of a field takes the default.
type Config struct {
	URL     string // of the receiver, with its path, for example http://prometheus:9090/api/v1/write
	Version Version

	// Tags are labels for every series that has none of their name. What a series
	// says of itself comes first, then Block.Tags, Block.Resource and the host.
	Tags      []sink.Tag
	HostLabel string // the label for Block.Host; default host
	UTF8Names bool   // leave all characters in names, which Prometheus takes since 3.0

	MaxSeries        int           // of a request; default 2,000
	MaxBytes         int           // of a request before compression; default 1 MiB
	MetadataInterval time.Duration // between metadata, which version 1.0 sends apart; default one minute

	Buffer   int           // bytes of compressed requests that may wait; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a request; default that of the queue

	Client    *http.Client      // default: one of its own
	CAFile    string            // certificates that the receiver's must come from; default: those of the system
	Headers   map[string]string // more headers, for example X-Scope-OrgID
	TokenFile string            // a bearer token, read for each request; or the password, if there is a Username
	Username  string            // for basic authentication
	UserAgent string            // default kubestate

	Logger *slog.Logger // default slog.Default()
}

// Sink is a sink.Sink. Send is for one goroutine at a time, the rest for any.
type Sink struct {
	encoder  *encoder
	receiver *receiver
	queue    *push.Queue

	maxSeries, maxBytes int

	compressed []byte // scratch
	unsettled  int    // bytes put into the queue since the last flush
	room       int    // how many those may be

	metadataInterval time.Duration
	metadataSent     time.Time
}

// New returns a Sink. It does not connect: the receiver may come later. The error
// names everything that is wrong with the Config.
func New(c Config) (*Sink, error) {
	c.fillDefaults()
	client, err := c.client()
	if err := errors.Join(c.check(), err); err != nil {
		return nil, fmt.Errorf("remote write: %w", err)
	}
	r := &receiver{Config: c, client: client}
	r.only1.Store(c.Version == V1)
	return &Sink{
		encoder:  newEncoder(c),
		receiver: r,
		queue: push.New(push.Config{
			Send: r.send, Buffer: c.Buffer, Timeout: c.Timeout, Attempts: c.Attempts, Logger: c.Logger, Name: "remote write",
		}),
		maxSeries: c.MaxSeries, maxBytes: c.MaxBytes, room: c.Buffer / 2, metadataInterval: c.MetadataInterval,
	}, nil
}

func (c *Config) fillDefaults() {
	c.HostLabel = cmp.Or(c.HostLabel, "host")
	c.MaxSeries = cmp.Or(c.MaxSeries, 2000)
	c.MaxBytes = cmp.Or(c.MaxBytes, 1<<20)
	c.MetadataInterval = cmp.Or(c.MetadataInterval, time.Minute)
	c.Buffer = cmp.Or(c.Buffer, 32<<20)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.UserAgent = cmp.Or(c.UserAgent, "kubestate")
	c.Logger = cmp.Or(c.Logger, slog.Default())
}

func (c *Config) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		wrong("URL: it cannot be parsed") // the error would repeat it, with what secrets it has
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		wrong("URL with scheme %q and host %q: must be http://host/path or https://host/path", u.Scheme, u.Host)
	case u.User != nil:
		wrong("URL of host %q: must not hold a user; set Username and TokenFile", u.Host)
	}
	if c.Version > V2 {
		wrong("Version %d: must be Auto, V1 or V2", c.Version)
	}
	for _, number := range []struct {
		name  string
		value int64
	}{
		{"MaxSeries", int64(c.MaxSeries)}, {"MaxBytes", int64(c.MaxBytes)}, {"MetadataInterval", int64(c.MetadataInterval)},
		{"Buffer", int64(c.Buffer)}, {"Timeout", int64(c.Timeout)}, {"Attempts", int64(c.Attempts)},
	} {
		if number.value < 0 {
			wrong("%s %d: must not be negative", number.name, number.value)
		}
	}
	if c.Username != "" && c.TokenFile == "" {
		wrong("Username %q: has no password; set TokenFile", c.Username)
	}
	if c.Client != nil && c.CAFile != "" {
		wrong("CAFile %q: has no effect on a Client that is given", c.CAFile)
	}
	return errors.Join(errs...)
}

// Send encodes the run and waits until it is sent, or ctx ends; what is left then
// stays in the buffer. The error says what the receiver has refused, what was
// lost, and whether ctx ended first.
func (s *Sink) Send(ctx context.Context, r *sink.Run) error {
	var errs []error
	s.encoder.beginRun(r.Time)
	s.encoder.beginRequest(s.receiver.version())
	add := func(series *sink.Series, ended bool) {
		if s.isFull(series) {
			errs = append(errs, s.finish(ctx))
		}
		s.encoder.add(series, ended)
	}
	// The ended ones first, a little before the time of the run: if two series
	// have the same labels here, which was not so where they come from, the receiver
	// sees one that goes on.
	for series := range r.Ended {
		add(series, true)
	}
	for series := range r.Series {
		add(series, false)
	}
	errs = append(errs, s.finish(ctx))
	s.sendMetadata(r.Time)
	s.encoder.forget()
	return errors.Join(append(errs, s.flush(ctx))...)
}

// isFull says whether the request must end before the series.
func (s *Sink) isFull(series *sink.Series) bool {
	e := s.encoder
	return e.count > 0 && (e.count >= s.maxSeries || e.size()+e.bound(series) > s.maxBytes)
}

// finish hands the request to the queue and begins another. If much waits there,
// it waits too: encoding is quicker than sending, and what does not fit into the
// queue is lost.
func (s *Sink) finish(ctx context.Context) error {
	if s.encoder.count > 0 {
		s.put(s.encoder.version, s.encoder.message(), s.encoder.count)
	}
	var err error
	if s.unsettled > s.room && ctx.Err() == nil {
		err = s.flush(ctx)
	}
	s.encoder.beginRequest(s.receiver.version())
	return err
}

func (s *Sink) flush(ctx context.Context) error {
	s.unsettled = 0
	return s.queue.Flush(ctx)
}

// sendMetadata sends metadata of its own, if it is time for that.
func (s *Sink) sendMetadata(now time.Time) {
	if s.encoder.version != V1 || now.Sub(s.metadataSent) < s.metadataInterval {
		return
	}
	s.metadataSent = now
	if m := s.encoder.metadata(); len(m) > 0 {
		s.put(V1, m, 0)
	}
}

// put compresses a request and puts it into the queue.
func (s *Sink) put(version Version, request []byte, series int) {
	if n := s2.MaxEncodedLen(len(request)); len(s.compressed) < n {
		s.compressed = make([]byte, n)
	}
	compressed := s2.EncodeSnappy(s.compressed, request)
	s.unsettled += len(compressed)
	s.queue.Put(push.Payload{Body: bytes.Clone(compressed), Series: series, Kind: uint8(version)})
}

// Stats returns what became of everything since the start.
func (s *Sink) Stats() sink.Stats { return s.queue.Stats() }

// Close sends what is buffered until ctx ends.
func (s *Sink) Close(ctx context.Context) error {
	defer s.receiver.client.CloseIdleConnections()
	return s.queue.Close(ctx)
}
