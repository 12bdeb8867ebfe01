package tds

import (
	"encoding/hex"
	"errors"
	"reflect"
	"testing"
	"time"
)

// TestWireTypes reads TYPE_INFOs with values that go-mssqldb does not send.
func TestWireTypes(t *testing.T) {
	for _, c := range []struct {
		wire    string
		typ     Type
		value   any
		refused int32
	}{
		{wire: "1f", typ: Type{Kind: NVarChar, Size: 1}},
		{wire: "30ff", typ: Type{Kind: TinyInt}, value: int64(255)},
		{wire: "3201", typ: Type{Kind: Bit}, value: true},
		{wire: "7affffffff", typ: Type{Kind: Money}, value: "-0.0001"},
		{wire: "3cffffffffffffffff", typ: Type{Kind: Money}, value: "-0.0001"},
		{wire: "6e0404d2040000", typ: Type{Kind: Money}, value: "0.1234"},
		{wire: "6e0800", typ: Type{Kind: Money}},
		{wire: "3a01003b00", typ: Type{Kind: SmallDateTime}, value: time.Date(1900, 1, 2, 0, 59, 0, 0, time.UTC)},
		{wire: "6f040401003b00", typ: Type{Kind: SmallDateTime}, value: time.Date(1900, 1, 2, 0, 59, 0, 0, time.UTC)},
		{wire: "6a05090205007b000000", typ: Type{Kind: Decimal, Precision: 9, Scale: 2}, value: "-1.23"},
		{wire: "6c05090005017b000000", typ: Type{Kind: Decimal, Precision: 9}, value: "123"},
		{wire: "af02000904d000000200806f", typ: Type{Kind: Char, Size: 2}, value: "€o"},
		{wire: "efffff0904d00000feffffffffffffff" + "02000000" + "6100" + "02000000" + "6200" + "00000000", typ: Type{Kind: NVarChar, Size: Max}, value: "ab"},
		{wire: "a5ffff" + "0100000000000000" + "01000000" + "ff" + "00000000", typ: Type{Kind: VarBinary, Size: Max}, value: []byte{255}},
		{wire: "a5ffff" + "ffffffffffffffff", typ: Type{Kind: VarBinary, Size: Max}},

		{wire: "a5ffff" + "0200000000000000" + "01000000" + "ff" + "00000000", refused: errStream},
		{wire: "6d0300", refused: errDataType},
		{wire: "6a05270000", refused: errDataType},
		{wire: "2a0800", refused: errDataType},
		{wire: "ef41200904d00000ffff", refused: errDataType}, // more than 8000 bytes
		{wire: "62", refused: errDataType},
		{wire: "00", refused: errDataType},
		{wire: "", refused: errStream},
		{wire: "260402ffff", refused: errValue},
		{wire: "6a0509020501ffffffff", refused: errValue}, // ten digits
		{wire: "290003ffffff", refused: errValue},         // more than a day
		{wire: "3a0000ffff", refused: errValue},
		{wire: "2b0008" + "000000" + "000000" + "4903", refused: errValue}, // 14:01
		{wire: "ef02000904d00000010061", refused: errValue},                // half a character
		{wire: "ad01000200ffff", refused: errValue},
		{wire: "2604040000", refused: errStream},
	} {
		wire, err := hex.DecodeString(c.wire)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{b: wire}
		typ := r.readType()
		value := r.readValue(typ)
		var got int32
		var refused *refusal
		if errors.As(r.err, &refused) {
			got = refused.message.Number
		}
		switch {
		case got != c.refused:
			t.Errorf("%s: %v, want %d", c.wire, r.err, c.refused)
		case c.refused == 0 && (typ.Type != c.typ || !reflect.DeepEqual(value, c.value) || r.more()):
			t.Errorf("%s is %v of %+v, want %v of %+v", c.wire, value, typ.Type, c.value, c.typ)
		}
	}
}

func TestBulkTable(t *testing.T) {
	for batch, want := range map[string]string{
		"INSERT BULK t (a int)":                      "t",
		" insert  bulk [d].[a ]](b].t(a int)":        "[d].[a ]](b].t",
		"INSERT BULK dbo.[my table] ([a] int) WITH(": "dbo.[my table]",
		"INSERT INTO bulk VALUES (1)":                "",
	} {
		if got := bulkTable(batch); got != want {
			t.Errorf("the table of %q is %q", batch, got)
		}
	}
}
