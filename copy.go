package dualsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Execer is what [CopyFrom] writes through: a *sql.DB, a *sql.Conn, a *sql.Tx, or what stands for one of these in another
// package, such as sqlx.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// CopySource hands out rows one by one, as pgx.CopyFromSource does: what implements that implements this. It is asked from one
// goroutine, and must not use the transaction or connection that it feeds.
type CopySource interface {
	// Next makes the next row ready. It returns false behind the last row, and after an error.
	Next() bool
	// Values returns the row. The slice may be used again for the next row, and so may a []byte in it; what else the values refer
	// to must stay as it is until CopyFrom has returned.
	Values() ([]any, error)
	// Err returns the error that has ended the rows early, if one has.
	Err() error
}

// CopyRows is the source of rows that are there already.
func CopyRows(rows [][]any) CopySource { return &sliceSource{rows: rows} }

type sliceSource struct {
	rows [][]any
	row  []any
}

func (s *sliceSource) Next() bool {
	if len(s.rows) == 0 {
		return false
	}
	s.row, s.rows = s.rows[0], s.rows[1:]
	return true
}

func (s *sliceSource) Values() ([]any, error) { return s.row, nil }
func (s *sliceSource) Err() error             { return nil }

// CopySeq is the source of rows that are made as they are asked for. The first error ends them.
func CopySeq(rows iter.Seq2[[]any, error]) CopySource {
	s := &seqSource{}
	s.next, s.stop = iter.Pull2(rows)
	return s
}

type seqSource struct {
	next func() ([]any, error, bool)
	stop func()
	row  []any
	err  error
}

func (s *seqSource) Next() (ok bool) {
	if s.err == nil {
		s.row, s.err, ok = s.next()
	}
	return ok && s.err == nil
}

func (s *seqSource) Values() ([]any, error) { return s.row, nil }
func (s *seqSource) Err() error             { return s.err }

// CopyFrom writes rows to a table on both sides, and returns how many there are on the primary. On PostgreSQL it is COPY, in
// binary form, on SQL Server and SQLite INSERT of many rows at once.
//
// Through a *sql.Tx it is part of the transaction, in the order of its statements; else it is a transaction of its own. In either
// case an error says what one of a statement says: the rows are on neither side. It leaves the transaction as a COPY that fails
// does on PostgreSQL: what comes next is a rollback, on PostgreSQL also one to a savepoint.
//
// table is a name, or a schema's and a name with a dot in between; columns are names. All are taken as they stand, in upper and
// lower case; one with a dot in it goes into double quotes. What the named columns do not give, the database fills in: whether the sides
// then differ is decided as for an INSERT, by [Config.Mirror]. Rows come from the source as it goes, and no more than a few MiB of them
// are held at a time, but for the redo that the protocols marker and besteffort keep: more than journal.redo_limit is an error, and so
// is anything but plain values that the journal could not hold.
//
// On another driver than dualsql it fails. It is not for a side of the generic engine, of which dualsql does not know how names are quoted.
func CopyFrom(ctx context.Context, to Execer, table string, columns []string, rows CopySource) (int64, error) {
	if s, ok := rows.(*seqSource); ok {
		defer s.stop()
	}
	name, err := tableName(table)
	if err != nil {
		return 0, err
	}
	if len(columns) == 0 {
		return 0, fmt.Errorf("dualsql: CopyFrom into %s: no columns; name those that the rows have values for", table)
	}
	b := &bulk{name: table, table: name, columns: columns, source: rows}
	res, err := to.ExecContext(ctx, b.insert(1, nil), b)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// tableName takes a name apart.
func tableName(s string) (parts []string, _ error) {
	malformed := fmt.Errorf("dualsql: CopyFrom: %q is no table's name; it takes a name, or a schema's and a name with a dot in between; "+
		"one that has a dot or a double quote in it goes into double quotes", s)
	for rest, more := s, true; more; {
		var part string
		if strings.HasPrefix(rest, `"`) {
			part, rest = unquote(rest)
			if more = strings.HasPrefix(rest, "."); more {
				rest = rest[1:]
			} else if rest != "" {
				return nil, malformed
			}
		} else {
			part, rest, more = strings.Cut(rest, ".")
		}
		if part == "" {
			return nil, malformed
		}
		parts = append(parts, part)
	}
	if len(parts) > 2 {
		return nil, malformed
	}
	return parts, nil
}

// unquote reads what is between s's first quote and the one that closes it, in which a doubled quote is a plain one.
func unquote(s string) (part, rest string) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
		case strings.HasPrefix(s[i+1:], `"`):
			i++
		default:
			return strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:]
		}
	}
	return "", s
}

var errNotDualsql = errors.New("dualsql.CopyFrom takes a database, connection or transaction of the driver dualsql, and this is another's")
