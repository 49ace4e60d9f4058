package dogstatsd

import (
	"math"
	"strconv"

	"github.com/kubestate/kubestate/sink"
)

// encoder encodes lines. It caches the text of the last Block, so that a series costs
// copying that text and encoding its own tags. Its methods return memory that the next
// call reuses; once its buffers have grown, it does not allocate. It is not safe for
// concurrent use.
type encoder struct {
	instance  []sink.Tag
	agentHost bool // do not mark series without a host

	block  *sink.Block
	shared []byte // text after the value in all series of block
	tagged bool   // shared already has a tag
	line   []byte
}

// series returns the line of a series, or false if DogStatsD cannot express its value.
func (e *encoder) series(s *sink.Series) (line []byte, ok bool) {
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		return nil, false
	}
	if s.Block != e.block {
		e.enter(s.Block)
	}
	dst := appendClean(e.line[:0], s.Metric.Name, inName)
	dst = append(dst, ':')
	dst = appendValue(dst, s.Value)
	dst = append(dst, e.shared...)
	dst, _ = appendTags(dst, s.Tags, e.tagged)
	e.line = dst
	return dst, true
}

// enter encodes the shared part of the series of a Block.
func (e *encoder) enter(b *sink.Block) {
	e.block = b
	dst := append(e.shared[:0], "|g"...)
	dst, e.tagged = e.appendHost(dst, b)
	dst, e.tagged = appendTags(dst, e.instance, e.tagged)
	dst, e.tagged = appendTags(dst, b.Tags, e.tagged)
	e.shared, e.tagged = appendTags(dst, b.Resource, e.tagged)
}

// check returns the line of a service check: name, status, host, tags, and the
// message, which the protocol wants last.
func (e *encoder) check(c *sink.Check) []byte {
	dst := append(e.line[:0], "_sc|"...)
	dst = appendClean(dst, c.Name, inName)
	dst = append(dst, '|', '0'+byte(min(c.Status, sink.Unknown)))
	tagged := false
	if c.Block.Host != "" {
		dst = append(dst, "|h:"...)
		dst = appendClean(dst, c.Block.Host, inValue)
	} else {
		dst, tagged = e.appendHost(dst, c.Block)
	}
	dst, tagged = appendTags(dst, e.instance, tagged)
	dst, tagged = appendTags(dst, c.Block.Tags, tagged)
	dst, tagged = appendTags(dst, c.Block.Resource, tagged)
	dst, _ = appendTags(dst, c.Tags, tagged)
	if c.Message != "" {
		dst = append(dst, "|m:"...)
		dst = appendClean(dst, c.Message, inMessage)
	}
	e.line = dst
	return dst
}

// appendHost appends the tag that sets the host. An empty tag prevents the agent from
// adding its own host, which is unrelated to a series about the cluster. If a tag is
// already named host, it sets the host.
func (e *encoder) appendHost(dst []byte, b *sink.Block) (_ []byte, tagged bool) {
	if b.Host == "" && e.agentHost {
		return dst, false
	}
	for _, tags := range [][]sink.Tag{e.instance, b.Tags, b.Resource} {
		for i := range tags {
			if tags[i].Key == "host" {
				return dst, false
			}
		}
	}
	dst = append(dst, "|#host:"...)
	return appendClean(dst, b.Host, inValue), true
}

// appendTags appends tags; tagged reports whether the line already has some.
func appendTags(dst []byte, tags []sink.Tag, tagged bool) ([]byte, bool) {
	for i := range tags {
		if tagged {
			dst = append(dst, ',')
		} else {
			dst = append(dst, '|', '#')
			tagged = true
		}
		dst = appendClean(dst, tags[i].Key, inKey)
		dst = append(dst, ':')
		dst = appendClean(dst, tags[i].Value, inValue)
	}
	return dst, tagged
}

// appendValue appends the shortest text that parses as the same number.
func appendValue(dst []byte, v float64) []byte {
	const exact = 1 << 53 // integers up to here are exact
	if i := int64(v); -exact < v && v < exact && float64(i) == v {
		return strconv.AppendInt(dst, i, 10)
	}
	if a := math.Abs(v); a < 1e-6 || a >= 1e21 {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}
