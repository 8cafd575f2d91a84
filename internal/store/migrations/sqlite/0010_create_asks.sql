-- +goose Up

-- Records that were left out because a question of the mapping was answered
-- with no: `when: 'known("companies", domain(hubspot.email))'`. The question is a
-- match key (rule, hash) of another object (mapping); a record of it that gets the
-- key, or is linked with it, makes the thing due.
CREATE TABLE asks (
	mapping       INTEGER NOT NULL,
	rule          INTEGER NOT NULL,
	hash          INTEGER NOT NULL,
	thing_mapping INTEGER NOT NULL,
	thing_side    INTEGER NOT NULL CHECK (thing_side IN (1, 2)),
	thing_id      NOT NULL,
	thing_object  INTEGER NOT NULL,
	PRIMARY KEY (mapping, rule, hash, thing_mapping, thing_side, thing_id)
) WITHOUT ROWID;
