package dogstatsd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Config says where to send and how.
type Config struct {
	// Address is udp://host:port, unix:///path for a socket of datagrams or
	// unixstream:///path for a stream.
	Address string
	// MaxPacket is how many bytes of lines a datagram or frame has at most; a
	// longer line is dropped. It is no more than the receiver reads at once:
	// dogstatsd_buffer_size of a Datadog agent, 8192 unless changed. Default: 8192
	// for Unix sockets; 1432 for UDP, which fits into an Ethernet frame.
	MaxPacket int
	// Buffer is how many bytes of packets wait while the receiver is away, at
	// least MaxPacket. Default: 16 MiB.
	Buffer int
	// Timeout is how long Send waits in all for a receiver that takes nothing, how
	// long a packet may take before the receiver counts as away, and how long
	// connecting may take. Default: 10 s.
	Timeout time.Duration
	// Spread is the time over which the lines of a run are sent evenly. UDP tells
	// nobody that the receiver's buffer is full: a run of thousands of series
	// should take some seconds of the time between two runs. On Unix sockets the
	// receiver sets the pace by itself. Default: 0, as fast as it goes.
	Spread time.Duration
	// AgentHost lets the receiver name its own host for series that have none. A
	// Datadog agent does so; otherwise an empty host tag keeps it from that. Set it
	// for receivers that do not know empty tags.
	AgentHost bool
	// Tags are added to everything.
	Tags []sink.Tag
	// Logger is told when the receiver goes and comes. Default: no log.
	Logger *slog.Logger
}

const (
	udpPacket     = 1432
	unixPacket    = 8192
	minPacket     = 64
	maxPacket     = 65507 // of UDP over IPv4
	defaultBuffer = 16 << 20
)

// complete fills in defaults and returns everything that is wrong.
func (c *Config) complete() (address, error) {
	a, err := parseAddress(c.Address)
	errs := []error{err}
	if c.MaxPacket == 0 {
		c.MaxPacket = unixPacket
		if a.network == "udp" {
			c.MaxPacket = udpPacket
		}
	}
	if c.MaxPacket < minPacket || c.MaxPacket > maxPacket {
		errs = append(errs, fmt.Errorf("dogstatsd: max packet of %d bytes: want %d to %d", c.MaxPacket, minPacket, maxPacket))
	}
	if c.Buffer == 0 {
		c.Buffer = defaultBuffer
	}
	if c.Buffer < c.MaxPacket {
		errs = append(errs, fmt.Errorf("dogstatsd: buffer of %d bytes: want at least one packet, %d", c.Buffer, c.MaxPacket))
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("dogstatsd: timeout %s: want more than 0", c.Timeout))
	}
	if c.Spread < 0 {
		errs = append(errs, fmt.Errorf("dogstatsd: spread %s: want 0 or more", c.Spread))
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return a, errors.Join(errs...)
}

// An address is where a receiver listens.
type address struct {
	network string // as package net calls it
	target  string
	named   bool // target has a name that must be looked up
	text    string
}

func (a address) String() string { return a.text }
func (a address) stream() bool   { return a.network == "unix" }

func parseAddress(text string) (address, error) {
	wrong := func(why string) (address, error) {
		return address{}, fmt.Errorf("dogstatsd: address %q: %s; want udp://host:port, unix:///path or unixstream:///path", text, why)
	}
	u, err := url.Parse(text)
	if err != nil {
		return wrong("it is no URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return wrong("there is more than host, port and path")
	}
	switch u.Scheme {
	case "udp":
		if strings.Trim(u.Path, "/") != "" || u.Opaque != "" {
			return wrong("UDP has no path")
		}
		host, port := u.Hostname(), u.Port()
		if host == "" || port == "" || port == "0" {
			return wrong("host or port is missing")
		}
		_, err := netip.ParseAddr(host)
		return address{network: "udp", target: net.JoinHostPort(host, port), named: err != nil, text: text}, nil
	case "unix", "unixstream":
		if u.Host != "" || u.Path == "" || u.Opaque != "" {
			return wrong("the path is not absolute")
		}
		network := "unixgram"
		if u.Scheme == "unixstream" {
			network = "unix"
		}
		return address{network: network, target: u.Path, text: text}, nil
	default:
		return wrong("the scheme is unknown")
	}
}
