-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION no_negative_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.total < 0 THEN
		RAISE EXCEPTION 'a total is negative; it is %', NEW.total;
	END IF;
	RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER no_negative_total BEFORE INSERT OR UPDATE ON invoice FOR EACH ROW EXECUTE FUNCTION no_negative_total();
-- +goose StatementBegin
DO $$
BEGIN
	INSERT INTO customer (name) SELECT 'customer ' || i FROM generate_series(1, 3) i;
END;
$$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM customer;
DROP TRIGGER no_negative_total ON invoice;
DROP FUNCTION no_negative_total;
