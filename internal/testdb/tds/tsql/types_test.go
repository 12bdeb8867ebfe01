package tsql

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// TestTypes stores a value in a column of every type and reads it back, with the type that the client is told.
func TestTypes(t *testing.T) {
	c := login(t, newServer(t))
	for i, r := range []struct {
		declared, value, want string
		typ                   tds.Type
	}{
		{"bit", "1", "true", tds.Type{Kind: tds.Bit}},
		{"bit", "'false'", "false", tds.Type{Kind: tds.Bit}},
		{"bit", "17", "true", tds.Type{Kind: tds.Bit}},
		{"tinyint", "255", "255", tds.Type{Kind: tds.TinyInt}},
		{"tinyint", "256", "error 220", tds.Type{}},
		{"tinyint", "-1", "error 220", tds.Type{}},
		{"smallint", "-32768", "-32768", tds.Type{Kind: tds.SmallInt}},
		{"smallint", "32768", "error 220", tds.Type{}},
		{"int", "2147483647", "2147483647", tds.Type{Kind: tds.Int}},
		{"int", "2147483648", "error 8115", tds.Type{}},
		{"int", "N' 12 '", "12", tds.Type{Kind: tds.Int}},
		{"int", "'12.5'", "error 245", tds.Type{}},
		{"bigint", "9223372036854775807", "9223372036854775807", tds.Type{Kind: tds.BigInt}},
		{"bigint", "'x'", "error 8114", tds.Type{}},
		{"real", "1.5", "1.5", tds.Type{Kind: tds.Real}},
		{"float(53)", "0.1e0", "0.1", tds.Type{Kind: tds.Float}},
		{"float(24)", "1.25", "1.25", tds.Type{Kind: tds.Real}},
		{"float", "'NaN'", "error 8114", tds.Type{}},
		{"decimal(10,2)", "1.005", "1.01", tds.Type{Kind: tds.Decimal, Precision: 10, Scale: 2}},
		{"decimal(5,2)", "1000", "error 8115", tds.Type{}},
		{"numeric", "-12.5", "-13", tds.Type{Kind: tds.Decimal, Precision: 18}},
		{"money", "1.23456", "1.2346", tds.Type{Kind: tds.Money}},
		{"money", "'$1,000.5'", "1000.5000", tds.Type{Kind: tds.Money}},
		{"char(3)", "'a'", "a  ", tds.Type{Kind: tds.Char, Size: 3}},
		{"nchar(3)", "N'é'", "é  ", tds.Type{Kind: tds.NChar, Size: 3}},
		{"varchar(3)", "'a '", "a ", tds.Type{Kind: tds.VarChar, Size: 3}},
		{"varchar(3)", "'abc   '", "abc", tds.Type{Kind: tds.VarChar, Size: 3}},
		{"varchar(3)", "'abcd'", "error 8152", tds.Type{}},
		{"nvarchar(2)", "N'😀'", "😀", tds.Type{Kind: tds.NVarChar, Size: 2}},
		{"nvarchar(2)", "N'😀a'", "error 8152", tds.Type{}},
		{"nvarchar(max)", "N'' + replicate(N'x', 3)", "xxx", tds.Type{Kind: tds.NVarChar, Size: tds.Max}},
		{"varchar(max)", "12", "12", tds.Type{Kind: tds.VarChar, Size: tds.Max}},
		{"text", "'long'", "long", tds.Type{Kind: tds.VarChar, Size: tds.Max}},
		{"sysname", "'name'", "name", tds.Type{Kind: tds.NVarChar, Size: 128}},
		{"binary(3)", "0xAB", "0xAB0000", tds.Type{Kind: tds.Binary, Size: 3}},
		{"varbinary(3)", "0xABC", "0x0ABC", tds.Type{Kind: tds.VarBinary, Size: 3}},
		{"varbinary(2)", "0x010203", "error 8152", tds.Type{}},
		{"varbinary(max)", "0x", "0x", tds.Type{Kind: tds.VarBinary, Size: tds.Max}},
		{"uniqueidentifier", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff8b86d011b42d00c04fc964ff", tds.Type{Kind: tds.UniqueIdentifier}},
		{"uniqueidentifier", "'nothing'", "error 8169", tds.Type{}},
		{"date", "'2024-02-29'", "2024-02-29 00:00:00 +00:00", tds.Type{Kind: tds.Date}},
		{"date", "'2023-02-29'", "error 241", tds.Type{}},
		{"date", "'20240229'", "2024-02-29 00:00:00 +00:00", tds.Type{Kind: tds.Date}},
		{"time(7)", "'23:59:59.1234567'", "0001-01-01 23:59:59.1234567 +00:00", tds.Type{Kind: tds.Time, Scale: 7}},
		{"time(0)", "'12:00:00.5'", "0001-01-01 12:00:01 +00:00", tds.Type{Kind: tds.Time}},
		{"smalldatetime", "'2024-01-01T12:00:31'", "2024-01-01 12:01:00 +00:00", tds.Type{Kind: tds.SmallDateTime}},
		{"datetime", "'2024-01-01T12:00:00.005'", "2024-01-01 12:00:00.0066667 +00:00", tds.Type{Kind: tds.DateTime}},
		{"datetime", "'1700-01-01'", "error 242", tds.Type{}},
		{"datetime2", "'2024-01-01 12:00:00.1234567'", "2024-01-01 12:00:00.1234567 +00:00", tds.Type{Kind: tds.DateTime2, Scale: 7}},
		{"datetime2(3)", "'9999-12-31 23:59:59.9994'", "9999-12-31 23:59:59.999 +00:00", tds.Type{Kind: tds.DateTime2, Scale: 3}},
		{"datetime2", "'0001-01-01'", "0001-01-01 00:00:00 +00:00", tds.Type{Kind: tds.DateTime2, Scale: 7}},
		{"datetimeoffset", "'2024-01-01 12:00:00.1234567 -03:30'", "2024-01-01 12:00:00.1234567 -03:30", tds.Type{Kind: tds.DateTimeOffset, Scale: 7}},
		{"datetimeoffset(0)", "'2024-01-01T12:00:00Z'", "2024-01-01 12:00:00 +00:00", tds.Type{Kind: tds.DateTimeOffset}},
	} {
		table := fmt.Sprintf("t%d", i)
		c.must(fmt.Sprintf("create table %s (v %s null)", table, r.declared))
		want := r.want
		if r.typ != (tds.Type{}) {
			want = "(1) / " + r.want + " / (1)"
		} else {
			want += " / (0)"
		}
		got := c.run(fmt.Sprintf("insert into %s values (%s)", table, r.value))
		got += " / " + c.run("select * from "+table)
		if got != want {
			t.Errorf("%s of %s: got %s, want %s%s", r.declared, r.value, got, want, c.texts())
		}
		if r.typ != (tds.Type{}) && c.columns[0].Type != r.typ {
			t.Errorf("%s is told as %+v", r.declared, c.columns[0].Type)
		}
		if r.typ == (tds.Type{}) {
			continue
		}
		// A parameter of the type is the same as the literal.
		c.check(fmt.Sprintf("declare @v %s = %s; select 'same' from %s where v = @v", r.declared, r.value, table), "same / (1)")
	}
	c.check("create table gone (v rowversion)", "error 50000")
}

// TestParameters passes values as a client does, to columns of the same type and of others ("Data type conversion").
func TestParameters(t *testing.T) {
	c := login(t, newServer(t))
	c.must(`create table t (i int, b bigint, g uniqueidentifier, d datetime2(7), o datetimeoffset, f float, m decimal(9,3), n nvarchar(40),
		x varbinary(10), bit bit, day date, tm time)`)
	p := func(kind tds.Kind, v any) tds.Param {
		typ := tds.Type{Kind: kind}
		switch {
		case lengthy(kind):
			typ.Size = 4000
		case scaled(kind):
			typ.Scale = 7
		case kind == tds.Decimal:
			typ.Precision, typ.Scale = 20, 5
		}
		return tds.Param{Name: "@p", Type: typ, Value: v}
	}
	moment := time.Date(2024, 5, 6, 7, 8, 9, 123456700, time.FixedZone("", -5*3600))
	for _, r := range []struct {
		column string
		param  tds.Param
		want   string
	}{
		{"i", p(tds.Int, int64(-7)), "-7"},
		{"i", p(tds.NVarChar, "12"), "12"},
		{"i", p(tds.BigInt, int64(1)<<40), "error 8115"},
		{"b", p(tds.BigInt, int64(math.MinInt64)), "-9223372036854775808"},
		{"b", p(tds.NVarChar, "9223372036854775807"), "9223372036854775807"},
		{"g", p(tds.UniqueIdentifier, [16]byte{1, 2, 15: 255}), "010200000000000000000000000000ff"},
		{"g", p(tds.NVarChar, "01020000-0000-0000-0000-0000000000FF"), "010200000000000000000000000000ff"},
		{"d", p(tds.DateTimeOffset, moment), "2024-05-06 07:08:09.1234567 +00:00"},
		{"d", p(tds.NVarChar, "2024-05-06T07:08:09.1234567"), "2024-05-06 07:08:09.1234567 +00:00"},
		{"o", p(tds.DateTimeOffset, moment), "2024-05-06 07:08:09.1234567 -05:00"},
		{"o", p(tds.DateTime2, moment.UTC()), "2024-05-06 12:08:09.1234567 +00:00"},
		{"f", p(tds.Float, 1e300), "1e+300"},
		{"f", p(tds.Float, math.Inf(1)), "error 8023"},
		{"f", p(tds.Float, math.NaN()), "error 8023"},
		{"m", p(tds.Decimal, "123456.78901"), "123456.789"},
		{"n", p(tds.NVarChar, "a'b\\c\n--;é😀 "), "a'b\\c\n--;é😀 "},
		{"n", p(tds.NVarChar, nil), "NULL"},
		{"n", p(tds.Int, int64(5)), "5"},
		{"n", p(tds.UniqueIdentifier, [16]byte{0xab}), "AB000000-0000-0000-0000-000000000000"},
		{"x", p(tds.VarBinary, []byte{0, 255}), "0x00FF"},
		{"bit", p(tds.Bit, true), "true"},
		{"bit", p(tds.NVarChar, "false"), "false"},
		{"day", p(tds.DateTimeOffset, moment), "2024-05-06 00:00:00 +00:00"},
		{"tm", p(tds.Time, time.Date(1, 1, 1, 1, 2, 3, 400, time.UTC)), "0001-01-01 01:02:03.0000004 +00:00"},
	} {
		c.must("delete from t")
		got := c.run(fmt.Sprintf("insert into t (%s) values (@p)", r.column), r.param)
		if len(c.messages) == 0 {
			got = c.run("select " + r.column + " from t")
			r.want += " / (1)"
		}
		if got != r.want {
			t.Errorf("%s = %v: got %s, want %s%s", r.column, r.param.Value, got, r.want, c.texts())
		}
	}
	outputs, err := c.session.Batch("set @o = @i + 1; set @s = N'x' + @s", []tds.Param{
		{Name: "@i", Type: tds.Type{Kind: tds.Int}, Value: int64(41)}, {Name: "@o", Type: tds.Type{Kind: tds.BigInt}, Output: true},
		{Name: "@s", Type: tds.Type{Kind: tds.NVarChar, Size: 10}, Value: "y", Output: true}}, c)
	if err != nil || fmt.Sprint(outputs) != "[42 xy]" {
		t.Errorf("output parameters: %v, %v", outputs, err)
	}
}

// TestExpressionTypes: "Data type precedence", and the types of literals ("Constants") and of functions.
func TestExpressionTypes(t *testing.T) {
	c := login(t, newServer(t))
	c.must("create table t (i int, b bigint, y tinyint, m money, n nvarchar(10), v varchar(10), d decimal(10,2)); insert into t values (1, 2, 3, 4, N'5', '6', 7.25)")
	for expression, want := range map[string]struct {
		kind  tds.Kind
		value string
	}{
		"1":                       {tds.Int, "1"},
		"3000000000":              {tds.Decimal, "3000000000"},
		"1.50":                    {tds.Decimal, "1.50"},
		"1e1":                     {tds.Float, "10"},
		"$1.5":                    {tds.Money, "1.5000"},
		"'a'":                     {tds.VarChar, "a"},
		"N'a'":                    {tds.NVarChar, "a"},
		"'a' + N'b'":              {tds.NVarChar, "ab"},
		"'a' + 'b'":               {tds.VarChar, "ab"},
		"null":                    {tds.Int, "NULL"},
		"0xFF":                    {tds.VarBinary, "0xFF"},
		"count(*)":                {tds.Int, "1"},
		"count_big(*)":            {tds.BigInt, "1"},
		"sum(i)":                  {tds.Int, "1"},
		"sum(y)":                  {tds.Int, "3"},
		"sum(b)":                  {tds.BigInt, "2"},
		"sum(d)":                  {tds.Decimal, "7.25"},
		"sum(m)":                  {tds.Money, "4.0000"},
		"avg(i)":                  {tds.Int, "1"},
		"max(n)":                  {tds.NVarChar, "5"},
		"min(i) + '2'":            {tds.Int, "3"},
		"7 / 2":                   {tds.Int, "3"},
		"-7 % 4":                  {tds.Int, "-3"},
		"6 & 3 | 8 ^ 1":           {tds.Int, "11"},
		"len(N'ab  ')":            {tds.Int, "2"},
		"datalength(N'ab')":       {tds.Int, "4"},
		"isnull(null, 5)":         {tds.Int, "5"},
		"isnull(max(n), N'')":     {tds.NVarChar, "5"},
		"cast(1.9 as int)":        {tds.Int, "1"},
		"cast('abc' as char(2))":  {tds.Char, "ab"},
		"convert(bit, 5)":         {tds.Bit, "true"},
		"cast(1 as tinyint)":      {tds.TinyInt, "1"},
		"try_cast('x' as int)":    {tds.Int, "NULL"},
		"try_cast('7' as int)":    {tds.Int, "7"},
		"xact_state()":            {tds.SmallInt, "0"},
		"@@spid - @@spid":         {tds.SmallInt, "0"},
		"iif(1 = 2, 'a', 'b')":    {tds.VarChar, "b"},
		"upper(N'ab')":            {tds.NVarChar, "AB"},
		"concat(1, null, 'a')":    {tds.NVarChar, "1a"},
		"charindex('b', 'abc')":   {tds.Int, "2"},
		"substring('abc', 2, 9)":  {tds.VarChar, "bc"},
		"replace('abc', 'b', '')": {tds.VarChar, "ac"},
		"round(2.567, 1)":         {tds.Decimal, "2.6"},
		"abs(-5)":                 {tds.Int, "5"},
		"datediff(day, '2024-01-01', '2024-03-01')":                                                                 {tds.Int, "60"},
		"dateadd(month, 1, cast('2024-01-31' as date))":                                                             {tds.Date, "2024-02-29 00:00:00 +00:00"},
		"dateadd(ms, 1, cast('2024-01-31' as datetime2(3)))":                                                        {tds.DateTime2, "2024-01-31 00:00:00.001 +00:00"},
		"convert(varchar(10), cast('2024-01-31' as date), 112)":                                                     {tds.VarChar, "20240131"},
		"convert(nvarchar(40), cast('6f9619ff-8b86-d011-b42d-00c04fc964ff' as uniqueidentifier))":                   {tds.NVarChar, "6F9619FF-8B86-D011-B42D-00C04FC964FF"},
		"convert(varchar(20), 0xABCD, 1)":                                                                           {tds.VarChar, "0xABCD"},
		"case when 'a' = 'a  ' then 1 else 0 end":                                                                   {tds.Int, "1"}, // trailing blanks do not count
		"case when 'a' = 'A' then 1 else 0 end":                                                                     {tds.Int, "0"}, // the collation is binary
		"case when N'a[b' like N'a[[]_' then 1 else 0 end":                                                          {tds.Int, "1"},
		"case when cast('2024-01-01 12:00 +01:00' as datetimeoffset) = '2024-01-01 11:00 +00:00' then 1 else 0 end": {tds.Int, "1"},
	} {
		got := c.run("select " + expression + " from t")
		if len(c.messages) > 0 || got != want.value+" / (1)" || c.columns[0].Type.Kind != want.kind || c.columns[0].Name != "" {
			t.Errorf("%s: %s %+v%s", expression, got, c.columns, c.texts())
		}
	}
}
