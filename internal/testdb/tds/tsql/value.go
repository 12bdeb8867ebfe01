package tsql

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// value is what a variable holds: PostgreSQL's text of it.
type value struct {
	tds.Type
	text string
	null bool
}

// literal is the value with its type, for PostgreSQL.
func (v value) literal() string {
	if v.null {
		return "null::" + pgType(v.Type)
	}
	if v.Kind == tds.Int && !strings.HasPrefix(v.text, "-") {
		return v.text
	}
	return literal(v.text) + "::" + pgType(v.Type)
}

func intValue(n int64) value {
	return value{Type: tds.Type{Kind: tds.Int}, text: strconv.FormatInt(n, 10)}
}

func stringValue(s string) value {
	return value{Type: tds.Type{Kind: tds.NVarChar, Size: tds.Max}, text: s}
}

// unixEpoch is 1970-01-01 in units of 100 ns since 0001-01-01 (support/04_time.sql).
const unixEpoch = 621355968000000000

func ticks(t time.Time) int64 { return t.Unix()*10_000_000 + int64(t.Nanosecond()/100) + unixEpoch }

func fromTicks(n int64) time.Time {
	n -= unixEpoch
	seconds := n / 10_000_000
	return time.Unix(seconds, (n-seconds*10_000_000)*100).UTC()
}

// encode gives PostgreSQL's text of a parameter.
func encode(t tds.Type, v any) (value, error) {
	out := value{Type: t}
	switch v := v.(type) {
	case nil:
		out.null = true
	case bool:
		out.text = strconv.FormatBool(v)
	case int64:
		out.text = strconv.FormatInt(v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return out, fail(8023, 1, 16, "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is "+
				"incorrect. The supplied value is not a valid instance of data type float. Check the source data for invalid values.")
		}
		out.text = strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		if strings.ContainsRune(v, 0) {
			return out, unknown(0, "a string with U+0000, which PostgreSQL cannot hold")
		}
		out.text = v
	case []byte:
		out.text = `\x` + hex.EncodeToString(v)
	case [16]byte:
		out.text = uuid.UUID(v).String()
	case time.Time:
		out.text = encodeTime(t.Kind, v)
	default:
		return out, fmt.Errorf("a parameter of the Go type %T", v)
	}
	return out, nil
}

func encodeTime(k tds.Kind, t time.Time) string {
	switch k {
	case tds.Date:
		return t.Format("2006-01-02")
	case tds.Time:
		return strconv.FormatInt(ticks(time.Date(1, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)), 10)
	case tds.DateTimeOffset:
		_, seconds := t.Zone()
		blanks := 2 * (seconds / 60)
		if blanks < 0 {
			blanks = -blanks - 1
		}
		return fmt.Sprintf("%019d", ticks(t)) + strings.Repeat(" ", blanks)
	}
	return strconv.FormatInt(ticks(t), 10)
}

// decode turns PostgreSQL's text of a column of a result into the value for the client.
func decode(t tds.Type, text []byte) (any, error) {
	if text == nil {
		return nil, nil
	}
	s := string(text)
	switch t.Kind {
	case tds.Bit:
		return s == "t" || s == "true", nil
	case tds.TinyInt, tds.SmallInt, tds.Int, tds.BigInt:
		return strconv.ParseInt(s, 10, 64)
	case tds.Real, tds.Float:
		return strconv.ParseFloat(s, 64)
	case tds.Decimal:
		return withScale(s, int(t.Scale)), nil
	case tds.Money:
		return withScale(s, 4), nil
	case tds.Binary, tds.VarBinary:
		return hex.DecodeString(strings.TrimPrefix(s, `\x`))
	case tds.UniqueIdentifier:
		id, err := uuid.Parse(s)
		return [16]byte(id), err
	case tds.Date:
		return time.Parse("2006-01-02", s)
	case tds.Time, tds.SmallDateTime, tds.DateTime, tds.DateTime2:
		n, err := strconv.ParseInt(s, 10, 64)
		return fromTicks(n), err
	case tds.DateTimeOffset:
		return decodeOffset(s)
	}
	return s, nil
}

func decodeOffset(s string) (any, error) {
	digits := strings.TrimRight(s, " ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, err
	}
	blanks := len(s) - len(digits)
	minutes := blanks / 2
	if blanks%2 == 1 {
		minutes = -(blanks + 1) / 2
	}
	return fromTicks(n).In(time.FixedZone("", minutes*60)), nil
}

// withScale writes a number with so many digits after the point; PostgreSQL may have given fewer of an expression.
func withScale(s string, scale int) string {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(fraction) > scale {
		fraction = fraction[:scale]
	}
	fraction += strings.Repeat("0", scale-len(fraction))
	if scale == 0 {
		return whole
	}
	return whole + "." + fraction
}

// scaleOf is how many digits a number has after the point.
func scaleOf(text []byte) int {
	_, fraction, _ := strings.Cut(string(text), ".")
	return len(fraction)
}
