package tds_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

type refusedLogin string

func (user refusedLogin) Error() string {
	return fmt.Sprintf("Login failed for user '%s'.", string(user))
}

func TestLogin(t *testing.T) {
	b := &backend{login: func(user, password, database string) error {
		switch {
		case user != "sa" || password != "pä=x":
			return refusedLogin(user)
		case database != "d":
			return fmt.Errorf("%w %q", tds.ErrNoDatabase, database)
		}
		return nil
	}}
	_, addr := serve(t, b)
	for _, c := range []struct {
		user, database string
		number         int32
		text           string
	}{
		{"sa:p%C3%A4=x", "d", 0, ""},
		{"sa:p%C3%A4=x", "d&columnencryption=true", 0, ""}, // a feature that is not acknowledged
		{"sa:y", "d", 18456, "Login failed for user 'sa'."},
		{"sa:p%C3%A4=x", "e", 4060, `cannot open database "e"`},
	} {
		dsn := fmt.Sprintf("sqlserver://%s@%s?database=%s&encrypt=disable&packet+size=512", c.user, addr, c.database)
		db, err := sql.Open("sqlserver", dsn)
		if err != nil {
			t.Fatal(err)
		}
		err = db.PingContext(t.Context())
		_ = db.Close()
		var got mssql.Error
		errors.As(err, &got)
		if got.Number != c.number || !strings.Contains(got.Message, c.text) || c.number == 0 && err != nil {
			t.Errorf("%s: %v", c.user, err)
		}
	}
}
