-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY invoice_unpaid ON invoice (customer) WHERE NOT paid;

-- +goose Down
DROP INDEX CONCURRENTLY invoice_unpaid;
