package customresource

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// Bounds of an expression.
const (
	// maxCost is in units of the CEL specification: about a tenth of a microsecond
	// each.
	maxCost       = 100_000
	maxExpression = 16 << 10
	maxElements   = 100_000 // of lists and mappings that an expression returns
)

// The variables of an expression.
const (
	objectVariable = "o"     // the custom resource
	valueVariable  = "value" // what a path would be applied to
)

// expression is a compiled CEL expression. It is safe for concurrent use.
type expression struct {
	program cel.Program
}

// environment is made once: it takes milliseconds.
var environment = sync.OnceValues(func() (*cel.Env, error) { //nolint:gochecknoglobals // never changed
	return cel.NewEnv(
		cel.Variable(objectVariable, cel.DynType), cel.Variable(valueVariable, cel.DynType),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), numberFunction("quantity"), numberFunction("unixSeconds"),
		ext.Strings(), ext.Math(), ext.Lists(), ext.Sets(), ext.Encoders(),
	)
})

// numberFunction is a function of a string that returns a number as a path would make
// it: of a quantity, a percentage, a time.
func numberFunction(name string) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_string", []*cel.Type{cel.StringType}, cel.DoubleType,
		cel.UnaryBinding(func(v ref.Val) ref.Val {
			text, _ := v.(types.String)
			if text == "" {
				return types.Double(0)
			}
			n, err := toNumber(string(text))
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Double(n)
		})))
}

// compileCEL compiles an expression.
func compileCEL(text string) (*expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("invalid CEL expression of %d bytes: at most %d are allowed", len(text), maxExpression)
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if errs := issues.Errors(); len(errs) > 0 {
		e := errs[0]                                            // the cause of the others
		message, _, _ := strings.Cut(e.Message, " expecting {") // a list of all tokens
		return nil, fmt.Errorf("invalid CEL expression, line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, message)
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("invalid CEL expression: %w", err)
	}
	return &expression{program}, nil
}

// eval evaluates the expression. A field that is absent is nothing, as in a path.
func (x *expression) eval(object map[string]any, value any) (any, error) {
	out, _, err := x.program.Eval(map[string]any{objectVariable: object, valueVariable: value})
	if err != nil {
		if strings.HasPrefix(err.Error(), "no such key: ") || strings.HasPrefix(err.Error(), "index out of bounds: ") {
			return nil, nil //nolint:nilnil // nothing
		}
		return nil, err
	}
	budget := maxElements
	return native(out, &budget), nil
}

// native converts a value of CEL to one of those that an object has. What is none of
// them is nothing.
func native(v ref.Val, budget *int) any {
	if *budget--; *budget < 0 {
		return nil
	}
	switch v := v.(type) {
	case types.Bool:
		return bool(v)
	case types.Int:
		return int64(v)
	case types.Uint:
		return float64(v)
	case types.Double:
		return float64(v)
	case types.String:
		return string(v)
	case types.Timestamp:
		return v.Format(time.RFC3339)
	case types.Duration:
		return v.Seconds()
	case *types.Optional:
		if v.HasValue() {
			return native(v.GetValue(), budget)
		}
	case traits.Mapper:
		m := map[string]any{}
		for i := v.Iterator(); i.HasNext() == types.True; {
			key := i.Next()
			if name, ok := key.(types.String); ok {
				m[string(name)] = native(v.Get(key), budget)
			}
		}
		return m
	case traits.Lister:
		list := []any{}
		for i := v.Iterator(); i.HasNext() == types.True; {
			list = append(list, native(i.Next(), budget))
		}
		return list
	}
	return nil
}
