package customresource

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	apiresource "k8s.io/apimachinery/pkg/api/resource"
)

// Bounds of a number in an object: a quantity with a large exponent takes hours.
const (
	maxNumber   = 64 // characters
	maxExponent = 999
)

var errNotANumber = errors.New("must be a number, quantity, percentage, RFC 3339 time or boolean")

// toNumber converts a value of an object to a number: booleans are 1 and 0, words as
// strings are, times are Unix seconds, quantities are their amount, percentages are
// divided by 100.
func toNumber(v any) (float64, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		switch strings.ToLower(v) {
		case "true", "yes":
			return 1, nil
		case "false", "no", "unknown":
			return 0, nil
		}
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return float64(t.Unix()), nil
		}
		return parseNumber(v)
	case nil:
		return 0, errors.New("no value")
	default:
		return 0, fmt.Errorf("invalid value %s: %w", quote(v), errNotANumber)
	}
}

// parseNumber reads a quantity, a percentage or a floating-point number.
func parseNumber(text string) (float64, error) {
	if len(text) > maxNumber || exponent(text) > maxExponent {
		return 0, fmt.Errorf("invalid number %s: at most %d characters and an exponent of %d are allowed", quote(text), maxNumber, maxExponent)
	}
	if q, err := apiresource.ParseQuantity(text); err == nil {
		return q.AsApproximateFloat64(), nil
	}
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return float64(n) / 100, nil
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid value %s: %w", quote(text), errNotANumber)
	}
	return n, nil
}

// exponent returns the absolute decimal exponent of a number; 0 if it has none.
func exponent(text string) int {
	i := strings.LastIndexAny(text, "eE")
	if i < 0 {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimLeft(text[i+1:], "+-"))
	if errors.Is(err, strconv.ErrRange) {
		return maxExponent + 1
	}
	return n
}
