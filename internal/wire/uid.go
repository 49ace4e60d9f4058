package wire

// The numbers of the fields that lead to the UID, which are the same for all kinds.
const (
	objectMetadata = 1
	metadataUID    = 5
)

// UID returns the metadata.uid of an encoded object, empty if it has none. It refers to
// the memory of object, and allocates nothing.
func UID(object []byte) []byte { return last(last(object, objectMetadata), metadataUID) }

// last returns the content of the last field with a number, as decoders do, as far as the
// message is well-formed.
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
