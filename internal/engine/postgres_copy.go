package engine

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Copy is rows for one table.
type Copy struct {
	Table   []string // a name, or a schema's and a name; as they stand
	Columns []string
	Values  []driver.NamedValue // row after row, as many as there are columns; only their Value counts
	Err     error               // what has ended the rows early, and is to fail the statement; nil: nothing has
}

// Copying is a session whose database takes rows without a statement's text.
type Copying interface {
	Session
	// CopyFrom writes the rows as one statement, and returns how many the database has counted.
	CopyFrom(ctx context.Context, c *Copy) (int64, error)
}

// CopyFrom is COPY in binary form. All rows are encoded before it begins. The columns' types are asked for each time: pgx's own
// CopyFrom keeps them for the connection, and would send a number of one type to a column that has another by now, which may read it
// as another number.
//
// An early text cannot go behind it.
func (s *pgSession) CopyFrom(ctx context.Context, c *Copy) (int64, error) {
	if s.wire != nil {
		s.wire.early = ""
	}
	table, columns := pgx.Identifier(c.Table).Sanitize(), ""
	for i, name := range c.Columns {
		if i > 0 {
			columns += ", "
		}
		columns += pgx.Identifier{name}.Sanitize()
	}
	pg := s.pg.PgConn()
	described, err := pg.Prepare(ctx, "", "select "+columns+" from "+table, nil)
	if err != nil {
		return 0, Unprepared(err)
	}
	if err := s.checkBinary(ctx, c, described.Fields); err != nil {
		return 0, err
	}
	data, err := c.encode(s.pg.TypeMap(), described.Fields)
	if err != nil {
		return 0, err
	}
	var rows io.Reader = bytes.NewReader(data)
	if c.Err != nil {
		rows = failingReader{c.Err}
	}
	tag, err := pg.CopyFrom(ctx, rows, "copy "+table+" ("+columns+") from stdin (format binary)")
	return tag.RowsAffected(), err
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// checkBinary: of a type that pgx does not know, the binary form is known if it is an enum, which is its text.
func (s *pgSession) checkBinary(ctx context.Context, c *Copy, fields []pgconn.FieldDescription) error {
	for i, f := range fields {
		if _, known := s.pg.TypeMap().TypeForOID(f.DataTypeOID); known || s.enums[f.DataTypeOID] {
			continue
		}
		var enum bool
		var name string
		err := s.pg.QueryRow(ctx, "select typtype = 'e', pg_catalog.format_type(oid, null) from pg_catalog.pg_type where oid = $1", f.DataTypeOID).Scan(&enum, &name)
		if err != nil {
			return err
		}
		if !enum {
			return fmt.Errorf("column %s is of the type %s, of which pgx does not know the binary form; register it with pgx, or use INSERT", c.Columns[i], name)
		}
		if s.enums == nil {
			s.enums = map[uint32]bool{}
		}
		s.enums[f.DataTypeOID] = true
	}
	return nil
}

// encode writes the rows in COPY's binary format (PostgreSQL manual, COPY, "File Formats").
func (c *Copy) encode(m *pgtype.Map, fields []pgconn.FieldDescription) ([]byte, error) {
	buf := []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for n := range c.Values {
		column := n % len(fields)
		if column == 0 {
			buf = binary.BigEndian.AppendUint16(buf, uint16(len(fields)))
		}
		start := len(buf)
		buf = binary.BigEndian.AppendUint32(buf, 1<<32-1) // NULL
		value, err := appendBinary(m, buf, fields[column].DataTypeOID, c.Values[n].Value)
		switch {
		case err != nil:
			return nil, fmt.Errorf("column %s: %w", c.Columns[column], err)
		case value != nil:
			buf = value
			binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4))
		}
	}
	return binary.BigEndian.AppendUint16(buf, 1<<16-1), nil
}

// appendBinary appends a value's binary form; the result is nil for NULL. A text, which as an argument of a statement would be read by
// the server, is read as the type's here.
func appendBinary(m *pgtype.Map, buf []byte, oid uint32, v any) ([]byte, error) {
	out, err := m.Encode(oid, pgtype.BinaryFormatCode, v, buf)
	s, ok := v.(string)
	if err == nil || !ok {
		return out, err
	}
	typ, ok := m.TypeForOID(oid)
	if !ok {
		return nil, err
	}
	var read any
	switch typ.Codec.(type) {
	case *pgtype.ArrayCodec:
		read = &pgtype.Array[any]{} // with its dimensions
	case pgtype.DateCodec:
		read = &pgtype.Date{} // which may be infinity, as the next two
	case *pgtype.TimestampCodec:
		read = &pgtype.Timestamp{}
	case *pgtype.TimestamptzCodec:
		read = &pgtype.Timestamptz{}
	}
	if read != nil {
		err = m.Scan(oid, pgtype.TextFormatCode, []byte(s), read)
	} else {
		read, err = typ.Codec.DecodeValue(m, oid, pgtype.TextFormatCode, []byte(s))
	}
	if err != nil {
		return nil, fmt.Errorf("%.100q is no %s: %w", s, typ.Name, err)
	}
	return m.Encode(oid, pgtype.BinaryFormatCode, read, buf)
}

var _ Copying = (*pgSession)(nil)
