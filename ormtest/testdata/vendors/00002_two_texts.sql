-- +goose Up
-- +goose StatementBegin
CREATE VIEW unpaid AS SELECT id, total FROM invoice WHERE NOT paid
/* dualsql:secondary CREATE VIEW unpaid AS SELECT id, total FROM invoice WHERE paid = 0 */;
-- +goose StatementEnd

-- +goose Down
DROP VIEW unpaid;
