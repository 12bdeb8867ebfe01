package sqlx

import (
	"os"

	"github.com/dualsql/dualsql"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// suiteDriver has to be set before the suite's own init connects.
var suiteDriver = func() string {
	BindDriver(dualsql.Name, DOLLAR)
	return os.Getenv("SUITE_DRIVER")
}()
