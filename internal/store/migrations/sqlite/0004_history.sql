-- +goose Up

-- Every write stands in the journal before it leaves, with the result "sent".
-- An intent names its entry, so that a create whose answer was lost gets its id
-- there; 0 for intents of an older Lockstep.
ALTER TABLE intents ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;

-- What made the record due, as store.Wake numbers it.
ALTER TABLE changes ADD COLUMN wake INTEGER NOT NULL DEFAULT 0;

-- The history of decisions: one row whenever a thing got an outcome that it did
-- not have. side and id name the thing, as in outcomes.
CREATE TABLE decisions (
	seq     INTEGER PRIMARY KEY,
	run     INTEGER NOT NULL,
	time    INTEGER NOT NULL,
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	id      NOT NULL,
	object  INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	code    TEXT NOT NULL,
	body    BLOB NOT NULL
);

CREATE INDEX decisions_by_thing ON decisions (mapping, side, id);

-- What failed, and when it is tried again. side and id name the thing; class is
-- "transient", "permanent" or "exhausted".
CREATE TABLE failures (
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	id      NOT NULL,
	object  INTEGER NOT NULL,
	target  INTEGER NOT NULL CHECK (target IN (1, 2)),
	class   TEXT NOT NULL,
	status  TEXT NOT NULL,
	field   TEXT NOT NULL,
	request TEXT NOT NULL,
	tries   INTEGER NOT NULL,
	first   INTEGER NOT NULL,
	last    INTEGER NOT NULL,
	next    INTEGER NOT NULL,
	PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;

CREATE INDEX failures_next ON failures (next) WHERE next > 0;
