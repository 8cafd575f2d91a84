-- +goose Up

-- Records that belong to a linked pair besides the two that are linked: each
-- was linked with a record of the other side (merged_id) that was merged into
-- the pair's record (pair_id). They wait until a person merges them on their
-- own side, too.
CREATE TABLE aliases (
	mapping   INTEGER NOT NULL,
	side      INTEGER NOT NULL CHECK (side IN (1, 2)),
	id        NOT NULL,
	object    INTEGER NOT NULL,
	pair_id   NOT NULL,
	merged_id NOT NULL,
	cause     TEXT NOT NULL CHECK (cause IN ('merge', 'conversion')),
	PRIMARY KEY (mapping, side, id)
) WITHOUT ROWID;

CREATE INDEX aliases_by_pair ON aliases (mapping, side, pair_id);

-- Records that a lead conversion says are the same thing and that are not
-- linked yet: the company of the person and the account of the conversion.
CREATE TABLE kin (
	mapping       INTEGER NOT NULL,
	hubspot_id    NOT NULL,
	object        INTEGER NOT NULL,
	salesforce_id NOT NULL,
	PRIMARY KEY (mapping, hubspot_id, salesforce_id)
) WITHOUT ROWID;

CREATE INDEX kin_by_salesforce ON kin (mapping, salesforce_id);

-- Which record of a pair left the filter and had its counterpart archived by us
-- for that: 0 none, 1 HubSpot's, 2 Salesforce's.
ALTER TABLE links ADD COLUMN departed INTEGER NOT NULL DEFAULT 0 CHECK (departed BETWEEN 0 AND 2);

-- What a person has to decide. (side, thing) names the thing as in outcomes;
-- print is a hash of what was shown, and answer what the person said to just
-- that: '' while nobody did.
CREATE TABLE conflicts (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	mapping INTEGER NOT NULL,
	side    INTEGER NOT NULL CHECK (side IN (1, 2)),
	thing   NOT NULL,
	object  INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	field   TEXT NOT NULL,
	print   INTEGER NOT NULL,
	body    BLOB NOT NULL,
	opened  INTEGER NOT NULL,
	answer  TEXT NOT NULL,
	UNIQUE (mapping, side, thing, kind, field)
);
