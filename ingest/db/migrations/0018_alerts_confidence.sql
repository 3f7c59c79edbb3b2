-- owner: alerts
-- why:   the confidence question is asked on a schedule, published once a closed quarter, and a low answer is a call owed

SET LOCAL lock_timeout = '5s';

ALTER TABLE confidence_question DROP CONSTRAINT confidence_question_audience_is_known;
ALTER TABLE confidence_question ADD CONSTRAINT confidence_question_audience_is_known
    CHECK (audience IN ('family', 'carer', 'unpaid carer', 'paid carer'));

INSERT INTO confidence_question (question, audience, wording, labels, since) VALUES
    (2, 'unpaid carer',
    'Over the last four weeks, how confident have you felt that you would hear in time if {first_name} needed you?',
    ARRAY['Not at all confident', 'A little confident', 'Somewhat confident', 'Very confident', 'Completely confident'],
    '2026-11-22T00:00:00Z'),
    (3, 'paid carer',
    'Over the last four weeks, how confident have you felt that what we tell you about {first_name} can be relied on?',
    ARRAY['Not at all confident', 'A little confident', 'Somewhat confident', 'Very confident', 'Completely confident'],
    '2026-11-22T00:00:00Z');

ALTER TABLE notification DROP CONSTRAINT notification_purpose_is_known;
ALTER TABLE notification ADD CONSTRAINT notification_purpose_is_known
    CHECK (purpose IN ('alert', 'again', 'help', 'mine', 'outcome', 'nobody', 'log-in', 'confidence'));

COMMENT ON COLUMN notification.purpose IS 'alert and help: go there; again: pressed again; mine: who goes; outcome: how it ended; nobody: none of them answered; confidence: the question how confident they feel';

CREATE TABLE confidence_asking (
    asking       bigint      GENERATED ALWAYS AS IDENTITY,
    home         text        NOT NULL,
    person       text        NOT NULL,
    audience     text        NOT NULL,
    question     smallint    NOT NULL,
    round        smallint    NOT NULL,
    place        smallint    NOT NULL,
    home_group   text,
    due_at       timestamptz NOT NULL,
    put_off_at   timestamptz,
    asked_at     timestamptz,
    answer_until timestamptz,
    way          text,
    reminded_at  timestamptz,
    ended_at     timestamptz,
    state        text        NOT NULL,
    report       bigint,

    CONSTRAINT confidence_asking_is_known_once PRIMARY KEY (asking),
    CONSTRAINT confidence_asking_is_one_a_round UNIQUE (home, person, round),
    CONSTRAINT confidence_asking_is_about_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT confidence_asking_is_of_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT confidence_asking_is_of_a_known_question FOREIGN KEY (question)
        REFERENCES confidence_question (question),
    CONSTRAINT confidence_asking_has_a_known_report FOREIGN KEY (report) REFERENCES confidence_report (report),
    CONSTRAINT confidence_asking_audience_is_known CHECK (audience IN ('family', 'unpaid carer', 'paid carer')),
    CONSTRAINT confidence_asking_way_is_known CHECK (way IN ('text', 'page')),
    CONSTRAINT confidence_asking_state_is_known
        CHECK (state IN ('due', 'asked', 'answered', 'lapsed', 'withdrawn')),
    CONSTRAINT confidence_asking_is_asked_whole
        CHECK ((asked_at IS NULL) = (answer_until IS NULL) AND (asked_at IS NULL) = (way IS NULL)),
    CONSTRAINT confidence_asking_is_asked_before_it_is_answered
        CHECK ((state IN ('asked', 'answered', 'lapsed')) = (asked_at IS NOT NULL)),
    CONSTRAINT confidence_asking_is_answered_with_a_report CHECK ((state = 'answered') = (report IS NOT NULL)),
    CONSTRAINT confidence_asking_is_over_when_it_ended CHECK ((state IN ('due', 'asked')) = (ended_at IS NULL))
);

CREATE UNIQUE INDEX confidence_asking_is_open_once_a_person ON confidence_asking (person)
    WHERE state IN ('due', 'asked');
CREATE INDEX confidence_asking_of_a_person_lately ON confidence_asking (person, asked_at DESC);
CREATE INDEX confidence_asking_by_quarter ON confidence_asking (answer_until);
CREATE UNIQUE INDEX confidence_asking_of_a_report ON confidence_asking (report);

COMMENT ON TABLE  confidence_asking              IS 'the question put to one person about one home, once a round; who is asked is decided by the schedule alone';
COMMENT ON COLUMN confidence_asking.round        IS '0: before the service began to count; 1, 2, 3: by month; then by quarter';
COMMENT ON COLUMN confidence_asking.place        IS '1: whose answer counts for the home if there are several: who was given access first';
COMMENT ON COLUMN confidence_asking.home_group   IS 'the home''s group when it was asked; null: in none';
COMMENT ON COLUMN confidence_asking.due_at       IS 'by the schedule of the home';
COMMENT ON COLUMN confidence_asking.put_off_at   IS 'when it was first put off because an alert was open; it is asked after it all the same';
COMMENT ON COLUMN confidence_asking.answer_until IS 'excluded; says which quarter it belongs to; set when it is asked and never moved';
COMMENT ON COLUMN confidence_asking.way          IS 'text, or page for those whom we cannot or may not text';
COMMENT ON COLUMN confidence_asking.report       IS 'the answer; null until there is one';

CREATE TABLE confidence_call (
    call      bigint      GENERATED ALWAYS AS IDENTITY,
    home      text        NOT NULL,
    person    text        NOT NULL,
    opened_at timestamptz NOT NULL,
    taken_at  timestamptz,
    taken_by  text,
    rung_at   timestamptz,
    rung_by   text,
    tries     smallint    NOT NULL DEFAULT 0,
    closed_at timestamptz,
    closed_by text,
    came_of   text,
    note      text,

    CONSTRAINT confidence_call_is_known_once PRIMARY KEY (call),
    CONSTRAINT confidence_call_is_about_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT confidence_call_is_to_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT confidence_call_is_taken_by_someone CHECK ((taken_at IS NULL) = (taken_by IS NULL)),
    CONSTRAINT confidence_call_is_rung_by_someone CHECK ((rung_at IS NULL) = (rung_by IS NULL)),
    CONSTRAINT confidence_call_is_closed_with_what_came_of_it CHECK (
        (closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (came_of IS NULL)),
    CONSTRAINT confidence_call_outcome_is_known CHECK (
        came_of IN ('something changes', 'talked', 'wants no call', 'not reached')),
    CONSTRAINT confidence_call_note_is_bounded CHECK (length(note) <= 2000)
);

CREATE UNIQUE INDEX confidence_call_is_open_once ON confidence_call (home, person) WHERE closed_at IS NULL;

COMMENT ON TABLE  confidence_call         IS 'somebody answered 1 or 2 and was promised that a person rings; what was answered is not repeated here';
COMMENT ON COLUMN confidence_call.taken_by IS 'the operator who said that they will ring';
COMMENT ON COLUMN confidence_call.tries    IS 'how often it was rung';

INSERT INTO confidence_call (home, person, opened_at)
SELECT home, person, min(answered_at) FROM confidence_report WHERE answer <= 2 AND rung_at IS NULL GROUP BY home, person;

CREATE TABLE confidence_edition (
    quarter  date        NOT NULL,
    edition  smallint    NOT NULL,
    made_at  timestamptz NOT NULL,
    made_by  text        NOT NULL,
    why      text        NOT NULL,
    form     text        NOT NULL,
    content  bytea       NOT NULL,
    sha256   bytea       NOT NULL,

    CONSTRAINT confidence_edition_is_never_changed PRIMARY KEY (quarter, edition, form),
    CONSTRAINT confidence_edition_form_is_known CHECK (form IN ('page', 'csv', 'json')),
    CONSTRAINT confidence_edition_is_what_its_sum_says CHECK (sha256 = sha256(content)),
    CONSTRAINT confidence_edition_begins_at_one CHECK (edition >= 1),
    CONSTRAINT confidence_edition_is_of_a_quarter
        CHECK (extract(day FROM quarter) = 1 AND extract(month FROM quarter) IN (1, 4, 7, 10))
);

COMMENT ON TABLE  confidence_edition         IS 'what was published of a closed quarter, in its very bytes; a correction is a new edition';
COMMENT ON COLUMN confidence_edition.quarter IS 'its first day, in Britain';
COMMENT ON COLUMN confidence_edition.made_by IS 'telecare: once the quarter was closed; or who corrected it';
COMMENT ON COLUMN confidence_edition.why     IS 'for a correction, what was wrong';
