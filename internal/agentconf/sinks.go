package agentconf

import (
	"os"
	"path/filepath"
	"time"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/datadog"
	"github.com/kubestate/kubestate/sink/dogstatsd"
	"github.com/kubestate/kubestate/sink/jsonlines"
	"github.com/kubestate/kubestate/sink/otlp"
	"github.com/kubestate/kubestate/sink/remotewrite"
)

// Stdout writes lines of JSON to standard output.
type Stdout struct{ Common }

func (*Stdout) check() map[string]error { return nil }

func (s *Stdout) open(e Environment) (sink.Sink, error) {
	return jsonlines.New(jsonlines.Config{Output: e.Stdout, Tags: tagsOf(s.Tags)})
}

// File appends lines of JSON to a file.
type File struct {
	Common
	// Path of the file. It is created.
	Path string `json:"path"`
}

func (s *File) check() map[string]error {
	info, err := os.Stat(s.Path)
	switch {
	case s.Path == "":
		return map[string]error{"path": problem.New("empty path", "must be the path of a file")}
	case err == nil && info.IsDir():
		return map[string]error{"path": problem.Invalid("path", s.Path, "must be a file, not a directory")}
	case err != nil:
		if info, err = os.Stat(filepath.Dir(s.Path)); err != nil || !info.IsDir() {
			return map[string]error{"path": problem.Invalid("path", s.Path, "must be in a directory that exists")}
		}
	}
	return nil
}

func (s *File) open(Environment) (sink.Sink, error) {
	return jsonlines.New(jsonlines.Config{Path: s.Path, Tags: tagsOf(s.Tags)})
}

// DogStatsD sends to a receiver of DogStatsD: a Datadog agent, mostly.
type DogStatsD struct {
	Common
	// Where the receiver listens: udp://host:port, unix:///path for a datagram socket,
	// unixstream:///path for a stream socket.
	Address string `json:"address"`
	// Bytes of a datagram or frame, at most what the receiver reads at once. Default:
	// 8192 for Unix sockets, 1432 for UDP.
	MaxPacket Bytes `json:"maxPacket,omitempty"`
	// Bytes of packets that are buffered while the receiver is down. Default: 16MiB.
	Buffer Bytes `json:"buffer,omitempty"`
	// How long a flush may wait for a receiver that does not read. Default: 10s.
	Timeout time.Duration `json:"timeout,omitempty" minimum:"1ms" maximum:"1h"`
	// Time over which a flush is spread evenly, because UDP does not report that the
	// receiver's buffer is full. Default: as fast as possible.
	Spread time.Duration `json:"spread,omitempty" minimum:"0s" maximum:"8760h"`
	// Whether the receiver may add its own host to series that have none.
	AgentHost bool `json:"agentHost,omitempty"`
}

func (*DogStatsD) check() map[string]error { return nil }

func (s *DogStatsD) open(e Environment) (sink.Sink, error) {
	return dogstatsd.New(dogstatsd.Config{
		Address: s.Address, MaxPacket: int(s.MaxPacket), Buffer: int(s.Buffer), Timeout: s.Timeout, Spread: s.Spread,
		AgentHost: s.AgentHost, Tags: tagsOf(s.Tags), Logger: e.Logger,
	})
}

// Requests are the limits of sinks that send requests.
type Requests struct {
	// Bytes of requests that are buffered while the receiver is down. Default: 32MiB.
	Buffer Bytes `json:"buffer,omitempty"`
	// Time for one attempt to send a request. Default: 30s.
	Timeout time.Duration `json:"timeout,omitempty" minimum:"1ms" maximum:"1h"`
	// Attempts to send a request. Default: as many as the buffer allows.
	Attempts int `json:"attempts,omitempty" minimum:"1" maximum:"1000"`
	// Path of a PEM file with the certificate authorities of the receiver. Default: those
	// of the system.
	CAFile string `json:"caFile,omitempty"`
}

// Access is the authentication of requests, and further headers.
type Access struct {
	// Further headers, for example X-Scope-OrgID.
	Headers map[string]string `json:"headers,omitempty" secret:"true"`
	// Headers whose values are secret: the path of a file for each, which is read for
	// each request.
	HeaderFiles map[string]string `json:"headerFiles,omitempty"`
	// Path of a file with a bearer token, or with the password if there is a username.
	// It is read for each request.
	TokenFile string `json:"tokenFile,omitempty"`
	// User for basic authentication.
	Username string `json:"username,omitempty"`
}

func (a *Access) check() map[string]error {
	errs := map[string]error{}
	if a.TokenFile != "" {
		errs["tokenFile"] = secret(a.TokenFile, "a token or password")
	}
	for name, path := range a.HeaderFiles {
		errs["headerFiles."+name] = secret(path, "the value of the header")
	}
	return errs
}

// Datadog sends to the intake of Datadog, without an agent.
type Datadog struct {
	Common
	// The intake of your site, for example https://api.datadoghq.eu. Default:
	// https://api.datadoghq.com.
	URL string `json:"url,omitempty" secret:"true"`
	// Path of a file with the API key. It is read for each request.
	KeyFile string `json:"keyFile"`
	// Series in a request. Default: 10000.
	MaxSeries int `json:"maxSeries,omitempty" minimum:"1" maximum:"1000000"`
	// Bytes of a request before compression. Default: 5MiB.
	MaxBytes Bytes `json:"maxBytes,omitempty"`
	// Bytes of a request on the wire. Default: 512000.
	MaxCompressed Bytes `json:"maxCompressed,omitempty"`
	Requests
}

func (s *Datadog) check() map[string]error {
	return map[string]error{"keyFile": secret(s.KeyFile, "the API key")}
}

func (s *Datadog) open(e Environment) (sink.Sink, error) {
	return datadog.New(datadog.Config{
		Connection: s.connection(s.URL, Access{}, e),
		KeyFile:    s.KeyFile, Tags: tagsOf(s.Tags), MaxSeries: s.MaxSeries, MaxBytes: int(s.MaxBytes), MaxCompressed: int(s.MaxCompressed),
	})
}

// Protocol is the transport of OTLP.
type Protocol string

const (
	protocolHTTP Protocol = "http"
	protocolGRPC Protocol = "grpc"
)

// OTLP sends to a receiver of OTLP: an OpenTelemetry collector, mostly.
type OTLP struct {
	Common
	// The receiver: http:// without TLS, https:// with it, for grpc too. For http it
	// has the path, /v1/metrics if there is none; for grpc it has none.
	URL string `json:"url" secret:"true"`
	// Transport of requests: http or grpc. Default: http.
	Protocol Protocol `json:"protocol,omitempty"`
	// Attributes of every resource that has none of their key.
	Resource map[string]string `json:"resource,omitempty"`
	// Series in a request. Default: 10000.
	MaxSeries int `json:"maxSeries,omitempty" minimum:"1" maximum:"1000000"`
	// Bytes of a request before compression. Default: 4MiB.
	MaxBytes Bytes `json:"maxBytes,omitempty"`
	// Whether requests are not compressed.
	NoCompression bool `json:"noCompression,omitempty"`
	Access
	Requests
}

func (s *OTLP) open(e Environment) (sink.Sink, error) {
	protocol := otlp.HTTP
	if s.Protocol == protocolGRPC {
		protocol = otlp.GRPC
	}
	return otlp.New(otlp.Config{
		Connection: s.connection(s.URL, s.Access, e),
		Protocol:   protocol, Resource: tagsOf(s.Resource), Tags: tagsOf(s.Tags), Version: e.Version,
		MaxSeries: s.MaxSeries, MaxBytes: int(s.MaxBytes), NoCompression: s.NoCompression,
	})
}

// WriteVersion is a version of remote write.
type WriteVersion string

const (
	writeAuto WriteVersion = "auto"
	writeV1   WriteVersion = "1.0"
	writeV2   WriteVersion = "2.0"
)

// RemoteWrite sends to a receiver of remote write: Prometheus, mostly.
type RemoteWrite struct {
	Common
	// The receiver, with its path, for example http://prometheus:9090/api/v1/write.
	URL string `json:"url" secret:"true"`
	// Version of the protocol: 1.0, 2.0, or auto for the newest that the receiver
	// supports. Default: auto.
	Version WriteVersion `json:"version,omitempty"`
	// The label for hosts; "-" leaves them out. Default: host.
	HostLabel string `json:"hostLabel,omitempty"`
	// Whether names keep all characters, as Prometheus supports since 3.0.
	UTF8Names bool `json:"utf8Names,omitempty"`
	// Series in a request. Default: 2000.
	MaxSeries int `json:"maxSeries,omitempty" minimum:"1" maximum:"1000000"`
	// Bytes of a request before compression. Default: 1MiB.
	MaxBytes Bytes `json:"maxBytes,omitempty"`
	// Time between metadata requests of version 1.0. Default: 1m.
	MetadataInterval time.Duration `json:"metadataInterval,omitempty" minimum:"1s" maximum:"8760h"`
	Access
	Requests
}

func (s *RemoteWrite) open(e Environment) (sink.Sink, error) {
	version := map[WriteVersion]remotewrite.Version{writeV1: remotewrite.V1, writeV2: remotewrite.V2}[s.Version]
	return remotewrite.New(remotewrite.Config{
		Connection: s.connection(s.URL, s.Access, e),
		Version:    version, Tags: tagsOf(s.Tags), HostLabel: s.HostLabel, UTF8Names: s.UTF8Names,
		MaxSeries: s.MaxSeries, MaxBytes: int(s.MaxBytes), MetadataInterval: s.MetadataInterval,
	})
}

// connection returns how to reach the receiver at a URL.
func (r *Requests) connection(url string, a Access, e Environment) sink.Connection {
	return sink.Connection{
		URL: url, CAFile: r.CAFile, Headers: a.Headers, HeaderFiles: a.HeaderFiles, TokenFile: a.TokenFile, Username: a.Username,
		UserAgent: "kubestate/" + e.Version, Buffer: int(r.Buffer), Timeout: r.Timeout, Attempts: r.Attempts, Logger: e.Logger,
	}
}

// secret returns the problem with the path of a file with a secret. The sink checks
// its content.
func secret(path, what string) error {
	if path == "" {
		return problem.New("empty path", "must be the path of a file with "+what)
	}
	switch info, err := os.Stat(path); {
	case err != nil:
		return problem.New("cannot read file with "+what, problem.Cut(err.Error()))
	case info.IsDir():
		return problem.Invalid("path", path, "must be a file with "+what+", not a directory")
	}
	return nil
}
