-- owner: alerts
-- why:   the watched clock: a home's spans tile its time, what was known live stays, and what came later stands beside

SET LOCAL lock_timeout = '5s';

ALTER TABLE watch_span DROP CONSTRAINT watch_span_state_is_known;
ALTER TABLE watch_span ADD CONSTRAINT watch_span_state_is_known
    CHECK (state IN ('watched', 'degraded', 'blind', 'paused'));
ALTER TABLE home_watch DROP CONSTRAINT home_watch_state_is_known;
ALTER TABLE home_watch ADD CONSTRAINT home_watch_state_is_known
    CHECK (state IN ('watched', 'degraded', 'blind', 'paused'));

-- Of a time that nobody wrote down nobody knows anything, and that was our doing.
INSERT INTO watch_span (home, since, until, state, why)
SELECT home, until, next, 'blind', ARRAY['us'] FROM (
    SELECT home, until, lead(since) OVER (PARTITION BY home ORDER BY since) AS next FROM watch_span
) span WHERE until < next;

ALTER TABLE watch_span ADD COLUMN follows timestamptz;
UPDATE watch_span SET follows = since
WHERE EXISTS (SELECT FROM watch_span before WHERE before.home = watch_span.home AND before.until = watch_span.since);

-- One first span of a home, each other one begins where exactly one ends, and none ends before it begins: so they tile.
ALTER TABLE watch_span
    ADD CONSTRAINT watch_span_ends_once UNIQUE (home, until),
    ADD CONSTRAINT watch_span_begins_where_it_follows CHECK (follows = since),
    ADD CONSTRAINT watch_span_leaves_no_hole FOREIGN KEY (home, follows) REFERENCES watch_span (home, until);
CREATE UNIQUE INDEX watch_span_is_first_once ON watch_span (home) WHERE follows IS NULL;

COMMENT ON COLUMN watch_span.follows IS 'the end of the span before; null: the home''s first';

CREATE FUNCTION keep_watch_span() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.until IS NOT NULL OR (NEW.home, NEW.since) <> (OLD.home, OLD.since) THEN
        RAISE EXCEPTION 'what was known live of % is never rewritten', OLD.home USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER watch_span_is_never_rewritten BEFORE UPDATE ON watch_span
    FOR EACH ROW EXECUTE FUNCTION keep_watch_span();

CREATE TABLE watch_seen_later (
    home          text        NOT NULL,
    since         timestamptz NOT NULL,
    until         timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    readings      integer     NOT NULL,
    known_at      timestamptz NOT NULL,

    CONSTRAINT watch_seen_later_is_said_once PRIMARY KEY (home, since),
    CONSTRAINT watch_seen_later_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT watch_seen_later_is_within_its_time CHECK (
        since < until AND since <= first_seen_at AND first_seen_at <= last_seen_at AND last_seen_at < until),
    CONSTRAINT watch_seen_later_has_readings CHECK (readings > 0)
);

COMMENT ON TABLE  watch_seen_later          IS 'a time that was blind and of which readings arrived afterwards; it stays blind in every figure, and is explained';
COMMENT ON COLUMN watch_seen_later.readings IS 'how many had arrived by then that were observed in that time';
COMMENT ON COLUMN watch_seen_later.known_at IS 'when the hub had said that it holds nothing more';
