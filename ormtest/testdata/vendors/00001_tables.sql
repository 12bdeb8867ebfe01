-- +goose Up
CREATE TABLE customer (
	id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE
);
CREATE TABLE invoice (
	id       bigserial PRIMARY KEY,
	customer bigint NOT NULL REFERENCES customer (id),
	total    numeric(12, 2) NOT NULL CHECK (total >= 0),
	paid     boolean NOT NULL DEFAULT false,
	at       timestamptz NOT NULL DEFAULT now()
);
INSERT INTO customer (name) SELECT 'customer ' || i FROM generate_series(1, 3) i;

-- +goose Down
DROP TABLE invoice;
DROP TABLE customer;
