-- owner: alerts
-- why:   thresholds are set for all homes, a group or one, and a new number needs no migration

SET LOCAL lock_timeout = '5s';

CREATE TABLE home_group (
    home_group text        NOT NULL,
    made_at    timestamptz NOT NULL,
    made_by    text        NOT NULL,

    CONSTRAINT home_group_is_known_once PRIMARY KEY (home_group),
    CONSTRAINT home_group_is_a_short_name CHECK (home_group ~ '^[a-z0-9][a-z0-9-]{0,31}$')
);

COMMENT ON TABLE home_group IS 'homes that share thresholds: a street, a housing scheme, those newly watched';

CREATE TABLE home_group_member (
    home       text NOT NULL,
    home_group text NOT NULL,

    CONSTRAINT home_group_member_is_in_one_group PRIMARY KEY (home),
    CONSTRAINT home_group_member_is_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT home_group_member_is_in_a_known_group FOREIGN KEY (home_group) REFERENCES home_group (home_group)
);

CREATE INDEX home_group_member_of_a_group ON home_group_member (home_group);

COMMENT ON TABLE home_group_member IS 'a home is in one group at most, so that no two groups can disagree about it';

CREATE TABLE policy_version (
    version        bigint      GENERATED ALWAYS AS IDENTITY,
    scope          text        NOT NULL,
    home_group     text,
    home           text,
    numbers        jsonb       NOT NULL,
    in_force_since timestamptz NOT NULL,
    settled_at     timestamptz,
    set_at         timestamptz NOT NULL,
    set_by         text        NOT NULL,
    why            text        NOT NULL,
    takes_back     bigint,

    CONSTRAINT policy_version_is_known_once PRIMARY KEY (version),
    CONSTRAINT policy_version_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT policy_version_is_of_a_known_group FOREIGN KEY (home_group) REFERENCES home_group (home_group),
    CONSTRAINT policy_version_taken_back_is_a_known_one FOREIGN KEY (takes_back) REFERENCES policy_version (version),
    CONSTRAINT policy_version_is_of_what_its_scope_says CHECK (
        scope IN ('all', 'group', 'home')
        AND (scope = 'group') = (home_group IS NOT NULL) AND (scope = 'home') = (home IS NOT NULL)),
    CONSTRAINT policy_version_has_named_numbers CHECK (jsonb_typeof(numbers) = 'object'),
    CONSTRAINT policy_version_has_a_reason CHECK (why <> '')
);

CREATE INDEX policy_version_of_a_scope_newest_first
    ON policy_version (scope, COALESCE(home, home_group, ''), version DESC);
CREATE INDEX policy_version_still_to_come ON policy_version (in_force_since) WHERE settled_at IS NULL;

COMMENT ON TABLE  policy_version            IS 'what an operator set for all homes, a group or one; never changed, only followed by a newer one';
COMMENT ON COLUMN policy_version.numbers    IS 'those that this scope sets, all of them; durations in seconds, as their names end; the rest is of the wider scope';
COMMENT ON COLUMN policy_version.in_force_since IS 'of the versions of a scope whose moment has come, the newest is in force';
COMMENT ON COLUMN policy_version.settled_at IS 'when the policies of its homes were made of it; null: its moment has not come';
COMMENT ON COLUMN policy_version.set_by     IS 'a person, or the word setup for a setup file';
COMMENT ON COLUMN policy_version.takes_back IS 'its numbers are those that stood before this version; null where it takes nothing back';

-- What was set so far was set by hand for one home each.  What equals the product's own was set by nobody.
INSERT INTO policy_version (version, scope, home, numbers, in_force_since, settled_at, set_at, set_by, why)
    OVERRIDING SYSTEM VALUE
SELECT policy, 'home', home,
       jsonb_strip_nulls(jsonb_build_object(
           'still_for_s', CASE WHEN still_for <> '6 hours' THEN extract(epoch FROM still_for) END,
           'waking_from', CASE WHEN waking_from <> '07:00' THEN waking_from END,
           'waking_until', CASE WHEN waking_until <> '22:00' THEN waking_until END,
           'hub_silent_carer_after_s',
               CASE WHEN hub_silent_carer_after <> '2 hours' THEN extract(epoch FROM hub_silent_carer_after) END,
           'escalate_after_s', CASE WHEN escalate_after <> '5 min' THEN extract(epoch FROM escalate_after) END,
           'again_after_s', CASE WHEN again_after <> '1 hour' THEN extract(epoch FROM again_after) END,
           'learned', CASE WHEN NOT learned THEN learned END)),
       in_force_since, in_force_since, set_at, set_by, COALESCE(NULLIF(why, ''), 'not said')
FROM policy;
SELECT setval(pg_get_serial_sequence('policy_version', 'version'), max(version)) FROM policy_version HAVING max(version) > 0;

ALTER TABLE policy
    ADD COLUMN numbers  jsonb    NOT NULL DEFAULT '{}',
    ADD COLUMN versions bigint[] NOT NULL DEFAULT '{}';
UPDATE policy SET versions = ARRAY[policy], numbers = jsonb_build_object(
    'still_for_s', extract(epoch FROM still_for), 'waking_from', waking_from, 'waking_until', waking_until,
    'hub_silent_carer_after_s', extract(epoch FROM hub_silent_carer_after),
    'escalate_after_s', extract(epoch FROM escalate_after), 'again_after_s', extract(epoch FROM again_after),
    'learned', learned);
-- Before any release, so nothing of an older one needs these.
ALTER TABLE policy
    ALTER COLUMN numbers DROP DEFAULT, ALTER COLUMN versions DROP DEFAULT,
    DROP COLUMN still_for, DROP COLUMN waking_from, DROP COLUMN waking_until, DROP COLUMN hub_silent_carer_after,
    DROP COLUMN escalate_after, DROP COLUMN again_after, DROP COLUMN learned,
    ADD CONSTRAINT policy_has_named_numbers CHECK (jsonb_typeof(numbers) = 'object');

COMMENT ON TABLE  policy          IS 'what a home is judged by: made of the versions in force for all, its group and itself; never changed, only followed';
COMMENT ON COLUMN policy.numbers  IS 'all of them, as judgement was given them; durations in seconds, as their names end';
COMMENT ON COLUMN policy.versions IS 'of policy_version: what it is made of';
COMMENT ON COLUMN policy.set_by   IS 'of the change that made it so: a version, or a home that joined a group';
