package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

var (
	changing = map[string]bool{"INSERT": true, "UPDATE": true, "DELETE": true, "MERGE": true}
	querying = map[string]bool{"SELECT": true, "VALUES": true, "EXECUTE": true}
	filling  = map[string]bool{"ADD": true, "USING": true}
	counting = map[string]bool{"SERIAL": true, "BIGSERIAL": true, "SMALLSERIAL": true, "SERIAL2": true, "SERIAL4": true, "SERIAL8": true, "IDENTITY": true}
)

// Refused says why a statement that is no single INSERT, UPDATE or DELETE, and so is mirrored as text, must not be: it makes rows
// that may not be the same on both sides. why is nil if there is no reason.
func Refused(ctx context.Context, cat engine.Cataloged, st *sqltext.Statement) (why, err error) {
	switch {
	case st.Kind == sqltext.Write && st.Verb == "TRUNCATE":
		return nil, nil
	case st.Kind == sqltext.Write && (st.Verb == "SELECT" || st.Verb == "VALUES") && sqltext.FirstWord(st.Text, changing) == "":
		// SELECT ... INTO
	case st.Kind == sqltext.Write:
		return fmt.Errorf("what %s does is not carried over as rows; use INSERT, UPDATE and DELETE, each by itself", st.Verb), nil
	case st.Kind == sqltext.DDL && st.Verb == "CREATE TABLE" && sqltext.FirstWord(st.Text, querying) != "":
	case st.Kind == sqltext.DDL && st.Verb == "ALTER TABLE" && sqltext.FirstWord(st.Text, filling) != "":
		if word := sqltext.FirstWord(st.Text, counting); word != "" {
			return fmt.Errorf("%s may number the rows that are there in another order on the other side; add a plain column, fill it by UPDATE, and then give it its default", word), nil
		}
	default:
		return nil, nil
	}
	varies, calls := sqltext.ReadExpression(st.Text)
	if varies != "" {
		return errors.New(varies + " is not the same on both sides; make the table or column without it, and then INSERT or UPDATE"), nil
	}
	if len(calls) == 0 {
		return nil, nil
	}
	functions, err := cat.Functions(ctx, calls)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(functions, func(f engine.Function) bool { return f.Volatility == "v" || f.Volatility == "s" && !steady[f.Name] }); i >= 0 {
		return fmt.Errorf("%s() may not be the same on both sides; make the table or column without it, and then INSERT or UPDATE", functions[i].Name), nil
	}
	return nil, nil
}
