package dualsql

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// journalValues are values of every kind that an intent holds, and the edges of each.
func journalValues() []any {
	return []any{
		nil, false, true,
		int64(0), int64(-1), int64(math.MinInt64), int64(math.MaxInt64),
		0.0, math.Copysign(0, -1), 1.5, math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64,
		"", "x", "\x00é\xff'", strings.Repeat("long ", 1<<16),
		[]byte{}, []byte{0}, bytes.Repeat([]byte{0xff}, 1<<20),
		time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.UTC),
		time.Date(2024, 2, 29, 12, 30, 0, 0, time.FixedZone("CET", 3600)),
		time.Date(2024, 2, 29, 12, 30, 0, 0, time.FixedZone("", -34200)),
		time.Date(2024, 2, 29, 12, 30, 0, 0, time.FixedZone("UTC", 3600)),
		time.Date(2024, 2, 29, 12, 30, 0, 0, time.FixedZone("GMT", 0)),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-4712, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		pgx.QueryExecModeSimpleProtocol,
	}
}

// roundTrip writes values as the arguments of one statement and reads them back.
func roundTrip(t *testing.T, key []byte, values ...any) []any {
	t.Helper()
	aead, err := newAEAD(key)
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{aead: aead}
	in := &intent{txid: uuid.New(), protocol: Marker, pair: uuid.New(), sides: [2]string{"a", "b"}, at: now(), redo: []redoStatement{{text: "x", rows: 3, query: true}}}
	for i, v := range values {
		in.redo[0].args = append(in.redo[0].args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	payload, err := j.encode(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.decode(in.txid, payload)
	if err != nil {
		t.Fatal(err)
	}
	if out.protocol != in.protocol || out.pair != in.pair || out.sides != in.sides || !out.at.Equal(in.at) || len(out.redo) != 1 ||
		out.redo[0].text != "x" || out.redo[0].rows != 3 || !out.redo[0].query {
		t.Fatalf("wrote %+v, read %+v", in, out)
	}
	var got []any
	for i, a := range out.redo[0].args {
		if a.Ordinal != i+1 || a.Name != "" {
			t.Errorf("argument %d came back as %+v", i+1, a)
		}
		got = append(got, a.Value)
	}
	return got
}

// TestValues: each value comes back as it was, of its own type.
func TestValues(t *testing.T) {
	for name, key := range map[string][]byte{"in the clear": nil, "encrypted": bytes.Repeat([]byte{7}, 32)} {
		t.Run(name, func(t *testing.T) {
			values := journalValues()
			for i, got := range roundTrip(t, key, values...) {
				if !sameValue(values[i], got) {
					t.Errorf("%T %.80v came back as %T %.80v", values[i], values[i], got, got)
				}
			}
		})
	}
}

// sameValue compares what the databases would get: a time's zone and its name count, a float's every bit does.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case float64:
		f, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(f)
	case time.Time:
		u, ok := b.(time.Time)
		if !ok {
			return false
		}
		zone, offset := a.Zone()
		otherZone, otherOffset := u.Zone()
		return a.Equal(u) && zone == otherZone && offset == otherOffset && a.String() == u.String()
	}
	return reflect.DeepEqual(a, b)
}

// TestNaN: a NaN keeps its payload.
func TestNaN(t *testing.T) {
	for _, bits := range []uint64{math.Float64bits(math.NaN()), 0x7ff8000000000abc, 0xfff8000000000001} {
		got := roundTrip(t, nil, math.Float64frombits(bits))[0].(float64)
		if math.Float64bits(got) != bits {
			t.Errorf("NaN %x came back as %x", bits, math.Float64bits(got))
		}
	}
}

// TestForeignValue: what has no form in the journal is an error before anything is written.
func TestForeignValue(t *testing.T) {
	type named string
	for _, v := range []any{int(1), uint64(1), float32(1), named("x"), []string{"x"}, struct{}{}, new(string)} {
		if _, err := appendValue(nil, v); err == nil || !strings.Contains(err.Error(), "cannot be written to the journal") {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestSize: what is counted against journal.redo_limit while a transaction runs is never less than what is written, but for
// the parts that do not grow with it.
func TestSize(t *testing.T) {
	for _, v := range journalValues() {
		s := redoStatement{text: "insert into t values (?)", rows: 1, args: []driver.NamedValue{{Name: "v", Value: v}}}
		in := intent{redo: []redoStatement{s}}
		body, err := in.appendBody(nil)
		if err != nil {
			t.Fatal(err)
		}
		if grown := int64(len(body)); grown > s.size()+24 {
			t.Errorf("%T: counted %d bytes, written %d", v, s.size(), grown)
		}
	}
}

// TestSealed: an encrypted intent tells its head without the key, its statements only with the right one, and belongs to
// its transaction.
func TestSealed(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 16)
	aead, err := newAEAD(key)
	if err != nil {
		t.Fatal(err)
	}
	in := &intent{txid: uuid.New(), protocol: Marker, sides: [2]string{"a", "b"}, redo: []redoStatement{{text: "insert secret"}}}
	sealed, err := (&journal{aead: aead}).encode(in)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("the statement is in the clear")
	}
	out, err := new(journal).decode(in.txid, sealed)
	if err == nil || !strings.Contains(err.Error(), "set journal.key") || out.sides != in.sides || out.redo != nil {
		t.Errorf("without the key: %+v, %v", out, err)
	}
	other, err := newAEAD(bytes.Repeat([]byte{2}, 16))
	if err != nil {
		t.Fatal(err)
	}
	const wrong = "journal.key is not the one"
	if _, err := (&journal{aead: other}).decode(in.txid, sealed); err == nil || !strings.Contains(err.Error(), wrong) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := (&journal{aead: aead}).decode(uuid.New(), sealed); err == nil || !strings.Contains(err.Error(), wrong) {
		t.Errorf("under another transaction's id: %v", err)
	}
	for n := range sealed {
		if _, err := (&journal{aead: aead}).decode(in.txid, sealed[:n]); err == nil {
			t.Errorf("cut at %d of %d bytes it is read", n, len(sealed))
		}
	}
}

// FuzzIntent: no bytes make the reader panic or take memory out of proportion, and what it reads is what it would write.
func FuzzIntent(f *testing.F) {
	in := &intent{protocol: BestEffort, pair: uuid.New(), sides: [2]string{"a", "b"}, at: time.Unix(1, 2)}
	for _, v := range journalValues() {
		if s, ok := v.(string); ok && len(s) > 100 {
			continue
		}
		if b, ok := v.([]byte); ok && len(b) > 100 {
			continue
		}
		in.redo = append(in.redo, redoStatement{text: "insert", rows: -1, query: true, args: []driver.NamedValue{{Name: "n", Ordinal: 1, Value: v}}})
		one := *in
		one.redo = in.redo[len(in.redo)-1:]
		if b, err := new(journal).encode(&one); err == nil {
			f.Add(b)
		}
	}
	whole, err := new(journal).encode(in)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Add(binary.AppendUvarint([]byte{0}, math.MaxUint64)) // a length that no int holds
	f.Add(append(new(intent).appendHead([]byte{0}), binary.AppendUvarint(nil, math.MaxUint64)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := new(journal).decode(uuid.Nil, b)
		if err != nil {
			return
		}
		written, err := new(journal).encode(first)
		if err != nil {
			t.Fatalf("read and not to be written: %v", err)
		}
		second, err := new(journal).decode(uuid.Nil, written)
		if err != nil {
			t.Fatalf("written and not to be read: %v", err)
		}
		if first.protocol != second.protocol || first.pair != second.pair || first.sides != second.sides || !first.at.Equal(second.at) || len(first.redo) != len(second.redo) {
			t.Fatalf("first  %+v\nsecond %+v", first, second)
		}
		for i, s := range first.redo {
			o := second.redo[i]
			if s.text != o.text || s.rows != o.rows || s.query != o.query || len(s.args) != len(o.args) {
				t.Fatalf("first  %+v\nsecond %+v", s, o)
			}
			for k := range s.args {
				if s.args[k].Name != o.args[k].Name || !sameValue(s.args[k].Value, o.args[k].Value) {
					t.Fatalf("first  %+v\nsecond %+v", s.args[k], o.args[k])
				}
			}
		}
	})
}
