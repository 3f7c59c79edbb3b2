-- owner: alerts
-- why:   how far judging has come, what it has learnt, and what is true of each home now

SET LOCAL lock_timeout = '5s';

CREATE TABLE judging_lane (
    lane           smallint    NOT NULL,
    epoch          bigint      NOT NULL DEFAULT 0,
    owner          text,
    heard_at       timestamptz,
    position       bigint      NOT NULL DEFAULT 0,
    received_through timestamptz,
    input          bigint      NOT NULL DEFAULT 0,
    saved_through  timestamptz,
    judged_through timestamptz,

    CONSTRAINT judging_lane_is_known_once PRIMARY KEY (lane),
    CONSTRAINT judging_lane_is_one_of_64 CHECK (lane BETWEEN 0 AND 63)
);

INSERT INTO judging_lane (lane) SELECT generate_series(0, 63);

COMMENT ON TABLE  judging_lane                IS 'position, input and saved_through are the place of the saved states: all judged after it raised nothing, and is judged again after a crash';
COMMENT ON COLUMN judging_lane.position       IS 'of the last row of stored_log that is in the saved states';
COMMENT ON COLUMN judging_lane.received_through IS 'received_at of that row, to bound the next look into the log';
COMMENT ON COLUMN judging_lane.input          IS 'the last judging_input that is in them';
COMMENT ON COLUMN judging_lane.saved_through  IS 'everything due up to here is in them';
COMMENT ON COLUMN judging_lane.judged_through IS 'everything due up to here was judged; never past lane.complete_through';

CREATE TABLE home_judgement (
    home          text        NOT NULL,
    format        smallint    NOT NULL,
    river_version text        NOT NULL,
    state         bytea       NOT NULL,
    written_at    timestamptz NOT NULL,

    CONSTRAINT home_judgement_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT home_judgement_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home)
);

COMMENT ON TABLE  home_judgement       IS 'what the detectors of a home remember; one that does not fit is rebuilt from the log';
COMMENT ON COLUMN home_judgement.state IS 'JSON, never a pickle';

CREATE TABLE home_watch (
    home           text        NOT NULL,
    state          text        NOT NULL,
    why            text[]      NOT NULL,
    since          timestamptz NOT NULL,
    promised_until timestamptz,
    last_seen_at   timestamptz,
    last_seen_room text,
    last_seen_sensor text,
    up_since       timestamptz,
    next_alert_at  timestamptz,
    next_alert_why jsonb       NOT NULL,
    learning       jsonb       NOT NULL,
    written_at     timestamptz NOT NULL,

    CONSTRAINT home_watch_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT home_watch_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT home_watch_state_is_known CHECK (state IN ('watched', 'degraded', 'blind'))
);

COMMENT ON TABLE  home_watch                IS 'what is true now, so that a page never scans history';
COMMENT ON COLUMN home_watch.promised_until IS 'the first moment at which a promise of this home is broken; fine lapses then at the latest';
COMMENT ON COLUMN home_watch.next_alert_at  IS 'when a stillness alert is raised if nothing more is heard; in the past if one is open; null: never, and why';
COMMENT ON COLUMN home_watch.learning       IS 'what is still being learnt: question, days so far, days needed';

CREATE TABLE watch_span (
    home  text        NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    state text        NOT NULL,
    why   text[]      NOT NULL,

    CONSTRAINT watch_span_begins_once PRIMARY KEY (home, since),
    CONSTRAINT watch_span_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT watch_span_ends_after_it_begins CHECK (since < until),
    CONSTRAINT watch_span_state_is_known CHECK (state IN ('watched', 'degraded', 'blind'))
);

CREATE UNIQUE INDEX watch_span_is_open_once ON watch_span (home) WHERE until IS NULL;

COMMENT ON TABLE  watch_span       IS 'what was known live; never rewritten';
COMMENT ON COLUMN watch_span.until IS 'excluded; null: it goes on';
