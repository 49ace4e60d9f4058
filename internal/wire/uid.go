package wire

// Field numbers on the path to the UID, which are the same for all kinds.
const (
	objectMetadata = 1
	metadataUID    = 5
)

// UID returns the metadata.uid of an encoded object, or nothing if it has none. It is a
// slice of object; nothing is allocated.
func UID(object []byte) []byte { return last(last(object, objectMetadata), metadataUID) }

// last returns the content of the last field with a number, as decoders do, up to the
// first malformed field.
func last(message []byte, number int32) (content []byte) {
	for len(message) > 0 {
		v, ok := parse(message)
		if !ok {
			break
		}
		if v.number == number && v.wireType == typeBytes {
			content = message[v.start:v.end]
		}
		message = message[v.end:]
	}
	return content
}
