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

// Config configures a Sink.
type Config struct {
	// Address is udp://host:port, unix:///path for a datagram socket or
	// unixstream:///path for a stream socket.
	Address string
	// MaxPacket is the maximum size of a datagram or frame in bytes; longer lines are
	// dropped. It must not exceed what the receiver reads at once,
	// dogstatsd_buffer_size of a Datadog Agent, which defaults to 8192. Default: 8192
	// for Unix sockets; 1432 for UDP, which fits into an Ethernet frame.
	MaxPacket int
	// Buffer is the maximum size of packets, in bytes, that wait for an unavailable
	// receiver; at least MaxPacket. Default: 16 MiB.
	Buffer int
	// Timeout limits the total time that Send waits for a receiver that accepts
	// nothing, the time of a packet until the receiver counts as unavailable, and the
	// time to connect. Default: 10 s.
	Timeout time.Duration
	// Spread is the time over which the lines of a run are sent evenly. A UDP receiver
	// silently drops what exceeds its buffer, so a run of thousands of series should be
	// spread over some seconds of the interval. On Unix sockets the receiver sets the
	// pace. Default: 0, as fast as possible.
	Spread time.Duration
	// AgentHost lets the receiver add its own host to series without one, as a Datadog
	// Agent does. Otherwise an empty host tag prevents that. Set it for receivers that
	// do not accept empty tags.
	AgentHost bool
	// Tags are added to all series and service checks.
	Tags []sink.Tag
	// Logger logs when the receiver becomes unavailable and when it is back. Default:
	// no log.
	Logger *slog.Logger
}

const (
	udpPacket     = 1432
	unixPacket    = 8192
	minPacket     = 64
	maxPacket     = 65507 // of UDP over IPv4
	defaultBuffer = 16 << 20
)

// complete applies defaults and returns everything that is wrong.
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
		errs = append(errs, fmt.Errorf("dogstatsd: invalid packet size %d: must be between %d and %d bytes", c.MaxPacket, minPacket, maxPacket))
	}
	if c.Buffer == 0 {
		c.Buffer = defaultBuffer
	}
	if c.Buffer < c.MaxPacket {
		errs = append(errs, fmt.Errorf("dogstatsd: invalid buffer size %d: must hold at least one packet of %d bytes", c.Buffer, c.MaxPacket))
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("dogstatsd: invalid timeout %s: must be positive", c.Timeout))
	}
	if c.Spread < 0 {
		errs = append(errs, fmt.Errorf("dogstatsd: invalid spread %s: must not be negative", c.Spread))
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return a, errors.Join(errs...)
}

// address is the address of a receiver.
type address struct {
	network string // as in package net
	target  string
	named   bool // target has a host name that must be resolved
	text    string
}

func (a address) String() string { return a.text }
func (a address) stream() bool   { return a.network == "unix" }

func parseAddress(text string) (address, error) {
	wrong := func(why string) (address, error) {
		return address{}, fmt.Errorf("dogstatsd: invalid address %q: %s; must be udp://host:port, unix:///path or unixstream:///path", text, why)
	}
	u, err := url.Parse(text)
	if err != nil {
		return wrong("not a URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return wrong("more than host, port and path")
	}
	switch u.Scheme {
	case "udp":
		if strings.Trim(u.Path, "/") != "" || u.Opaque != "" {
			return wrong("UDP takes no path")
		}
		host, port := u.Hostname(), u.Port()
		if host == "" || port == "" || port == "0" {
			return wrong("missing host or port")
		}
		_, err := netip.ParseAddr(host)
		return address{network: "udp", target: net.JoinHostPort(host, port), named: err != nil, text: text}, nil
	case "unix", "unixstream":
		if u.Host != "" || u.Path == "" || u.Opaque != "" {
			return wrong("path is not absolute")
		}
		network := "unixgram"
		if u.Scheme == "unixstream" {
			network = "unix"
		}
		return address{network: network, target: u.Path, text: text}, nil
	default:
		return wrong("unknown scheme")
	}
}
