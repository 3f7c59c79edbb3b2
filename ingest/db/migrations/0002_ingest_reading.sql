-- owner: ingest
-- why:   the one table that every judgement about a resident rests on
-- requires: timescaledb

SET LOCAL lock_timeout = '5s';

CREATE TABLE reading (
    home            text,
    hub             text             NOT NULL,
    sensor          text             NOT NULL,
    room            text,
    quantity        text             NOT NULL,
    value           double precision NOT NULL,
    observed_at     timestamptz      NOT NULL,
    uncertain_since timestamptz,
    received_at     timestamptz      NOT NULL,
    may_repeat      boolean          NOT NULL,

    CONSTRAINT reading_value_is_finite
        CHECK (value > '-Infinity' AND value < 'Infinity'),
    CONSTRAINT reading_uncertainty_ends_at_observed_at
        CHECK (uncertain_since <= observed_at)
);

SELECT create_hypertable('reading', by_range('observed_at', INTERVAL '7 days'), create_default_indexes => false);

CREATE INDEX reading_of_a_home_by_time ON reading (home, observed_at DESC);

COMMENT ON TABLE  reading                 IS 'stored exactly once by the numbers in stream, so it needs no unique key';
COMMENT ON COLUMN reading.home            IS 'null: from a hub that has no home yet';
COMMENT ON COLUMN reading.room            IS 'of the sensor when the reading was taken in; null: not known';
COMMENT ON COLUMN reading.value           IS 'in the unit that the quantity''s name ends in; 1 and 0 where it has none';
COMMENT ON COLUMN reading.observed_at     IS 'by the hub''s clock, corrected once at intake; the latest it can have been';
COMMENT ON COLUMN reading.uncertain_since IS 'the earliest it can have been, where the time is uncertain; otherwise null';
COMMENT ON COLUMN reading.received_at     IS 'by the ingest server''s clock, never backwards within a lane';
COMMENT ON COLUMN reading.may_repeat      IS 'sent again under a new number after an old card was put back: it may be here twice';
