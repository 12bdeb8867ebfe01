package dualsql

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

type countingValuer struct{ calls *int }

func (v countingValuer) Value() (driver.Value, error) { *v.calls++; return int64(*v.calls), nil }

type valueValuer struct{}

func (valueValuer) Value() (driver.Value, error) { return "v", nil }

type brokenValuer struct{ err error }

func (v brokenValuer) Value() (driver.Value, error) { return nil, v.err }

type namedString string

// TestResolve: what both sides get for what the caller passes, and whether it can still change in the caller's hands.
func TestResolve(t *testing.T) {
	s, n, when := "x", 7, time.Now()
	for _, c := range []struct {
		rule  string
		in    any
		want  any
		plain bool
	}{
		{"nil is NULL", nil, nil, true},
		{"a nil []byte is NULL", []byte(nil), []byte(nil), true},
		{"an empty []byte is not NULL", []byte{}, []byte{}, true},
		{"integers become int64", int32(-3), int64(-3), true},
		{"so does an uint64 that fits", uint64(math.MaxInt64), int64(math.MaxInt64), true},
		{"one that does not is left to the sides", uint64(math.MaxUint64), uint64(math.MaxUint64), false},
		{"so is one of type uint", uint(math.MaxUint64), uint(math.MaxUint64), false},
		{"pointers are followed", &s, "x", true},
		{"pointers to int as well", &n, int64(7), true},
		{"a nil pointer is NULL", (*string)(nil), nil, true},
		{"a time loses its monotonic clock reading", when, when.Round(0), true},
		{"a Valuer gives its value", valueValuer{}, "v", true},
		{"a pointer to a Valuer too", &valueValuer{}, "v", true},
		{"a nil pointer to a Valuer is NULL", (*valueValuer)(nil), nil, true},
		{"named types are left to the sides", namedString("x"), namedString("x"), false},
		{"slices are left to the sides", []int{1}, []int{1}, false},
		{"pgx's leading option is passed on", pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeSimpleProtocol, true},
	} {
		out, plain, err := resolve([]driver.NamedValue{{Ordinal: 1, Value: c.in}})
		if err != nil || plain != c.plain || !reflect.DeepEqual(out[0].Value, c.want) {
			t.Errorf("%s: got %#v, plain %v, %v; want %#v, plain %v", c.rule, out[0].Value, plain, err, c.want, c.plain)
		}
	}
}

// TestResolveOnce: a Valuer that gives another value each time is asked once, for both sides.
func TestResolveOnce(t *testing.T) {
	calls := 0
	out, _, err := resolve([]driver.NamedValue{{Ordinal: 1, Name: "n", Value: countingValuer{&calls}}})
	if err != nil || calls != 1 || out[0].Value != int64(1) || out[0].Name != "n" {
		t.Errorf("%d calls, %+v, %v", calls, out, err)
	}
	failure := errors.New("no value")
	if _, _, err := resolve([]driver.NamedValue{{Ordinal: 1, Value: brokenValuer{failure}}}); !errors.Is(err, failure) {
		t.Errorf("a Valuer's error: %v", err)
	}
}

// TestResolveCopies: the lane may send a []byte after the caller has written over it.
func TestResolveCopies(t *testing.T) {
	b := []byte("before")
	args := []driver.NamedValue{{Ordinal: 1, Value: b}}
	out, _, err := resolve(args)
	if err != nil {
		t.Fatal(err)
	}
	copy(b, "after!")
	if !bytes.Equal(out[0].Value.([]byte), []byte("before")) {
		t.Errorf("got %q", out[0].Value)
	}
	if &out[0] == &args[0] {
		t.Error("the caller's arguments are changed in place")
	}
}
