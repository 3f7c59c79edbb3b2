-- owner: alerts
-- why:   texts whose callback never came are looked for every second, and all texts of all years were read for it

SET LOCAL lock_timeout = '5s';

CREATE INDEX notification_of_which_nothing_was_said ON notification (sent_at) WHERE state = 'sent';
