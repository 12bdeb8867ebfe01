package dualsql_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

type (
	namedInt    int
	namedString string
	namedFloat  float64
	namedBool   bool
	namedBytes  []byte
)

// ticket is a driver.Valuer that gives another value each time that it is asked.
type ticket struct{ n int64 }

func (t *ticket) Value() (driver.Value, error) {
	t.n++
	return t.n, nil
}

// badValuer fails.
type badValuer struct{}

func (badValuer) Value() (driver.Value, error) { return nil, fmt.Errorf("no value") }

func diffConstant(v any) diffValue { return func() any { return v } }

func diffPointer[T any](v T) diffValue { return func() any { c := v; return &c } }

// diffOneOf returns one of its arguments.
func diffOneOf[T any](g *diffGenerator, choices ...T) T { return choices[g.r.IntN(len(choices))] }

// integer writes n down in one of Go's ways.
func (g *diffGenerator) integer(n int64) diffValue {
	choices := []diffValue{diffConstant(n), diffConstant(n), diffConstant(n), diffConstant(int(n)), diffConstant(namedInt(n)), diffPointer(n), diffPointer(int(n)),
		diffConstant(sql.NullInt64{Int64: n, Valid: true}), diffConstant(sql.Null[int64]{V: n, Valid: true}),
		func() any { return &ticket{n: n - 1} }}
	if n == int64(int8(n)) {
		choices = append(choices, diffConstant(int8(n)), diffConstant(int16(n)), diffConstant(int32(n)), diffPointer(int16(n)), diffPointer(int32(n)))
	}
	if n >= 0 && n < 256 {
		choices = append(choices, diffConstant(uint8(n)), diffConstant(uint16(n)), diffConstant(uint32(n)), diffConstant(uint(n)), diffConstant(uint64(n)))
	}
	return diffOneOf(g, choices...)
}

func (g *diffGenerator) null() diffValue {
	return diffOneOf(g, diffConstant(nil), diffConstant(nil), diffConstant((*string)(nil)), diffConstant(sql.NullString{}), diffConstant((*sql.NullString)(nil)), diffConstant((*time.Time)(nil)))
}

func (g *diffGenerator) text() diffValue {
	s := diffOneOf(g, "", "x", "it's", "?", "$1 @p1", "ünï¢ode ☃", "line\nbreak", "\\", "a longer text, to be on the safe side: "+fmt.Sprint(g.r.IntN(1000)))
	return diffOneOf(g, diffConstant(s), diffConstant(s), diffConstant(namedString(s)), diffPointer(s), diffConstant(sql.NullString{String: s, Valid: true}),
		diffConstant(sql.Null[string]{V: s, Valid: true}))
}

func (g *diffGenerator) bytes() diffValue {
	n := g.r.IntN(12)
	make := func() []byte {
		b := []byte{}
		for i := range n {
			b = append(b, byte(i*37))
		}
		return b
	}
	if g.kind.primary == sqliteDialect || g.kind.secondary == sqliteDialect {
		return func() any { return make() }
	}
	return diffOneOf[diffValue](g, func() any { return make() }, func() any { return make() }, func() any { return namedBytes(make()) })
}

func (g *diffGenerator) float() diffValue {
	f := diffOneOf(g, 0.0, 1.5, -2.25, 1e-300, 1e300, float64(g.r.IntN(1000))/8)
	choices := []diffValue{diffConstant(f), diffConstant(f), diffConstant(namedFloat(f)), diffPointer(f), diffConstant(sql.NullFloat64{Float64: f, Valid: true})}
	if math.Abs(f) < 1e10 && f == float64(float32(f)) {
		choices = append(choices, diffConstant(float32(f)))
	}
	return diffOneOf(g, choices...)
}

func (g *diffGenerator) boolean() diffValue {
	b := g.r.IntN(2) == 0
	return diffOneOf(g, diffConstant(b), diffConstant(b), diffConstant(namedBool(b)), diffPointer(b), diffConstant(sql.NullBool{Bool: b, Valid: true}))
}

func (g *diffGenerator) instant() diffValue {
	at := time.Date(2001+g.r.IntN(30), 2, 3, g.r.IntN(24), 5, 6, 1000*g.r.IntN(1e6), time.UTC)
	if !g.mixed() && g.r.IntN(4) == 0 {
		at = at.In(time.FixedZone("", 5400))
	}
	return diffOneOf(g, diffConstant(at), diffConstant(at), diffPointer(at), diffConstant(sql.NullTime{Time: at, Valid: true}))
}

// odd is an argument of any type at all. What a database makes of one that does not fit may differ between kinds.
func (g *diffGenerator) odd() diffValue {
	return diffOneOf(g, g.text(), g.boolean(), g.float(), g.instant(), g.bytes(), diffConstant(uint64(math.MaxUint64)), diffConstant(badValuer{}),
		diffConstant(struct{ A int }{1}), diffConstant(int64(math.MaxInt64)), diffConstant(math.Inf(1)), diffConstant("12"), diffConstant([]int{1}))
}

// rich is an argument for a column that only PostgreSQL has: tags text[], j jsonb, u uuid, n numeric.
func (g *diffGenerator) rich(column string) diffValue {
	id := uuid.UUID{byte(g.r.IntN(4)), 1: 2, 15: 3}
	switch column {
	case "tags":
		return diffOneOf(g, diffConstant([]string{"a", "b,\"c"}), diffConstant([]string{}), diffConstant("{x,y}"), diffConstant([]string(nil)),
			diffConstant(pgtype.FlatArray[string]{"z"}))
	case "j":
		return diffOneOf(g, diffConstant(`{"b": [1, 2]}`), diffConstant(json.RawMessage(`[null]`)), diffConstant(map[string]any{"k": 1.5}), func() any { return []byte(`"s"`) })
	case "u":
		return diffOneOf(g, diffConstant(id), diffConstant(id.String()), diffConstant(pgtype.UUID{Bytes: id, Valid: true}), diffConstant([16]byte(id)),
			diffConstant(uuid.NullUUID{}))
	}
	return diffOneOf(g, diffConstant("12.50"), diffConstant(pgtype.Numeric{Int: nil, NaN: true, Valid: true}), diffConstant(3), diffConstant(0.125))
}
