CREATE TYPE genre AS ENUM ('novel', 'poetry');

CREATE TABLE author (
	id   bigserial PRIMARY KEY,
	name text NOT NULL UNIQUE,
	born timestamptz,
	tags text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE book (
	isbn   text PRIMARY KEY,
	author bigint NOT NULL REFERENCES author (id) ON DELETE CASCADE,
	genre  genre NOT NULL,
	price  numeric(10, 2) NOT NULL CHECK (price >= 0),
	cover  bytea,
	extra  jsonb NOT NULL DEFAULT '{}'
);
