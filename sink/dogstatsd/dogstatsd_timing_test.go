package dogstatsd

import (
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// discard starts a receiver that discards everything, and returns its address.
func discard(t testing.TB, scheme, path string) string {
	t.Helper()
	if scheme == "unixstream" {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			if c, err := l.Accept(); err == nil {
				forget(c, make([]byte, 1<<17))
			}
		}()
		return "unixstream://" + path
	}
	var c net.Conn
	var err error
	address := "unix://" + path
	if scheme == "udp" {
		var u *net.UDPConn
		u, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		c, address = u, "udp://"+u.LocalAddr().String()
	} else {
		c, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go forget(c, make([]byte, 1<<17))
	return address
}

func forget(c io.ReadCloser, buf []byte) {
	defer c.Close()
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

func perSeries(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/series")
}

// BenchmarkEncode measures everything before a packet is queued for the writer.
func BenchmarkEncode(b *testing.B) {
	const n = 10_000
	run := sinktest.Typical(n)
	var e encoder
	packet := make([]byte, 0, 8192)
	b.ReportAllocs()
	for b.Loop() {
		for s := range run.Series {
			line, _ := e.series(s)
			if len(packet)+len(line) > cap(packet) {
				packet = packet[:0]
			}
			packet = append(packet, line...)
		}
	}
	perSeries(b, n)
}

// BenchmarkSend sends complete runs to a receiver on the same machine, including the
// cost of the system calls.
func BenchmarkSend(b *testing.B) {
	for _, c := range []struct {
		name, scheme string
		size         int
	}{{"udp", "udp", 0}, {"udp 8192", "udp", 8192}, {"unix", "unix", 0}, {"unixstream", "unixstream", 0}} {
		b.Run(c.name, func(b *testing.B) {
			const n = 10_000
			run := sinktest.Typical(n)
			s := newSink(b, Config{Address: discard(b, c.scheme, filepath.Join(b.TempDir(), "s")), MaxPacket: c.size})
			sinktest.Send(b, s, run)
			b.ReportAllocs()
			for b.Loop() {
				sinktest.Send(b, s, run)
			}
			perSeries(b, n)
			if dropped := s.Stats().Dropped; dropped > 0 {
				b.Errorf("%d dropped", dropped)
			}
		})
	}
}
