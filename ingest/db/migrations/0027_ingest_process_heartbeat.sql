-- owner: ingest
-- why:   which processes of ours there are, since when, how far each has come, and when each was last alive

SET LOCAL lock_timeout = '5s';

CREATE TABLE process_heartbeat (
    instance   text        NOT NULL,
    process    text        NOT NULL,
    release    text        NOT NULL,
    started_at timestamptz NOT NULL,
    heard_at   timestamptz NOT NULL,
    said_at    timestamptz NOT NULL,
    ended_at   timestamptz,
    doing      jsonb       NOT NULL,

    CONSTRAINT process_heartbeat_is_of_one_instance PRIMARY KEY (instance),
    CONSTRAINT process_heartbeat_has_few_words CHECK (length(instance) <= 100 AND length(process) <= 40),
    CONSTRAINT process_heartbeat_ends_after_it_begins CHECK (started_at <= heard_at)
);

COMMENT ON TABLE  process_heartbeat            IS 'one row a process since it started, written every 5 s, kept a week after its last word';
COMMENT ON COLUMN process_heartbeat.instance   IS 'host, process id and chance: no other process had it or will have it';
COMMENT ON COLUMN process_heartbeat.heard_at   IS 'by the database''s clock';
COMMENT ON COLUMN process_heartbeat.said_at    IS 'by the process''s own clock at that moment; far from heard_at, one of the two clocks is off';
COMMENT ON COLUMN process_heartbeat.ended_at   IS 'by the database''s clock: it was told to stop, and did; null where it runs or died';
COMMENT ON COLUMN process_heartbeat.doing      IS 'how far it has come, as its /ready tells; nothing of a person';
