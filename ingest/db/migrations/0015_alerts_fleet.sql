-- owner: alerts
-- why:   a page of all homes looks for what is open and what was blind lately, and must not read the years before

SET LOCAL lock_timeout = '5s';

CREATE INDEX alert_that_is_open ON alert (home, at) WHERE state <> 'closed' AND part_of IS NULL;
CREATE INDEX watch_span_that_is_blind ON watch_span (until) WHERE state = 'blind';
