package piece

import (
	"encoding/binary"
	"errors"
)

// Inflating is half of the cost of a body that is not compressed. The libraries
// read from streams and keep a window; a piece is in memory whole and says how
// long its text is, which makes it twice as fast (docs/decisions/0007).

var (
	errCorrupt = errors.New("deflate data is corrupt")
	errSize    = errors.New("deflate data is of another size")
)

const (
	litBits  = 10 // of a code, that the first table is indexed by
	distBits = 8
	maxCode  = 15 // bits (RFC 1951, section 3.2.7)
	maxLit   = 288
	maxDist  = 32
	// lookahead is how many bytes the fast loop may write in a turn: the longest
	// match, copied in words.
	lookahead = 258 + 31
)

// An entry of a table says what the next bits of the data are. From its lowest
// bits on: how many bits the code takes (4), a number (4), the class (2), and from
// bit 16 on a value: one or two literals, of which the number says how many; the base
// of a length or distance, behind whose code so many bits follow; or where a further
// table begins, which so many bits index.
type entry uint32

const (
	classShift = 8
	valueShift = 16

	literal entry = 0 << classShift
	base    entry = 1 << classShift // of a length or a distance, for which bits may follow
	table   entry = 2 << classShift // the code is longer: look further
	special entry = 3 << classShift // end of block, or no code at all
	classes entry = 3 << classShift
)

func (e entry) code() uint   { return uint(e) & 15 }
func (e entry) extra() uint  { return uint(e) >> 4 & 15 }
func (e entry) value() int   { return int(e >> valueShift) }
func (e entry) class() entry { return e & classes }

// endOfBlock is the value of the special entry that ends a block; others are 0.
const endOfBlock = 1

// An inflater inflates one piece after another.
type inflater struct {
	in   []byte
	pos  int    // of the next byte to take into bits
	bits uint64 // taken and not used; the next in the lowest
	n    uint   // how many those are

	out  []byte // room for the text and more
	at   int    // the next byte of out
	size int    // of the text

	lits, dists, codes []entry // tables of the present block; codes is for reading the others
	lengths            [maxLit + maxDist]uint8
}

// inflate fills out with the text of in, which must have the length of out. It is
// quicker where out has a capacity of lookahead bytes more, which it may overwrite.
// What is behind the last block is not read; no block needs to be the last.
func (d *inflater) inflate(out, in []byte) error {
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
func (d *inflater) block() error {
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

// refill takes whole bytes in until at least 56 bits are there, or the data ends.
func (d *inflater) refill() {
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
func (d *inflater) take(count uint) (value int, ok bool) {
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

// stored copies a block that is not compressed.
func (d *inflater) stored() error {
	whole := d.n & 7
	d.bits >>= whole
	d.n -= whole
	length, ok1 := d.take(16)
	check, ok2 := d.take(16)
	if !ok1 || !ok2 || length != check^0xffff {
		return errCorrupt
	}
	d.pos -= int(d.n >> 3) // bytes that were taken ahead
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

// symbols inflates the symbols of a block up to its end.
func (d *inflater) symbols() error {
	for {
		if d.pos+8 <= len(d.in) && d.at+lookahead <= len(d.out) {
			if done, err := d.fast(); done || err != nil {
				return err
			}
		}
		if done, err := d.careful(); done || err != nil {
			return err
		}
	}
}

// look returns the entry for the next bits in a table whose first part is indexed
// by so many bits.
func look(t []entry, bits uint64, first uint) entry {
	e := t[bits&(1<<first-1)]
	if e.class() == table {
		e = t[e.value()+int(bits>>first&(1<<e.extra()-1))]
	}
	return e
}

// careful inflates one symbol, and knows where the data and the text end.
func (d *inflater) careful() (done bool, err error) {
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

func (d *inflater) use(count uint) {
	d.bits >>= count
	d.n -= count
}

// fast inflates symbols as long as there are 8 bytes of data and room for the
// longest match. It may write beyond a match, where later symbols write again.
func (d *inflater) fast() (done bool, err error) {
	in, pos, b, n, out, at := d.in, d.pos, d.bits, d.n, d.out, d.at
	stop := min(d.size, len(out)-lookahead+1)
	lits, dists := d.lits, d.dists
	for pos+8 <= len(in) && at < stop {
		if n < 48 { // a match takes 15 bits, 5, 15 and 13
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

// copyMatch repeats length bytes from distance before. It may write up to 31
// bytes more.
func copyMatch(out []byte, at, distance, length int) {
	from, end := at-distance, at+length
	if distance < 16 {
		for ; at < end; at, from = at+1, from+1 {
			out[at] = out[from]
		}
		return
	}
	// Most matches are short: a fixed number of words is quicker than a loop.
	to, source := out[at:at+32:at+32], out[from:from+32]
	copy(to[:16], source[:16])
	copy(to[16:32], source[16:32])
	for at, from = at+32, from+32; at < end; at, from = at+16, from+16 {
		copy(out[at:at+16], out[from:from+16])
	}
}
