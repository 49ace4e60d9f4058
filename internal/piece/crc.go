package piece

// The CRC-32 of gzip is the remainder of a polynomial over GF(2). Appending n bytes
// multiplies the polynomial by x^(8n), so the checksum of a concatenation follows from
// those of its parts: crc(a+b) = crc(a)·x^(8·len(b)) + crc(b). As in package hash/crc32,
// the coefficient of x^0 is in the highest bit.

const (
	polynomial = 0xedb88320 // x^32 modulo the polynomial of hash/crc32.IEEE
	one        = 1 << 31    // x^0
)

// multiply returns the product of two polynomials.
func multiply(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31)
		b = b>>1 ^ polynomial&-(b&1)
	}
	return product
}

// power returns x^(8n).
func power(n int) uint32 {
	result := uint32(one)
	for square := uint32(1) << 23; n > 0; n >>= 1 { // x^8, x^16, x^32 …
		if n&1 == 1 {
			result = multiply(square, result)
		}
		square = multiply(square, square)
	}
	return result
}

// join returns the checksum of a text from those of its beginning and its rest, and the
// power of the rest's length.
func join(beginning, rest, power uint32) uint32 { return multiply(power, beginning) ^ rest }
