-- +goose Up
-- Shadow mode: what we would have written and the other sync has not yet, by
-- thing and place of the field in the base (-1: the record, -2: its deletion),
-- and what came of it. Only shadow.db holds any.
CREATE TABLE shadow_waits (
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	id      NOT NULL,
	slot    INTEGER NOT NULL,
	since   INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (mapping, side, id, slot)
) WITHOUT ROWID;

CREATE TABLE shadow_results (
	seq  INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	body TEXT NOT NULL
);
