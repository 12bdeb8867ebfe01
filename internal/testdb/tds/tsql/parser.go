package tsql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parser reads a batch by recursive descent and translates expressions and queries as it goes. Its errors are panics with a
// *failure, which parse catches.
type parser struct {
	text string
	toks []token
	pos  int

	// aliases are what inserted and deleted of an OUTPUT clause are in PostgreSQL.
	aliases map[string]string
	// ctes are the names that WITH has given, which are in no schema.
	ctes map[string]bool
	// declared are the variables that the text declares.
	declared map[string]bool
	// seen counts what an expression holds, to be compared before and after.
	seen struct{ columns, aggregates int }
	// keys are the columns that a WHERE compares with something known before it runs; nil where they do not count.
	keys *[]keyPart
	// locks collects what a statement must lock before it runs.
	locks *[]code
	// written are the names of tables as the text has them, by those in PostgreSQL: errors tell the former.
	written map[string]string
}

// program is a parsed text. It is immutable: sessions share it.
type program struct {
	steps   []step
	written map[string]string
}

// step is a statement and the line it begins on.
type step struct {
	statement
	line int32
}

// statement is what a frame can run. Its error is a *failure, one of the errors of failure.go, or says that the session is lost.
type statement interface{ run(f *frame) error }

func newParser(text string) *parser {
	return &parser{text: text, toks: scan(text), ctes: map[string]bool{}, declared: map[string]bool{}, written: map[string]string{}}
}

// catchFailure makes the panic of a parser the error of the function that defers it.
func catchFailure(err *error) {
	if r := recover(); r != nil {
		f, ok := r.(*failure)
		if !ok {
			panic(r)
		}
		*err = f
	}
}

func parse(text string) (prog *program, err error) {
	defer catchFailure(&err)
	p := newParser(text)
	prog = &program{written: p.written}
	for p.peek().kind != tokEnd {
		if !p.accept(";") {
			prog.steps = append(prog.steps, p.statement())
		}
	}
	return prog, nil
}

func (p *parser) peek() token { return p.ahead(0) }

func (p *parser) ahead(n int) token { return p.toks[min(p.pos+n, len(p.toks)-1)] }

func (p *parser) next() token {
	t := p.peek()
	p.pos = min(p.pos+1, len(p.toks)-1)
	return t
}

// at reports whether these words or symbols come next.
func (p *parser) at(words ...string) bool {
	for i, word := range words {
		if p.ahead(i).up != word {
			return false
		}
	}
	return true
}

// accept takes these words or symbols if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.at(words...) {
		return false
	}
	p.pos += len(words)
	return true
}

// acceptOne takes the next word if it is one of these, and returns it.
func (p *parser) acceptOne(words ...string) string {
	for _, word := range words {
		if p.accept(word) {
			return word
		}
	}
	return ""
}

func (p *parser) expect(words ...string) {
	for _, word := range words {
		if !p.accept(word) {
			p.fail()
		}
	}
}

// fail is for a token that cannot stand where it stands.
func (p *parser) fail() {
	t := p.peek()
	if t.kind == tokEnd {
		panic(refusal(102, t.line, fmt.Sprintf("Incorrect syntax near '%s'.", p.toks[max(0, p.pos-1)].text)))
	}
	if t.kind == tokWord && reserved[t.up] {
		panic(refusal(156, t.line, fmt.Sprintf("Incorrect syntax near the keyword '%s'.", t.text)))
	}
	panic(refusal(102, t.line, fmt.Sprintf("Incorrect syntax near '%s'.", t.text)))
}

// unknown is for what is T-SQL but not known here.
func (p *parser) unknown(what string) { panic(unknown(p.peek().line, what)) }

// atName reports whether a name comes next: in delimiters, or a word that is not reserved.
func (p *parser) atName() bool {
	t := p.peek()
	return t.kind == tokName || t.kind == tokWord && !reserved[t.up]
}

func (p *parser) name() string {
	if !p.atName() {
		p.fail()
	}
	t := p.next()
	if len(t.text) > 63 {
		panic(unknown(t.line, "a name of more than 63 bytes, which PostgreSQL would cut"))
	}
	return t.text
}

func (p *parser) number() int {
	t := p.next()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokNumber || err != nil {
		p.pos--
		p.fail()
	}
	return n
}

// source is the text from one token to before another.
func (p *parser) source(from, to int) string {
	if to <= from {
		return ""
	}
	return p.text[p.toks[from].start:p.toks[to-1].end]
}

// list parses one or more, with commas between them.
func (p *parser) list(one func()) {
	for one(); p.accept(","); {
		one()
	}
}

func (p *parser) parenthesized(one func()) {
	p.expect("(")
	one()
	p.expect(")")
}

func upper(s string) string { return strings.ToUpper(s) }

// asFailure returns the failure that err is.
func asFailure(err error) (*failure, bool) {
	var f *failure
	ok := errors.As(err, &f)
	return f, ok
}

// reserved are the keywords that are no names without delimiters ("Reserved keywords").
var reserved = words(`ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE CHECK
CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE CONVERT CREATE CROSS
CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DELETE DENY DESC
DISTINCT DISTRIBUTED DOUBLE DROP ELSE END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR FOREIGN
FREETEXT FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITY_INSERT IDENTITYCOL IF IN INDEX INNER
INSERT INTERSECT INTO IS JOIN KEY KILL LEFT LIKE LINENO MERGE NATIONAL NOCHECK NONCLUSTERED NOT NULL NULLIF OF OFF OFFSETS ON OPEN
OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN PRIMARY PRINT PROC PROCEDURE PUBLIC
RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION RESTORE RESTRICT RETURN REVERT REVOKE RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL
RULE SAVE SCHEMA SELECT SESSION_USER SET SETUSER SHUTDOWN SOME STATISTICS SYSTEM_USER TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN
TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE USER VALUES VARYING VIEW WAITFOR WHEN
WHERE WHILE WITH WRITETEXT`)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}
