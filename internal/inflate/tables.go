package inflate

import (
	"math/bits"
	"slices"
)

// Bases and numbers of extra bits of the symbols for lengths and distances (RFC 1951,
// section 3.2.5).
var (
	lengthBase = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthMore = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distMore   = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	// codeOrder is the order of the code lengths of the code length alphabet (section
	// 3.2.7).
	codeOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

func litEntry(symbol int) entry {
	switch {
	case symbol < 256:
		return literal | 1<<4 | entry(symbol)<<valueShift
	case symbol == 256:
		return special | endOfBlock<<valueShift
	case symbol-257 < len(lengthBase):
		return base | entry(lengthBase[symbol-257])<<valueShift | entry(lengthMore[symbol-257])<<4
	}
	return special
}

func distEntry(symbol int) entry {
	if symbol < len(distBase) {
		return base | entry(distBase[symbol])<<valueShift | entry(distMore[symbol])<<4
	}
	return special
}

func codeEntry(symbol int) entry { return literal | entry(symbol)<<valueShift }

// fixedTables builds the tables of a block with fixed codes.
func (d *Inflater) fixedTables() error {
	for i := range maxLit {
		switch {
		case i < 144:
			d.lengths[i] = 8
		case i < 256:
			d.lengths[i] = 9
		case i < 280:
			d.lengths[i] = 7
		default:
			d.lengths[i] = 8
		}
	}
	for i := range maxDist {
		d.lengths[maxLit+i] = 5
	}
	return d.tables(maxLit, maxDist)
}

// dynamicTables reads the tables of a block with dynamic codes.
func (d *Inflater) dynamicTables() error {
	nlit, ok1 := d.take(5)
	ndist, ok2 := d.take(5)
	ncode, ok3 := d.take(4)
	nlit, ndist, ncode = nlit+257, ndist+1, ncode+4
	if !ok1 || !ok2 || !ok3 || nlit > maxLit {
		return errCorrupt
	}
	var lengths [len(codeOrder)]uint8
	for _, symbol := range codeOrder[:ncode] {
		length, ok := d.take(3)
		if !ok {
			return errCorrupt
		}
		lengths[symbol] = uint8(length)
	}
	var ok bool
	if d.codes, ok = makeTable(d.codes, lengths[:], 7, codeEntry); !ok {
		return errCorrupt
	}
	if err := d.readLengths(nlit + ndist); err != nil {
		return err
	}
	return d.tables(nlit, ndist)
}

// readLengths reads code lengths, which are encoded with the code length alphabet.
func (d *Inflater) readLengths(n int) error {
	for i := 0; i < n; {
		d.refill()
		e := look(d.codes, d.bits, 7)
		if e.class() != literal || e.code() > d.n {
			return errCorrupt
		}
		d.use(e.code())
		symbol, repeat, more := e.value(), 1, uint(0)
		var length uint8
		switch symbol {
		case 16:
			if i == 0 {
				return errCorrupt
			}
			length, repeat, more = d.lengths[i-1], 3, 2
		case 17:
			repeat, more = 3, 3
		case 18:
			repeat, more = 11, 7
		default:
			length = uint8(symbol)
		}
		further, ok := d.take(more)
		if repeat += further; !ok || repeat > n-i {
			return errCorrupt
		}
		for range repeat {
			d.lengths[i] = length
			i++
		}
	}
	return nil
}

// tables builds tables from code lengths.
func (d *Inflater) tables(nlit, ndist int) error {
	var ok1, ok2 bool
	d.lits, ok1 = makeTable(d.lits, d.lengths[:nlit], litBits, litEntry)
	d.dists, ok2 = makeTable(d.dists, d.lengths[nlit:nlit+ndist], distBits, distEntry)
	if !ok1 || !ok2 {
		return errCorrupt
	}
	pair(d.lits[:1<<litBits])
	return nil
}

// pair replaces entries of one literal by entries of two literals, where the index has enough
// bits to determine the second.
func pair(t []entry) {
	for i := len(t) - 1; i >= 0; i-- { // downwards, so that the second still has one literal
		e := t[i]
		next := t[i>>e.code()]
		if e.class() == literal && next.class() == literal && e.code()+next.code() <= litBits {
			t[i] = literal | 2<<4 | entry(e.value()|next.value()<<8)<<valueShift | entry(e.code()+next.code())
		}
	}
}

// makeTable builds the table of a canonical Huffman code (RFC 1951, section 3.2.2),
// reusing t. Its first part is indexed by first bits; longer codes are in further
// parts. It returns false if the lengths are not a valid code.
func makeTable(t []entry, lengths []uint8, first uint, entryOf func(symbol int) entry) ([]entry, bool) {
	var count [maxCode + 1]int
	for _, l := range lengths {
		count[l]++
	}
	count[0] = 0
	var next [maxCode + 1]int
	code, left := 0, 1 // left is the number of unused codes of the current length
	for l := 1; l <= maxCode; l++ {
		code = (code + count[l-1]) << 1
		next[l] = code
		if left = left<<1 - count[l]; left < 0 {
			return t, false
		}
	}
	t = room(t[:0], 1<<first, left > 0)
	longest := longestCodes(lengths, next, first)
	for symbol, length := range lengths {
		if length == 0 {
			continue
		}
		l := uint(length)
		reversed := int(bits.Reverse16(uint16(next[l])) >> (16 - l))
		next[l]++
		e := entryOf(symbol) | entry(l)
		if l <= first {
			for i := reversed; i < 1<<first; i += 1 << l {
				t[i] = e
			}
			continue
		}
		index := reversed & (1<<first - 1)
		if longest[index] > 0 { // the part does not exist yet
			more := uint(longest[index]) - first
			longest[index] = 0
			t[index] = table | entry(len(t))<<valueShift | entry(more)<<4
			t = room(t, 1<<more, left > 0)
		}
		part := t[t[index].value():]
		for i := reversed >> first; i < 1<<t[index].extra(); i += 1 << (l - first) {
			part[i] = e
		}
	}
	return t, true
}

// longestCodes returns the length of the longest code in each further part.
func longestCodes(lengths []uint8, next [maxCode + 1]int, first uint) (longest [1 << litBits]uint8) {
	for _, length := range lengths {
		if length == 0 {
			continue
		}
		code := next[length]
		next[length]++
		if uint(length) > first {
			index := int(bits.Reverse16(uint16(code))>>(16-length)) & (1<<first - 1)
			longest[index] = max(longest[index], length)
		}
	}
	return longest
}

// room appends n entries. If the code is incomplete, they start out as invalid codes.
func room(t []entry, n int, incomplete bool) []entry {
	old := len(t)
	t = slices.Grow(t, n)[:old+n]
	if incomplete {
		for i := range t[old:] {
			t[old+i] = special
		}
	}
	return t
}
