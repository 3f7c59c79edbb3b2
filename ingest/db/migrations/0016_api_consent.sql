-- owner: api
-- why:   who may see what of a home, why and until when; and which rooms a home has

SET LOCAL lock_timeout = '5s';

CREATE TABLE consent (
    consent      bigint      GENERATED ALWAYS AS IDENTITY,
    home         text        NOT NULL,
    what         text        NOT NULL,
    person       text,
    view         text,
    basis        text        NOT NULL,
    said_by      text        NOT NULL,
    why          text        NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    written_at   timestamptz NOT NULL,
    written_by   text        NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text,

    CONSTRAINT consent_is_known_once PRIMARY KEY (consent),
    CONSTRAINT consent_is_for_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT consent_is_for_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT consent_is_to_care_or_to_data CHECK (what IN ('care', 'data')),
    CONSTRAINT consent_to_data_names_who_may_see_which_view
        CHECK ((what = 'data') = (person IS NOT NULL) AND (what = 'data') = (view IS NOT NULL)),
    CONSTRAINT consent_view_is_known CHECK (view IN ('family', 'carer')),
    CONSTRAINT consent_basis_is_known CHECK (basis IN ('resident', 'attorney', 'best interests', 'not asked yet')),
    CONSTRAINT consent_says_who_said_so_and_is_not_empty CHECK (said_by <> '' AND why <> ''),
    CONSTRAINT consent_ends_after_it_begins CHECK (until > since),
    CONSTRAINT consent_was_withdrawn_by_somebody CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
);

CREATE INDEX consent_of_a_home ON consent (home);
CREATE INDEX consent_of_a_person_in_force ON consent (person, home, view) WHERE withdrawn_at IS NULL;

COMMENT ON TABLE  consent         IS 'a grant shows nothing without one in force; operators run the service and need none';
COMMENT ON COLUMN consent.what    IS 'care: being watched over at all; data: this person may see this view.  Each is asked for by itself';
COMMENT ON COLUMN consent.basis   IS 'resident: their own yes; attorney: whoever decides for them by law; best interests: decided for one who cannot; not asked yet: given before consents were kept';
COMMENT ON COLUMN consent.said_by IS 'the name of whoever said yes, or decided';
COMMENT ON COLUMN consent.why     IS 'what for, in the words in which it was agreed';
COMMENT ON COLUMN consent.until   IS 'excluded; by the clock that homes are judged on';

INSERT INTO consent (home, what, person, view, basis, said_by, why, since, until, written_at, written_by)
SELECT home, 'data', person, view, 'not asked yet', given_by, 'given before consents were kept', given_at,
       given_at + interval '1 year', given_at, given_by
FROM access_grant WHERE withdrawn_at IS NULL;

CREATE TABLE home_room (
    home text NOT NULL,
    room text NOT NULL,

    CONSTRAINT home_room_is_known_once PRIMARY KEY (home, room),
    CONSTRAINT home_room_is_in_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT home_room_has_a_name CHECK (room <> '')
);

COMMENT ON TABLE home_room IS 'the rooms in which sensors of a home may stand';

INSERT INTO home_room (home, room)
SELECT DISTINCT home, room FROM sensor WHERE room <> '';
