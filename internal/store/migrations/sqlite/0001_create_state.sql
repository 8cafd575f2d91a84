-- +goose Up

-- What this file belongs to: the ids of both accounts, the mapping version.
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

-- Who may write. One row at most; epoch grows with every new holder.
CREATE TABLE lease (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	epoch   INTEGER NOT NULL,
	holder  TEXT NOT NULL,
	host    TEXT NOT NULL,
	pid     INTEGER NOT NULL,
	born    TEXT NOT NULL,
	since   INTEGER NOT NULL,
	expires INTEGER NOT NULL
);

-- Names of mappings and vendor objects, so that rows carry a small number.
CREATE TABLE names (
	code INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
);

-- In all tables below: side is 1 for HubSpot, 2 for Salesforce; an id is the
-- integer of a HubSpot id or the 18 characters of a Salesforce id; times are
-- UTC microseconds.

CREATE TABLE cursors (
	mapping  INTEGER NOT NULL,
	side     INTEGER NOT NULL CHECK (side IN (1, 2)),
	object   INTEGER NOT NULL,
	since    INTEGER NOT NULL,
	complete INTEGER NOT NULL,
	version  INTEGER NOT NULL,
	PRIMARY KEY (mapping, side, object)
) WITHOUT ROWID;

CREATE TABLE links (
	mapping            INTEGER NOT NULL,
	hubspot_id         NOT NULL,
	object             INTEGER NOT NULL,
	salesforce_id      NOT NULL,
	base               BLOB NOT NULL,
	seen_hubspot       INTEGER NOT NULL,
	seen_salesforce    INTEGER NOT NULL,
	open_hubspot       INTEGER NOT NULL,
	open_salesforce    INTEGER NOT NULL,
	gone               INTEGER NOT NULL CHECK (gone BETWEEN 0 AND 3),
	PRIMARY KEY (mapping, hubspot_id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX links_by_salesforce ON links (mapping, salesforce_id);

-- The latest outcome of each thing that is not simply in step. For a record
-- that is linked to nothing this row is also the memory of having seen it.
CREATE TABLE outcomes (
	mapping  INTEGER NOT NULL,
	side     INTEGER NOT NULL CHECK (side IN (1, 2)),
	id       NOT NULL,
	object   INTEGER NOT NULL,
	linked   INTEGER NOT NULL,
	seen     INTEGER NOT NULL,
	outcome  TEXT NOT NULL,
	code     TEXT NOT NULL,
	reason   TEXT NOT NULL,
	run      INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;

-- Match keys of live records. A key may be out of date: whoever uses one
-- compares it with the record, and drops it when it does not hold any more.
CREATE TABLE match_keys (
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	rule    INTEGER NOT NULL,
	hash    INTEGER NOT NULL,
	id      NOT NULL,
	object  INTEGER NOT NULL,
	PRIMARY KEY (mapping, side, rule, hash, id)
) WITHOUT ROWID;

-- Work in progress: records that were read changed and are not settled yet.
-- record is empty when the values have to be read again before deciding.
CREATE TABLE changes (
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	id      NOT NULL,
	object  INTEGER NOT NULL,
	due     INTEGER NOT NULL CHECK (due IN (0, 1)),
	seen    INTEGER NOT NULL,
	record  BLOB NOT NULL,
	PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;

CREATE INDEX changes_due ON changes (mapping, side, id) WHERE due = 1;

-- Things that wait for a record to be linked: (side, id) of mapping is waited
-- for by the thing (thing_side, thing_id) of thing_mapping.
CREATE TABLE awaits (
	mapping       INTEGER NOT NULL,
	side          INTEGER NOT NULL CHECK (side IN (1, 2)),
	id            NOT NULL,
	thing_mapping INTEGER NOT NULL,
	thing_side    INTEGER NOT NULL CHECK (thing_side IN (1, 2)),
	thing_id      NOT NULL,
	thing_object  INTEGER NOT NULL,
	PRIMARY KEY (mapping, side, id, thing_mapping, thing_side, thing_id)
) WITHOUT ROWID;

-- The plan of the current cycle, one row for each thing that was decided.
CREATE TABLE plan (
	mapping       INTEGER NOT NULL,
	side          INTEGER NOT NULL CHECK (side IN (1, 2)),
	id            NOT NULL,
	salesforce_id,
	ops           INTEGER NOT NULL,
	outcome       TEXT NOT NULL,
	code          TEXT NOT NULL,
	decided       INTEGER NOT NULL,
	done          INTEGER NOT NULL,
	body          BLOB NOT NULL,
	PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;

CREATE INDEX plan_by_salesforce ON plan (mapping, salesforce_id) WHERE salesforce_id IS NOT NULL;

-- Creates that were about to be sent and whose answer is not recorded yet.
CREATE TABLE intents (
	key     TEXT PRIMARY KEY,
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	object  INTEGER NOT NULL,
	id      NOT NULL,
	hash    INTEGER NOT NULL,
	epoch   INTEGER NOT NULL,
	sent    INTEGER NOT NULL,
	body    BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE journal (
	seq     INTEGER PRIMARY KEY,
	run     INTEGER NOT NULL,
	time    INTEGER NOT NULL,
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	object  INTEGER NOT NULL,
	id      NOT NULL,
	op      TEXT NOT NULL,
	changes BLOB NOT NULL,
	why     TEXT NOT NULL,
	request TEXT NOT NULL,
	result  TEXT NOT NULL
);

CREATE INDEX journal_by_record ON journal (id);
CREATE INDEX journal_by_run ON journal (run);

CREATE TABLE runs (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	kind    TEXT NOT NULL,
	started INTEGER NOT NULL,
	ended   INTEGER NOT NULL,
	status  TEXT NOT NULL,
	body    BLOB NOT NULL
);
