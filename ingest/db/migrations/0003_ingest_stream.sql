-- owner: ingest
-- why:   what is stored of each hub's book, so that a message may come any number of times and count once

SET LOCAL lock_timeout = '5s';

CREATE TABLE stream (
    hub            text        NOT NULL,
    outbox         text        NOT NULL,
    stream         text        NOT NULL,
    stored_through bigint      NOT NULL,
    first_heard_at timestamptz NOT NULL,
    last_heard_at  timestamptz NOT NULL,
    observed_through timestamptz,

    CONSTRAINT stream_is_known_once PRIMARY KEY (hub, outbox, stream),
    CONSTRAINT stream_is_of_a_known_hub FOREIGN KEY (hub) REFERENCES hub (hub),
    CONSTRAINT stream_is_readings_or_alarms CHECK (stream IN ('readings', 'alarms')),
    CONSTRAINT stream_numbers_begin_at_one CHECK (stored_through >= 0)
);

COMMENT ON COLUMN stream.stored_through IS 'everything up to this number is stored, refused or written down as lost';
COMMENT ON COLUMN stream.observed_through IS 'the earliest that the last number can have been observed: the lower bound for an uncertain time after it';

CREATE TABLE lost_range (
    hub          text        NOT NULL,
    outbox       text        NOT NULL,
    stream       text        NOT NULL,
    first        bigint      NOT NULL,
    last         bigint      NOT NULL,
    noticed_at   timestamptz NOT NULL,
    recovered_at timestamptz,

    CONSTRAINT lost_range_is_written_once PRIMARY KEY (hub, outbox, stream, first),
    CONSTRAINT lost_range_is_of_a_known_stream FOREIGN KEY (hub, outbox, stream) REFERENCES stream (hub, outbox, stream),
    CONSTRAINT lost_range_is_in_order CHECK (first <= last)
);

COMMENT ON TABLE  lost_range              IS 'numbers that the hub no longer has and that were never stored';
COMMENT ON COLUMN lost_range.recovered_at IS 'they came after all, from another copy; ranges are split so that a row is one or the other';

CREATE TABLE refused (
    refused      bigint      GENERATED ALWAYS AS IDENTITY,
    hub          text,
    outbox       text,
    stream       text,
    first        bigint,
    last         bigint,
    topic        text        NOT NULL,
    payload      bytea       NOT NULL,
    reason       text        NOT NULL,
    received_at  timestamptz NOT NULL,

    CONSTRAINT refused_is_known_once PRIMARY KEY (refused)
);

CREATE INDEX refused_of_a_hub_lately ON refused (hub, received_at DESC);

COMMENT ON TABLE  refused         IS 'kept whole, as bytes, so that nothing a hub said is gone';
COMMENT ON COLUMN refused.first   IS 'the numbers it stood for; null where the header could not be read';
COMMENT ON COLUMN refused.payload IS 'as it came, cut at 256 KiB';
