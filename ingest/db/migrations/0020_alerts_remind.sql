-- owner: alerts
-- why:   whoever said mine and is silent is asked how it is, before the next person is told

SET LOCAL lock_timeout = '5s';

ALTER TABLE notification DROP CONSTRAINT notification_purpose_is_known;
ALTER TABLE notification ADD CONSTRAINT notification_purpose_is_known CHECK (
    purpose IN ('alert', 'again', 'help', 'mine', 'outcome', 'nobody', 'log-in', 'confidence', 'remind'));

COMMENT ON COLUMN notification.purpose IS 'alert and help: go there; again: pressed again; remind: how is it; mine: who goes; outcome: how it ended; nobody: none of them answered; confidence: the question how confident they feel';
