-- owner: alerts
-- why:   what a person must look at, and how it ended

SET LOCAL lock_timeout = '5s';

CREATE TABLE alert (
    alert     bigint      GENERATED ALWAYS AS IDENTITY,
    home      text,
    hub       text,
    question  text        NOT NULL,
    subject   text        NOT NULL,
    episode   text        NOT NULL,
    is_fault  boolean     NOT NULL,
    for_operator boolean  NOT NULL,
    part_of   bigint,
    since     timestamptz NOT NULL,
    at        timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    why       jsonb       NOT NULL,
    policy    bigint,
    cause_ended_at timestamptz,
    next_telling_at timestamptz,
    nobody_left_at timestamptz,
    state     text        NOT NULL,
    outcome   text,
    closed_at timestamptz,
    closed_by text,
    closing_word text,

    CONSTRAINT alert_is_known_once PRIMARY KEY (alert),
    CONSTRAINT alert_is_about_a_home_or_a_hub CHECK (home IS NOT NULL OR hub IS NOT NULL),
    CONSTRAINT alert_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT alert_was_raised_by_a_known_policy FOREIGN KEY (policy) REFERENCES policy (policy),
    CONSTRAINT alert_is_part_of_a_known_alert FOREIGN KEY (part_of) REFERENCES alert (alert),
    CONSTRAINT alert_state_is_known CHECK (state IN ('open', 'acknowledged', 'closed')),
    CONSTRAINT alert_outcome_is_known CHECK (
        outcome IN ('help given', 'ambulance', 'all well', 'false alarm', 'test', 'mended')),
    CONSTRAINT alert_is_closed_with_an_outcome CHECK (
        (state = 'closed') = (outcome IS NOT NULL AND closed_at IS NOT NULL AND closed_by IS NOT NULL))
);

CREATE UNIQUE INDEX alert_is_raised_once_an_episode ON alert (COALESCE(home, ''), COALESCE(hub, ''), question, episode);
CREATE UNIQUE INDEX alert_is_open_once_a_question ON alert (COALESCE(home, hub), question, subject, for_operator)
    WHERE state <> 'closed' AND part_of IS NULL AND cause_ended_at IS NULL;
CREATE INDEX alert_of_a_home_lately ON alert (home, raised_at DESC);
CREATE INDEX alert_with_its_parts ON alert (part_of) WHERE part_of IS NOT NULL;
CREATE INDEX alert_to_tell_next ON alert (next_telling_at) WHERE next_telling_at IS NOT NULL;
CREATE INDEX alert_with_nobody_left ON alert (alert) WHERE nobody_left_at IS NOT NULL AND state = 'open';

COMMENT ON INDEX alert_is_open_once_a_question IS 'while its cause holds: a stillness that ended and comes back is another alert, even if nobody closed the first';
COMMENT ON COLUMN alert.question  IS 'what was asked: alarm, still, still_unusual, hub_silent ...';
COMMENT ON COLUMN alert.subject   IS 'what of it, where one question may be open for several at once: the hub, and its trouble; otherwise empty';
COMMENT ON COLUMN alert.episode   IS 'what makes it this one: since of the stillness, number of the alarm';
COMMENT ON COLUMN alert.is_fault  IS 'equipment needs someone: told to the operator first';
COMMENT ON COLUMN alert.for_operator IS 'told to the operator first: a fault, an alarm older than a day, a hub without a home';
COMMENT ON COLUMN alert.part_of   IS 'the open alert whose story this finding joined: told, answered and closed with it';
COMMENT ON COLUMN alert.next_telling_at IS 'when to look who is told next; null: nobody, until something happens';
COMMENT ON COLUMN alert.nobody_left_at IS 'everybody was asked and nobody said mine: said loudly then; null again when somebody is asked again';
COMMENT ON COLUMN alert.since     IS 'frozen when first raised';
COMMENT ON COLUMN alert.at        IS 'the moment that it is true of; raised_at is when it was done';
COMMENT ON COLUMN alert.why       IS 'what was seen, what is usual, how sure: facts, from which wording makes sentences';
COMMENT ON COLUMN alert.cause_ended_at IS 'seen again, heard again: a fact beside the alert, which only a person closes unless it is a fault';
COMMENT ON COLUMN alert.closed_by IS 'a person, or the word telecare for a fault that mended itself';

CREATE TABLE alarm (
    identity    text        NOT NULL,
    alert       bigint      NOT NULL,
    hub         text        NOT NULL,
    sensor      text,
    room        text,
    quantity    text        NOT NULL,
    observed_at timestamptz NOT NULL,
    uncertain_since timestamptz,
    received_at timestamptz NOT NULL,
    unreadable  text,

    CONSTRAINT alarm_is_told_once PRIMARY KEY (identity),
    CONSTRAINT alarm_belongs_to_an_alert FOREIGN KEY (alert) REFERENCES alert (alert)
);

CREATE INDEX alarm_of_an_alert ON alarm (alert);

COMMENT ON TABLE  alarm          IS 'each press; those that come while the alert is open belong to it';
COMMENT ON COLUMN alarm.identity IS 'hub/outbox/number, or hub/sha256 of bytes that could not be read';
COMMENT ON COLUMN alarm.uncertain_since IS 'the earliest it can have been, where the hub''s clock was wrong; otherwise null';
COMMENT ON COLUMN alarm.unreadable IS 'why it could not be read; null where it could';

CREATE TABLE acknowledgement (
    acknowledgement bigint      GENERATED ALWAYS AS IDENTITY,
    alert           bigint      NOT NULL,
    person          text        NOT NULL,
    at              timestamptz NOT NULL,
    how             text        NOT NULL,
    let_go_at       timestamptz,
    let_go_why      text,

    CONSTRAINT acknowledgement_is_known_once PRIMARY KEY (acknowledgement),
    CONSTRAINT acknowledgement_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert (alert),
    CONSTRAINT acknowledgement_is_by_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT acknowledgement_came_by_a_known_way CHECK (how IN ('text', 'page'))
);

CREATE UNIQUE INDEX acknowledgement_is_held_by_one ON acknowledgement (alert) WHERE let_go_at IS NULL;

COMMENT ON TABLE acknowledgement IS 'a named person said mine; it is not over yet';
