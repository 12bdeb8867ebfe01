package tsql

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// translate makes SQL Server's error of PostgreSQL's ("Database engine events and errors").
func (f *frame) translate(pe *pgconn.PgError, c *command) (*failure, error) {
	if c == nil {
		c = &command{verb: "SELECT"}
	}
	switch pe.Code {
	case "TSQL0":
		number, err := strconv.ParseInt(pe.Detail, 10, 32)
		if err != nil {
			return nil, err
		}
		fl := fail(int32(number), 1, 16, "%s", pe.Message)
		fl.reach = reachOf(fl.Number)
		return fl, nil
	case "23505":
		return f.duplicate(pe)
	}
	if fl := f.ofConstraint(pe, c); fl != nil {
		return fl, nil
	}
	if fl := f.ofObject(pe, c); fl != nil {
		return fl, nil
	}
	if fl := f.ofValue(pe); fl != nil {
		return fl, nil
	}
	return fail(50000, 1, 16, "the test endpoint does not know: the error %s of PostgreSQL: %s %s", pe.Code, pe.Message, pe.Detail), nil
}

// reachOf: errors of conversion end the batch and the transaction; an overflow or a division by zero ends the statement.
func reachOf(number int32) reach {
	switch number {
	case 235, 241, 242, 244, 245, 248, 8114, 8169:
		return endsTransaction
	}
	return endsStatement
}

var keyDetail = regexp.MustCompile(`(?s)^Key \((.*?)\)=\((.*)\) `)

// duplicate is 2627 of a constraint and 2601 of an index, which has its table's name in front.
func (f *frame) duplicate(pe *pgconn.PgError) (*failure, error) {
	value := ""
	if m := keyDetail.FindStringSubmatch(pe.Detail); m != nil {
		value = m[2]
	}
	object := f.displayed(pe.SchemaName, pe.TableName)
	if index, ok := strings.CutPrefix(pe.ConstraintName, pe.TableName+"."); ok {
		return fail(2601, 1, 14, "Cannot insert duplicate key row in object '%s' with unique index '%s'. The duplicate key value is (%s).",
			object, index, value), nil
	}
	rows, err := f.s.ask(context.Background(), "select contype from pg_constraint where conname = "+literal(pe.ConstraintName)+
		" and connamespace::regnamespace::text = "+literal(pe.SchemaName)+" and contype = 'p'")
	if err != nil {
		return nil, err
	}
	kind := "UNIQUE KEY"
	if len(rows) > 0 {
		kind = "PRIMARY KEY"
	}
	return fail(2627, 1, 14, "Violation of %s constraint '%s'. Cannot insert duplicate key in object '%s'. The duplicate key value is (%s).",
		kind, pe.ConstraintName, object, value), nil
}

// displayed is a table's name as errors have it.
func (f *frame) displayed(schema, table string) string {
	if strings.HasPrefix(schema, "pg_temp") {
		return "dbo." + table
	}
	return schema + "." + table
}

var (
	stillReferenced = regexp.MustCompile(`is still referenced from table "(.*)"`)
	notPresent      = regexp.MustCompile(`is not present in table "(.*)"`)
)

func (f *frame) ofConstraint(pe *pgconn.PgError, c *command) *failure {
	switch pe.Code {
	case "23502":
		verb := c.verb
		if verb == "CREATE TABLE" || verb == "ALTER TABLE" {
			verb = "UPDATE"
		}
		return fail(515, 2, 16, "Cannot insert the value NULL into column '%s', table '%s.%s'; column does not allow nulls. %s fails.",
			pe.ColumnName, f.s.database, f.displayed(pe.SchemaName, pe.TableName), verb)
	case "23514":
		return fail(547, 0, 16, "The %s statement conflicted with the CHECK constraint \"%s\". The conflict occurred in database \"%s\", table \"%s\".",
			c.verb, pe.ConstraintName, f.s.database, f.displayed(pe.SchemaName, pe.TableName))
	case "23503", "23001":
		kind, table, column := "FOREIGN KEY", pe.TableName, ""
		if m := keyDetail.FindStringSubmatch(pe.Detail); m != nil {
			column = m[1]
		}
		if m := stillReferenced.FindStringSubmatch(pe.Detail); m != nil {
			kind, table = "REFERENCE", m[1]
		} else if m := notPresent.FindStringSubmatch(pe.Detail); m != nil {
			table = m[1]
		}
		return fail(547, 0, 16, "The %s statement conflicted with the %s constraint \"%s\". The conflict occurred in database \"%s\", table \"%s.%s\", column '%s'.",
			c.verb, kind, pe.ConstraintName, f.s.database, pe.SchemaName, table, column)
	case "428C9":
		return fail(544, 1, 16, "Cannot insert explicit value for identity column in table '%s' when IDENTITY_INSERT is set to OFF.", c.table.name)
	}
	return nil
}

var quoted = regexp.MustCompile(`"([^"]*)"`)

// named is the object that an error names.
func named(message string) string {
	if m := quoted.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	if m := regexp.MustCompile(`column (\S+) does not exist`).FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// asWritten is a table's name as the text has it.
func (f *frame) asWritten(name string) string {
	if written, ok := f.written[name]; ok {
		return written
	}
	return name
}

func (f *frame) ofObject(pe *pgconn.PgError, c *command) *failure {
	name := named(pe.Message)
	dropped := map[string]string{"DROP TABLE": "table", "DROP VIEW": "view", "DROP SCHEMA": "schema", "DROP INDEX": "index"}[c.verb]
	switch {
	case dropped != "" && (pe.Code == "42P01" || pe.Code == "3F000" || pe.Code == "42704"):
		class := uint8(11)
		if dropped == "schema" {
			return fail(15151, 1, 16, "Cannot find the schema '%s', because it does not exist or you do not have permission.", c.table.written)
		}
		return fail(3701, 5, class, "Cannot drop the %s '%s', because it does not exist or you do not have permission.", dropped, c.table.written)
	case dropped != "" && pe.Code == "2BP01" && dropped == "schema":
		return fail(3729, 1, 16, "Cannot drop schema '%s' because it is being referenced by an object.", c.table.written)
	case dropped != "" && pe.Code == "2BP01":
		return fail(3726, 1, 16, "Could not drop object '%s' because it is referenced by a FOREIGN KEY constraint.", c.table.written)
	case pe.Code == "42P07" && c.verb == "CREATE INDEX":
		index := strings.TrimPrefix(name, c.table.name+".")
		return fail(1913, 1, 16, "The operation failed because an index or statistics with name '%s' already exists on table '%s'.", index,
			c.table.written)
	case pe.Code == "42P07" || pe.Code == "42P06" || pe.Code == "42710":
		return fail(2714, 6, 16, "There is already an object named '%s' in the database.", name)
	case pe.Code == "42701" && c.ddl:
		return fail(2705, 4, 16, "Column names in each table must be unique. Column name '%s' in table '%s' is specified more than once.", name,
			c.table.written)
	case pe.Code == "42P01" && strings.Contains(pe.Message, "FROM-clause"):
		return scoped(4104, "The multi-part identifier \"%s\" could not be bound.", name)
	case pe.Code == "42P01" && c.verb == "ALTER TABLE", pe.Code == "42P01" && c.verb == "CREATE INDEX", pe.Code == "42P01" && c.verb == "TRUNCATE TABLE":
		return scoped(4902, "Cannot find the object \"%s\" because it does not exist or you do not have permissions.", c.table.written)
	case pe.Code == "42P01":
		return scoped(208, "Invalid object name '%s'.", f.asWritten(name))
	case pe.Code == "3F000" && (c.verb == "CREATE TABLE" || c.verb == "CREATE VIEW"):
		return fail(2760, 1, 16, "The specified schema name \"%s\" either does not exist or you do not have permission to use it.", name)
	case pe.Code == "3F000":
		return scoped(208, "Invalid object name '%s'.", f.asWritten(name))
	case pe.Code == "42703":
		return scoped(207, "Invalid column name '%s'.", name[strings.LastIndex(name, ".")+1:])
	case pe.Code == "42830":
		return fail(1776, 0, 16, "There are no primary or candidate keys in the referenced table that match the referencing column list in the foreign key.")
	case pe.Code == "42704" && c.verb == "ALTER TABLE":
		return fail(3728, 1, 16, "'%s' is not a constraint.", name)
	case pe.Code == "42702":
		return scoped(209, "Ambiguous column name '%s'.", name)
	case pe.Code == "42501":
		return fail(229, 5, 14, "The %s permission was denied on the object '%s'.", c.verb, name)
	case pe.Code == "42601" && strings.Contains(pe.Message, "more expressions than target columns"):
		return scoped(110, "There are fewer columns in the INSERT statement than values specified in the VALUES clause.")
	case pe.Code == "42601" && strings.Contains(pe.Message, "more target columns than expressions"):
		return scoped(109, "There are more columns in the INSERT statement than values specified in the VALUES clause.")
	case pe.Code == "42803":
		return scoped(8120, "Column '%s' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.", name)
	case pe.Code == "42804", pe.Code == "42883", pe.Code == "42846":
		return scoped(206, "Operand type clash (%s).", pe.Message)
	}
	return nil
}

// scoped is an error that is found when a statement is compiled: it ends the scope, but not the transaction.
func scoped(number int32, format string, args ...any) *failure {
	fl := fail(number, 1, 16, format, args...)
	fl.reach = endsScope
	return fl
}

func (f *frame) ofValue(pe *pgconn.PgError) *failure {
	switch pe.Code {
	case "22012":
		return fail(8134, 1, 16, "Divide by zero error encountered.")
	case "22003":
		return f.overflow(pe)
	case "40P01":
		fl := fail(1205, 51, 13, "Transaction (Process ID %d) was deadlocked on lock resources with another process and has been chosen as the "+
			"deadlock victim. Rerun the transaction.", f.s.spid)
		fl.reach = endsTransaction
		return fl
	case "40001":
		fl := fail(1205, 45, 13, "Transaction (Process ID %d) was deadlocked on lock resources with another process and has been chosen as the "+
			"deadlock victim. Rerun the transaction.", f.s.spid)
		if f.s.level == tds.Snapshot {
			fl = fail(3960, 2, 16, "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access "+
				"table directly or indirectly in database '%s' to update, delete, or insert the row that has been modified or deleted by another "+
				"transaction. Retry the transaction or change the isolation level for the update/delete statement.", f.s.database)
		}
		fl.reach = endsTransaction
		return fl
	case "55P03":
		return fail(1222, 51, 16, "Lock request time out period exceeded.")
	case "21000":
		return fail(512, 1, 16, "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when "+
			"the subquery is used as an expression.")
	case "2201W", "2201X":
		return fail(10742, 1, 15, "The offset specified in a OFFSET clause may not be negative.")
	}
	return nil
}

// overflow: PostgreSQL names the type that is too small in its message.
func (f *frame) overflow(pe *pgconn.PgError) *failure {
	switch {
	case strings.Contains(pe.Message, "smallint"):
		return fail(220, 1, 16, "Arithmetic overflow error for data type smallint.")
	case strings.Contains(pe.Message, "bigint"):
		return fail(8115, 2, 16, "Arithmetic overflow error converting expression to data type bigint.")
	case strings.Contains(pe.Message, "integer"):
		return fail(8115, 2, 16, "Arithmetic overflow error converting expression to data type int.")
	case strings.Contains(pe.Message, "numeric"):
		return fail(8115, 8, 16, "Arithmetic overflow error converting numeric to data type numeric.")
	}
	return fail(8115, 2, 16, "Arithmetic overflow error converting expression to data type float.")
}
