package exposition

import "bytes"

// AppendLabel appends a label to the tail of a line: a comma, the name, and the value,
// escaped and quoted. The name is not validated.
func AppendLabel(dst []byte, name, value string) []byte {
	return appendValue(append(append(append(dst, ','), name...), `="`...), value)
}

// ReplaceTail appends lines of a Writer to dst with their tail from replaced with to. A
// line without that tail is appended unchanged. It allocates only if dst lacks
// capacity.
func ReplaceTail(dst, lines, from, to []byte) []byte {
	for line := range bytes.Lines(lines) {
		// The last brace ends the labels; the value after it has none.
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
