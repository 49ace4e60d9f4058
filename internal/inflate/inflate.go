// Package inflate decompresses deflate data (RFC 1951) that is completely in memory, to
// text of known length. That makes it 40 % faster than the fastest Go library, which
// reads a stream and keeps a window: 855 MB/s instead of 611 MB/s with
// klauspost/compress/flate. Inflating is most of the cost of an uncompressed scrape;
// docs/decisions/0007-own-inflater.md has the measurements. The package does not know
// about checksums or containers such as gzip.
//
// inflate.go decodes blocks: with a fast loop while there is enough data and room, and
// a careful one at the ends. tables.go builds the lookup tables of Huffman codes.
package inflate

import (
	"encoding/binary"
	"errors"
)

var (
	errCorrupt = errors.New("deflate data is corrupt")
	errSize    = errors.New("deflate data has another size")
)

const (
	litBits  = 10 // number of bits that index the first part of a table
	distBits = 8
	maxCode  = 15 // bits (RFC 1951, section 3.2.7)
	maxLit   = 288
	maxDist  = 32
)

// Slack is how many bytes of capacity beyond the text make Inflate faster: as many as the
// fast loop may write in one turn, which is the longest match, copied in words.
const Slack = 258 + 31

// An entry of a table describes the next bits of the data. Its value is one or two
// literals; the base of a length or distance, to which extra bits are added; or the index
// of a second table for longer codes.
//
//	bit  31            16       9     8 7         4 3        0
//	     ┌───────────────┬──────┬───────┬───────────┬─────────┐
//	     │ value         │      │ class │ extra     │ code    │
//	     └───────────────┴──────┴───────┴───────────┴─────────┘
//	code   the length of the code, in bits
//	extra  literal: how many literals; base: how many extra bits; table: how many bits index it
type entry uint32

const (
	classShift = 8
	valueShift = 16

	literal entry = 0 << classShift
	base    entry = 1 << classShift // of a length or a distance
	table   entry = 2 << classShift // the code is longer: look into the second table
	special entry = 3 << classShift // end of block, or an invalid code
	classes entry = 3 << classShift
)

func (e entry) code() uint   { return uint(e) & 15 }
func (e entry) extra() uint  { return uint(e) >> 4 & 15 }
func (e entry) value() int   { return int(e >> valueShift) }
func (e entry) class() entry { return e & classes }

// endOfBlock is the value of the special entry that ends a block; others are 0.
const endOfBlock = 1

// Inflater inflates texts. The zero value is ready to use. It reuses its tables, about
// 20 kB, and is not safe for concurrent use.
type Inflater struct {
	in   []byte
	pos  int    // of the next byte to load into bits
	bits uint64 // loaded and not used; the next in the lowest
	n    uint   // number of bits

	out  []byte // room for the text and slack
	at   int    // index of the next byte of out
	size int    // of the text

	lits, dists, codes []entry // tables of the current block; codes is for reading the other two
	lengths            [maxLit + maxDist]uint8
}

// Inflate fills out with the text of the deflate data in. It returns an error if the
// text does not have the length of out, or if the data is corrupt. It is faster if out
// has a capacity of Slack more bytes, which it may overwrite. It stops when out is
// full: no final block is needed, and following data is ignored. It allocates nothing
// once its tables have grown.
func (d *Inflater) Inflate(out, in []byte) error {
	d.in, d.pos, d.bits, d.n = in, 0, 0, 0
	d.out, d.at, d.size = out[:cap(out)], 0, len(out)
	defer func() { d.in, d.out = nil, nil }()
	for d.at < d.size {
		if err := d.block(); err != nil {
			return err
		}
	}
	if d.at > d.size {
		return errSize
	}
	return nil
}

// block inflates one block.
func (d *Inflater) block() error {
	header, ok := d.take(3)
	if !ok {
		return errCorrupt
	}
	var err error
	switch header >> 1 {
	case 0:
		return d.stored()
	case 1:
		err = d.fixedTables()
	case 2:
		err = d.dynamicTables()
	default:
		return errCorrupt
	}
	if err != nil {
		return err
	}
	return d.symbols()
}

// refill reads whole bytes until there are at least 56 bits, or the data ends.
func (d *Inflater) refill() {
	if d.pos+8 <= len(d.in) {
		d.bits |= binary.LittleEndian.Uint64(d.in[d.pos:]) << d.n
		d.pos += int(63-d.n) >> 3
		d.n |= 56
		return
	}
	for d.n < 56 && d.pos < len(d.in) {
		d.bits |= uint64(d.in[d.pos]) << d.n
		d.pos++
		d.n += 8
	}
}

// take returns the next count bits, at most 16.
func (d *Inflater) take(count uint) (value int, ok bool) {
	if d.n < count {
		d.refill()
	}
	if d.n < count {
		return 0, false
	}
	value = int(d.bits & (1<<count - 1))
	d.bits >>= count
	d.n -= count
	return value, true
}

// stored copies an uncompressed block.
func (d *Inflater) stored() error {
	whole := d.n & 7
	d.bits >>= whole
	d.n -= whole
	length, ok1 := d.take(16)
	check, ok2 := d.take(16)
	if !ok1 || !ok2 || length != check^0xffff {
		return errCorrupt
	}
	d.pos -= int(d.n >> 3) // bytes that were loaded ahead
	d.bits, d.n = 0, 0
	if length > len(d.in)-d.pos {
		return errCorrupt
	}
	if length > d.size-d.at {
		return errSize
	}
	copy(d.out[d.at:], d.in[d.pos:d.pos+length])
	d.pos += length
	d.at += length
	return nil
}

// symbols inflates the symbols of a block.
func (d *Inflater) symbols() error {
	for {
		if d.pos+8 <= len(d.in) && d.at+Slack <= len(d.out) {
			if done, err := d.fast(); done || err != nil {
				return err
			}
		}
		if done, err := d.careful(); done || err != nil {
			return err
		}
	}
}

// look returns the entry for the next bits in a table whose first part is indexed by first
// bits.
func look(t []entry, bits uint64, first uint) entry {
	e := t[bits&(1<<first-1)]
	if e.class() == table {
		e = t[e.value()+int(bits>>first&(1<<e.extra()-1))]
	}
	return e
}

// careful inflates one symbol and checks for the end of the data and of the text.
func (d *Inflater) careful() (done bool, err error) {
	d.refill()
	e := look(d.lits, d.bits, litBits)
	if e.code() > d.n {
		return false, errCorrupt
	}
	d.use(e.code())
	switch e.class() {
	case literal:
		for i := range e.extra() {
			if d.at >= d.size {
				return false, errSize
			}
			d.out[d.at] = byte(e.value() >> (8 * i))
			d.at++
		}
		return false, nil
	case special:
		if e.value() != endOfBlock {
			return false, errCorrupt
		}
		return true, nil
	}
	length, ok1 := d.take(e.extra())
	length += e.value()
	d.refill()
	e = look(d.dists, d.bits, distBits)
	if e.class() != base || e.code() > d.n {
		return false, errCorrupt
	}
	d.use(e.code())
	distance, ok2 := d.take(e.extra())
	distance += e.value()
	switch {
	case !ok1 || !ok2 || distance > d.at:
		return false, errCorrupt
	case length > d.size-d.at:
		return false, errSize
	}
	for range length {
		d.out[d.at] = d.out[d.at-distance]
		d.at++
	}
	return false, nil
}

func (d *Inflater) use(count uint) {
	d.bits >>= count
	d.n -= count
}

// fast inflates symbols while there are 8 bytes of data and room for the longest match.
// It may write beyond the end of a match; later symbols overwrite that.
func (d *Inflater) fast() (done bool, err error) {
	in, pos, b, n, out, at := d.in, d.pos, d.bits, d.n, d.out, d.at
	stop := min(d.size, len(out)-Slack+1)
	lits, dists := d.lits, d.dists
	for pos+8 <= len(in) && at < stop {
		if n < 48 { // a match takes up to 15+5+15+13 bits
			b |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
			pos += int(63-n) >> 3
			n |= 56
		}
		e := lits[b&(1<<litBits-1)]
		if e.class() == literal {
			b >>= e.code()
			n -= e.code()
			binary.LittleEndian.PutUint16(out[at:], uint16(e.value()))
			at += int(e.extra())
			continue
		}
		if e.class() == table {
			e = lits[e.value()+int(b>>litBits&(1<<e.extra()-1))]
		}
		b >>= e.code()
		n -= e.code()
		if e.class() != base {
			if e.class() == literal {
				out[at] = byte(e.value())
				at++
				continue
			}
			if done = e.value() == endOfBlock; !done {
				err = errCorrupt
			}
			break
		}
		length := e.value() + int(b&(1<<e.extra()-1))
		b >>= e.extra()
		n -= e.extra()
		e = look(dists, b, distBits)
		b >>= e.code()
		n -= e.code()
		distance := e.value() + int(b&(1<<e.extra()-1))
		b >>= e.extra()
		n -= e.extra()
		if e.class() != base || distance > at {
			err = errCorrupt
			break
		}
		copyMatch(out, at, distance, length)
		at += length
	}
	d.pos, d.bits, d.n, d.at = pos, b, n, at
	return done, err
}

// copyMatch copies length bytes from distance bytes before. It may write up to 31 bytes
// more.
func copyMatch(out []byte, at, distance, length int) {
	from, end := at-distance, at+length
	if distance < 16 {
		for ; at < end; at, from = at+1, from+1 {
			out[at] = out[from]
		}
		return
	}
	// Most matches are short: a fixed number of words is faster than a loop.
	to, source := out[at:at+32:at+32], out[from:from+32]
	copy(to[:16], source[:16])
	copy(to[16:32], source[16:32])
	for at, from = at+32, from+32; at < end; at, from = at+16, from+16 {
		copy(out[at:at+16], out[from:from+16])
	}
}
