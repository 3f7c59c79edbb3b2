-- owner: ingest
-- why:   who may write for a lane, and everything received in it, in order, for alerts to follow
-- requires: timescaledb

SET LOCAL lock_timeout = '5s';

CREATE TABLE lane (
    lane             smallint    NOT NULL,
    epoch            bigint      NOT NULL DEFAULT 0,
    owner            text,
    heard_at         timestamptz,
    position         bigint      NOT NULL DEFAULT 0,
    received_through timestamptz,
    complete_through timestamptz,

    CONSTRAINT lane_is_known_once PRIMARY KEY (lane),
    CONSTRAINT lane_is_one_of_64 CHECK (lane BETWEEN 0 AND 63)
);

INSERT INTO lane (lane) SELECT generate_series(0, 63);

COMMENT ON COLUMN lane.epoch            IS 'raised by each claim; every write is fenced by it';
COMMENT ON COLUMN lane.heard_at         IS 'by the database''s clock: the owner was alive then';
COMMENT ON COLUMN lane.position         IS 'number of the last row of stored_log in this lane';
COMMENT ON COLUMN lane.received_through IS 'received_at of that row, never backwards';
COMMENT ON COLUMN lane.complete_through IS 'all that was received up to here, by the ingest clock, is in the log';

CREATE TABLE stored_log (
    lane           smallint    NOT NULL,
    position       bigint      NOT NULL,
    received_at    timestamptz NOT NULL,
    observed_since timestamptz,
    observed_until timestamptz,
    entries        bytea       NOT NULL,

    CONSTRAINT stored_log_is_written_once PRIMARY KEY (lane, position, received_at)
);

SELECT create_hypertable('stored_log', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);

COMMENT ON TABLE  stored_log             IS 'one row a batch: what was stored, in the order in which it was, kept 100 days';
COMMENT ON COLUMN stored_log.position    IS 'in its lane, without holes';
COMMENT ON COLUMN stored_log.entries     IS 'the batch itself, packed by ingest.stored_log';
COMMENT ON COLUMN stored_log.observed_since IS 'earliest observed_at in the batch; null where it has no reading';

CREATE TABLE hub_heard (
    hub         text        NOT NULL,
    heard_since timestamptz NOT NULL,
    heard_until timestamptz NOT NULL,

    CONSTRAINT hub_heard_is_one_span PRIMARY KEY (hub, heard_since),
    CONSTRAINT hub_heard_ends_after_it_begins CHECK (heard_since <= heard_until),
    CONSTRAINT hub_heard_is_of_a_known_hub FOREIGN KEY (hub) REFERENCES hub (hub)
);

COMMENT ON TABLE  hub_heard             IS 'spans in which every heartbeat came in time; a gap between two is a broken promise';
COMMENT ON COLUMN hub_heard.heard_until IS 'received_at of the last heartbeat of the span';

CREATE TABLE hub_report (
    hub           text        NOT NULL,
    heard_at      timestamptz NOT NULL,
    outbox        text        NOT NULL,
    boot          text        NOT NULL,
    clock_off_by  interval    NOT NULL,
    held_readings bigint      NOT NULL,
    held_alarms   bigint      NOT NULL,
    radio_up      boolean,
    clock_set     boolean,
    link_up       boolean,
    version       text        NOT NULL,
    troubles      text[]      NOT NULL,

    CONSTRAINT hub_report_is_the_latest PRIMARY KEY (hub),
    CONSTRAINT hub_report_is_of_a_known_hub FOREIGN KEY (hub) REFERENCES hub (hub)
);

COMMENT ON COLUMN hub_report.clock_off_by IS 'received_at minus sent_at of the last heartbeat: its clock is behind where positive';
COMMENT ON COLUMN hub_report.link_up      IS 'the broker''s last word on the line; a hint only';
