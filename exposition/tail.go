package exposition

import "bytes"

// AppendLabel appends a label to the tail of a line: a comma, the name, and the
// value, escaped and quoted. The name is not checked.
func AppendLabel(dst []byte, name, value string) []byte {
	return appendValue(append(append(append(dst, ','), name...), `="`...), value)
}

// ReplaceTail appends lines of a Writer to dst, with the tail to in place of the
// tail from that they were written with. A line that does not have it stays as it
// is. It allocates only where dst lacks room.
func ReplaceTail(dst, lines, from, to []byte) []byte {
	for line := range bytes.Lines(lines) {
		// The last brace ends the labels: the value that follows has none.
		end := bytes.LastIndexByte(line, '}')
		if end < 0 || !bytes.HasSuffix(line[:end], from) {
			dst = append(dst, line...)
			continue
		}
		dst = append(dst, line[:end-len(from)]...)
		dst = append(append(dst, to...), line[end:]...)
	}
	return dst
}
