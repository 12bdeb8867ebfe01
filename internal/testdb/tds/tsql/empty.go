package tsql

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Empty takes out of a database what its clients have made, and leaves the support objects, which are slow to make. Nobody else
// may be connected.
func Empty(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `DO $$ DECLARE s name; BEGIN
		FOR s IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', 'INFORMATION_SCHEMA', 'sys', 'tsql', 'public') LOOP
			EXECUTE format('DROP SCHEMA %I CASCADE', s);
		END LOOP;
		IF to_regnamespace('tsql') IS NOT NULL THEN
			CREATE SCHEMA dbo;
			DELETE FROM tsql.module;
			UPDATE tsql.setting SET value = 'DISABLED' WHERE name = 'delayed_durability';
			UPDATE tsql.setting SET value = gen_random_uuid() WHERE name = 'service_broker_guid';
		END IF;
	END $$`)
	return err
}
