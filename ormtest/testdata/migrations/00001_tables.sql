-- +goose Up
CREATE TABLE customer (
	id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE
);
CREATE TABLE invoice (
	id       bigserial PRIMARY KEY,
	customer bigint NOT NULL REFERENCES customer (id),
	total    numeric(12, 2) NOT NULL,
	paid     boolean NOT NULL DEFAULT false
);

-- +goose Down
DROP TABLE invoice;
DROP TABLE customer;
