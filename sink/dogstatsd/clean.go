package dogstatsd

import "unicode/utf8"

// place is a part of a line. DogStatsD cannot escape separators, so they are replaced
// with underscores, as are control characters in all places. Invalid UTF-8 becomes
// U+FFFD. Newlines in a message become \n, two characters, which the agent converts
// back.
type place uint8

const (
	inName    place = 1 << iota // ends at a colon
	inKey                       // ends at a colon
	inValue                     // ends at a comma
	inMessage                   // ends with the line

	everywhere = inName | inKey | inValue | inMessage
)

// notPlain has, for each byte, the places where it may need replacement.
var notPlain = func() (bad [256]place) {
	for c := range bad {
		if c < ' ' || c == '|' || c >= utf8.RuneSelf {
			bad[c] = everywhere
		}
	}
	bad[':'] = inName | inKey
	bad[','] = inKey | inValue
	return bad
}()

// appendClean appends s, cleaned for a place of a line.
func appendClean(dst []byte, s string, in place) []byte {
	if isPlain(s) || isPlainIn(s, in) {
		return append(dst, s...)
	}
	return appendReplaced(dst, s, in)
}

// isPlainIn reports whether s can be appended unchanged in a place.
func isPlainIn(s string, in place) bool {
	for i := range len(s) {
		if notPlain[s[i]]&in != 0 {
			return false
		}
	}
	return true
}

// isPlain reports whether s can be appended unchanged anywhere. It checks eight bytes
// at a time: nearly all text passes here, and encoding takes a sixth longer with
// isPlainIn alone.
func isPlain(s string) bool {
	const (
		eight = 8
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	if len(s) < eight {
		return isPlainIn(s, everywhere)
	}
	for i := 0; i < len(s); i += eight {
		w := word(s[min(i, len(s)-eight):]) // the last two words may overlap
		// A byte is 0 exactly if subtracting 1 sets its highest bit and that was clear
		// before.
		bar, colon, comma := w^('|'*ones), w^(':'*ones), w^(','*ones)
		notASCII, control := w, w-' '*ones
		if (notASCII|control|(bar-ones)&^bar|(colon-ones)&^colon|(comma-ones)&^comma)&highs != 0 {
			return false
		}
	}
	return true
}

// word returns the first eight bytes of s as a number.
func word(s string) uint64 {
	return uint64(s[7])<<56 | uint64(s[6])<<48 | uint64(s[5])<<40 | uint64(s[4])<<32 |
		uint64(s[3])<<24 | uint64(s[2])<<16 | uint64(s[1])<<8 | uint64(s[0])
}

func appendReplaced(dst []byte, s string, in place) []byte {
	for _, r := range s {
		switch {
		case r == '\n' && in == inMessage:
			dst = append(dst, '\\', 'n')
		case r < utf8.RuneSelf && notPlain[r]&in != 0:
			dst = append(dst, '_')
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
