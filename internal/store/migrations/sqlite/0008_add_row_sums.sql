-- +goose Up

-- A checksum over what else a row holds, so that a byte that the disk or the
-- memory turned is noticed where SQLite cannot notice it: before anything is
-- decided by the row. 0: the row is from before, and is not checked.
ALTER TABLE links ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE changes ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plan ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE intents ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursors ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE names ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
