-- owner: alerts
-- why:   where a promise is broken, nothing is known since the last thing heard, not since the promise ran out

SET LOCAL lock_timeout = '5s';

ALTER TABLE home_watch ADD COLUMN last_heard_at timestamptz;

COMMENT ON COLUMN home_watch.last_heard_at IS 'when the one whose promise runs out first was last heard; null: never, or written before there was this column';
