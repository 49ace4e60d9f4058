package customresource

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxQuoted bounds what a message quotes of an object.
const maxQuoted = 100

// text formats a value as the value of a label, as kube-state-metrics does: strings as
// they are, numbers in Go's shortest form, mappings as map[a:1 b:2] and lists as
// [1 2], with null for nothing.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendText(nil, v))
}

func appendText(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case map[string]any:
		b = append(b, "map["...)
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(append(b, key...), ':')
			b = appendText(b, v[key])
		}
		return append(b, ']')
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendText(b, element)
		}
		return append(b, ']')
	default:
		return append(b, "null"...)
	}
}

// quote quotes the beginning of a value in a message.
func quote(v any) string {
	s := text(v)
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return strconv.Quote(s)
}
