-- owner: alerts
-- why:   a threshold is saved only after its price was seen, and what was seen is kept beside it

SET LOCAL lock_timeout = '5s';

CREATE TABLE look_back (
    look_back   bigint      GENERATED ALWAYS AS IDENTITY,
    scope       text        NOT NULL,
    home_group  text,
    home        text,
    numbers     jsonb       NOT NULL,
    takes_back  bigint,
    why         text        NOT NULL,
    in_force_from timestamptz,
    days        smallint    NOT NULL,
    homes       text[]      NOT NULL,
    homes_in_all integer    NOT NULL,
    asked_at    timestamptz NOT NULL,
    asked_by    text        NOT NULL,
    done        real        NOT NULL DEFAULT 0,
    found       jsonb,
    failed      text,

    CONSTRAINT look_back_is_known_once PRIMARY KEY (look_back),
    CONSTRAINT look_back_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT look_back_is_of_a_known_group FOREIGN KEY (home_group) REFERENCES home_group (home_group),
    CONSTRAINT look_back_was_asked_by_a_known_person FOREIGN KEY (asked_by) REFERENCES person (person),
    CONSTRAINT look_back_is_of_what_its_scope_says CHECK (
        scope IN ('all', 'group', 'home')
        AND (scope = 'group') = (home_group IS NOT NULL) AND (scope = 'home') = (home IS NOT NULL)),
    CONSTRAINT look_back_is_of_some_days CHECK (days BETWEEN 1 AND 56),
    CONSTRAINT look_back_was_found_or_failed CHECK (found IS NULL OR failed IS NULL)
);

COMMENT ON TABLE  look_back              IS 'what a change of thresholds would have done; a version names the one that was seen before it was saved';
COMMENT ON COLUMN look_back.numbers      IS 'those that are proposed, as in policy_version';
COMMENT ON COLUMN look_back.takes_back   IS 'the version that is to be taken back; null where nothing is';
COMMENT ON COLUMN look_back.in_force_from IS 'from when on it is to be in force; null: at once';
COMMENT ON COLUMN look_back.homes        IS 'those that are looked at';
COMMENT ON COLUMN look_back.homes_in_all IS 'how many the change concerns';
COMMENT ON COLUMN look_back.done         IS 'a ratio: how much of it is done';
COMMENT ON COLUMN look_back.found        IS 'what was found, home by home; null while it is not done';
COMMENT ON COLUMN look_back.failed       IS 'why nothing was found, in a sentence; otherwise null';

ALTER TABLE policy_version
    ADD COLUMN look_back bigint,
    ADD CONSTRAINT policy_version_was_seen_in_a_look_back FOREIGN KEY (look_back) REFERENCES look_back (look_back);

COMMENT ON COLUMN policy_version.look_back IS 'what was seen of its price before it was saved; null for a setup file';
