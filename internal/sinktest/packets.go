package sinktest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// ReadDatagrams calls got with every datagram until c is closed.
func ReadDatagrams(c net.PacketConn, got func(packet string)) {
	buffer := make([]byte, 1<<16)
	for {
		n, _, err := c.ReadFrom(buffer)
		if err != nil {
			return
		}
		got(string(buffer[:n]))
	}
}

// ReadFrames calls got with every packet of a stream, each prefixed with its length,
// four bytes, little-endian. It returns when the stream ends or is closed.
func ReadFrames(c io.Reader, got func(packet string)) error {
	for {
		var size uint32
		if err := binary.Read(c, binary.LittleEndian, &size); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(c, frame); err != nil {
			return err
		}
		got(string(frame))
	}
}
