-- +goose Up
ALTER TABLE invoice ADD COLUMN note text;
UPDATE invoice SET note = 'old';
ALTER TABLE invoice ALTER COLUMN note SET NOT NULL, ALTER COLUMN note SET DEFAULT '';

-- +goose Down
ALTER TABLE invoice DROP COLUMN note;
