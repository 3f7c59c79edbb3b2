-- owner: alerts
-- why:   how a person likes to be told, who is on duty when, and which operator changed what

SET LOCAL lock_timeout = '5s';

ALTER TABLE person
    ADD COLUMN kinds    text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN email    text,
    ADD COLUMN likes    text        NOT NULL DEFAULT 'text',
    ADD COLUMN language text        NOT NULL DEFAULT 'en',
    ADD COLUMN left_at  timestamptz,
    ADD CONSTRAINT person_is_of_known_kinds
        CHECK (kinds <@ ARRAY['family contact', 'unpaid carer', 'paid carer', 'resident']),
    ADD CONSTRAINT person_email_has_two_sides CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    ADD CONSTRAINT person_likes_a_known_way_and_is_told_so CHECK (likes IN ('text', 'ring', 'e-mail')),
    ADD CONSTRAINT person_language_is_one_that_we_speak CHECK (language IN ('en')),
    ADD CONSTRAINT person_who_left_has_nothing_to_be_told_by
        CHECK (left_at IS NULL OR (phone IS NULL AND email IS NULL AND NOT is_operator));

CREATE UNIQUE INDEX person_with_this_email ON person (lower(email));

COMMENT ON COLUMN person.kinds    IS 'what somebody is besides an operator, which is_operator says; may be several';
COMMENT ON COLUMN person.likes    IS 'how people are told things by hand; of an alert everybody is texted whatever stands here';
COMMENT ON COLUMN person.language IS 'of texts and pages';
COMMENT ON COLUMN person.left_at  IS 'signs in and is told no more since; the row stays for the stories that name it';

ALTER TABLE resident
    ADD COLUMN person text,
    ADD CONSTRAINT resident_who_signs_in_is_a_known_person FOREIGN KEY (person) REFERENCES person (person);

COMMENT ON COLUMN resident.person IS 'under which the resident signs in; null: does not';

CREATE TABLE team (
    team text NOT NULL,
    name text NOT NULL,

    CONSTRAINT team_is_known_once PRIMARY KEY (team),
    CONSTRAINT team_has_a_plain_name CHECK (team ~ '^[a-z0-9][a-z0-9-]{0,31}$')
);

COMMENT ON TABLE team IS 'carers who share the shifts of several homes';

CREATE TABLE home_team (
    home text NOT NULL,
    team text NOT NULL,

    CONSTRAINT home_team_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT home_team_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT home_team_is_a_known_team FOREIGN KEY (team) REFERENCES team (team)
);

CREATE INDEX homes_of_a_team ON home_team (team);

CREATE TABLE rota_shift (
    shift       bigint      GENERATED ALWAYS AS IDENTITY,
    home        text,
    team        text,
    person      text        NOT NULL,
    place       smallint    NOT NULL,
    weekdays    smallint[]  NOT NULL,
    begins      time        NOT NULL,
    ends        time        NOT NULL,
    valid_from  date        NOT NULL,
    valid_until date,
    made_at     timestamptz NOT NULL,
    removed_at  timestamptz,

    CONSTRAINT rota_shift_is_known_once PRIMARY KEY (shift),
    CONSTRAINT rota_shift_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT rota_shift_is_of_a_known_team FOREIGN KEY (team) REFERENCES team (team),
    CONSTRAINT rota_shift_is_of_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT rota_shift_is_of_a_home_or_a_team CHECK ((home IS NULL) <> (team IS NULL)),
    CONSTRAINT rota_shift_place_is_from_1_to_9 CHECK (place BETWEEN 1 AND 9),
    CONSTRAINT rota_shift_is_on_some_day_of_the_week
        CHECK (cardinality(weekdays) > 0 AND weekdays <@ ARRAY[0, 1, 2, 3, 4, 5, 6]::smallint[]),
    CONSTRAINT rota_shift_ends_after_its_first_day CHECK (valid_until > valid_from)
);

CREATE INDEX rota_shift_of_a_home ON rota_shift (home) WHERE removed_at IS NULL;
CREATE INDEX rota_shift_of_a_team ON rota_shift (team) WHERE removed_at IS NULL;
CREATE INDEX rota_shift_of_a_person ON rota_shift (person) WHERE removed_at IS NULL;

COMMENT ON TABLE  rota_shift            IS 'hours in which a person is told besides those who always are, week after week';
COMMENT ON COLUMN rota_shift.place      IS '1 is told first, before whoever is always told at that place';
COMMENT ON COLUMN rota_shift.weekdays   IS 'on which it begins; 0 is Monday';
COMMENT ON COLUMN rota_shift.begins     IS 'Europe/London wall time, which stays when the clocks change';
COMMENT ON COLUMN rota_shift.ends       IS 'Europe/London wall time, excluded; not after begins: on the next day';
COMMENT ON COLUMN rota_shift.valid_until IS 'the first day on which it does not begin any more; null: it goes on';

CREATE TABLE rota_override (
    override   bigint      GENERATED ALWAYS AS IDENTITY,
    home       text,
    team       text,
    person     text        NOT NULL,
    instead    text,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    made_at    timestamptz NOT NULL,
    removed_at timestamptz,

    CONSTRAINT rota_override_is_known_once PRIMARY KEY (override),
    CONSTRAINT rota_override_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT rota_override_is_of_a_known_team FOREIGN KEY (team) REFERENCES team (team),
    CONSTRAINT rota_override_is_of_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT rota_override_names_a_known_person_instead FOREIGN KEY (instead) REFERENCES person (person),
    CONSTRAINT rota_override_names_somebody_else_instead CHECK (instead <> person),
    CONSTRAINT rota_override_is_not_of_a_home_and_a_team CHECK (home IS NULL OR team IS NULL),
    CONSTRAINT rota_override_ends_after_it_begins CHECK (until > since)
);

CREATE INDEX rota_override_of_a_person ON rota_override (person, until) WHERE removed_at IS NULL;

COMMENT ON TABLE  rota_override         IS 'somebody cannot, and perhaps somebody else is on duty instead, for a time';
COMMENT ON COLUMN rota_override.home    IS 'null, and team too: wherever this person is on duty';
COMMENT ON COLUMN rota_override.instead IS 'null: nobody, and the next one is told sooner';
COMMENT ON COLUMN rota_override.until   IS 'excluded';

CREATE TABLE change_record (
    change  bigint      GENERATED ALWAYS AS IDENTITY,
    at      timestamptz NOT NULL,
    by      text        NOT NULL,
    home    text,
    person  text,
    what    text        NOT NULL,
    content jsonb       NOT NULL,

    CONSTRAINT change_record_is_known_once PRIMARY KEY (change),
    CONSTRAINT change_record_says_what_was_done CHECK (what <> '')
);

CREATE INDEX change_record_of_a_home ON change_record (home, at DESC);
CREATE INDEX change_record_of_a_person ON change_record (person, at DESC);

COMMENT ON TABLE  change_record         IS 'every act by which an operator, a setup or a carer changed people, homes, consents or the rota';
COMMENT ON COLUMN change_record.by      IS 'a person''s key, or setup or the command line for whoever was at the server';
COMMENT ON COLUMN change_record.content IS 'what was written, with the names and numbers that were';
