package piece

import "encoding/binary"

// A Member computes the trailer of the gzip member (RFC 1952) that consists of some
// pieces. The zero value is that of an empty member.
type Member struct {
	crc  uint32
	size uint32 // modulo 2^32, as in the format
}

// MemberHeader is the header of a member: deflate, no name, no time, unknown operating
// system.
const MemberHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// MemberTrailerSize is the length of the trailer.
const MemberTrailerSize = 2 + 4 + 4

// Add appends a piece to the member.
func (m *Member) Add(d *Deflated) {
	m.crc = join(m.crc, d.CRC, d.power)
	m.size += uint32(d.Size)
}

// AppendTrailer appends the end of the member: an empty final block, the checksum and the
// length.
func (m *Member) AppendTrailer(dst []byte) []byte {
	dst = append(dst, 0x03, 0x00) // RFC 1951: final, fixed codes, end of block
	dst = binary.LittleEndian.AppendUint32(dst, m.crc)
	return binary.LittleEndian.AppendUint32(dst, m.size)
}
