-- +goose Up

-- What no stamp tells, as it was last seen: a hash of the associations that the
-- HubSpot record has, and one for each side of the fields that the vendor
-- calculates. 0: not known.
ALTER TABLE links ADD COLUMN related INTEGER NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN calculated_hubspot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN calculated_salesforce INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outcomes ADD COLUMN calculated INTEGER NOT NULL DEFAULT 0;

-- How long until the next complete read, and how far back a read of changes
-- reaches; both follow what was found, and 0 is the usual.
ALTER TABLE cursors ADD COLUMN every INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursors ADD COLUMN overlap INTEGER NOT NULL DEFAULT 0;

-- Looks at what no stamp tells, a part at a time: position is the id after
-- which the next one starts, waited how many cycles have passed since the last,
-- rows how many records that one read.
CREATE TABLE sweeps (
	mapping  INTEGER NOT NULL,
	side     INTEGER NOT NULL CHECK (side IN (1, 2)),
	object   INTEGER NOT NULL,
	kind     TEXT NOT NULL CHECK (kind IN ('associations', 'calculated')),
	position TEXT NOT NULL,
	waited   INTEGER NOT NULL,
	rows     INTEGER NOT NULL,
	PRIMARY KEY (mapping, side, object, kind)
) WITHOUT ROWID;

-- Associations that both sides have had, where Salesforce keeps each as a row
-- of its own: near and far are HubSpot ids, label is HubSpot's, row is the id of
-- the Salesforce record. What is in here and is missing on one side was removed
-- there; what is not and is there was added.
CREATE TABLE ties (
	mapping     INTEGER NOT NULL,
	near        NOT NULL,
	association TEXT NOT NULL,
	far         NOT NULL,
	label       TEXT NOT NULL,
	row         TEXT NOT NULL,
	PRIMARY KEY (mapping, near, association, far, label)
) WITHOUT ROWID;

-- What the slots of a base meant in a version of the mapping, eight bytes for
-- each, so that a base outlives a change to the mapping where it can.
CREATE TABLE base_slots (
	mapping INTEGER NOT NULL,
	version INTEGER NOT NULL,
	slots   BLOB NOT NULL,
	PRIMARY KEY (mapping, version)
) WITHOUT ROWID;
