-- +goose Up

-- What vendors said may have changed and was not looked at yet. side is 1 for
-- HubSpot, 2 for Salesforce; object as the vendor named it; id '' means any
-- record of the object, object '' any object; time is when it was heard last.
CREATE TABLE hints (
	side   INTEGER NOT NULL CHECK (side IN (1, 2)),
	object TEXT NOT NULL,
	id     TEXT NOT NULL,
	why    TEXT NOT NULL,
	time   INTEGER NOT NULL,
	PRIMARY KEY (side, object, id)
) WITHOUT ROWID;

-- How far each source of hints was followed: its own mark, and when it was
-- last heard.
CREATE TABLE positions (
	source   TEXT PRIMARY KEY,
	position BLOB NOT NULL,
	heard    INTEGER NOT NULL
) WITHOUT ROWID;
