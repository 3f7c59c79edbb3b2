-- owner: api
-- why:   how confident families feel: the figure that this service is for

SET LOCAL lock_timeout = '5s';

CREATE TABLE confidence_question (
    question smallint    NOT NULL,
    audience text        NOT NULL,
    wording  text        NOT NULL,
    labels   text[]      NOT NULL,
    since    timestamptz NOT NULL,

    CONSTRAINT confidence_question_is_never_edited PRIMARY KEY (question),
    CONSTRAINT confidence_question_audience_is_known CHECK (audience IN ('family', 'carer')),
    CONSTRAINT confidence_question_has_five_labels CHECK (cardinality(labels) = 5)
);

COMMENT ON TABLE  confidence_question         IS 'a change of wording is a new version and a new series';
COMMENT ON COLUMN confidence_question.wording IS 'with {first_name} for the resident''s';
COMMENT ON COLUMN confidence_question.labels  IS 'for the answers 1 to 5, in that order';

INSERT INTO confidence_question (question, audience, wording, labels, since) VALUES (
    1, 'family',
    'Over the last four weeks, how confident have you felt that {first_name} is safe at home?',
    ARRAY['Not at all confident', 'A little confident', 'Somewhat confident', 'Very confident', 'Completely confident'],
    '2026-11-21T00:00:00Z');

CREATE TABLE confidence_report (
    report      bigint      GENERATED ALWAYS AS IDENTITY,
    home        text        NOT NULL,
    person      text        NOT NULL,
    question    smallint    NOT NULL,
    origin      text        NOT NULL,
    answer      smallint,
    words       text,
    answered_at timestamptz NOT NULL,
    rung_at     timestamptz,
    rung_by     text,

    CONSTRAINT confidence_report_is_known_once PRIMARY KEY (report),
    CONSTRAINT confidence_report_is_about_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT confidence_report_is_by_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT confidence_report_answers_a_known_question FOREIGN KEY (question)
        REFERENCES confidence_question (question),
    CONSTRAINT confidence_report_origin_is_known CHECK (origin IN ('scheduled', 'volunteered', 'after an alert')),
    CONSTRAINT confidence_report_answer_is_1_to_5 CHECK (answer BETWEEN 1 AND 5),
    CONSTRAINT confidence_report_is_rung_by_someone CHECK ((rung_at IS NULL) = (rung_by IS NULL)),
    CONSTRAINT confidence_report_words_are_bounded CHECK (length(words) <= 2000)
);

CREATE INDEX confidence_report_of_a_home_lately ON confidence_report (home, answered_at DESC);

COMMENT ON COLUMN confidence_report.answer IS 'null: cannot say';
COMMENT ON COLUMN confidence_report.origin IS 'only scheduled answers make the headline';
COMMENT ON COLUMN confidence_report.rung_at IS 'when somebody rang a family that answered 1 or 2, as the page promises them';
