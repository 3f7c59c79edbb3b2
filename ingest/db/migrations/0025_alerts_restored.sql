-- owner: alerts
-- why:   a database that was put back to an older moment must not tell a night twice, and must say so to the operator

SET LOCAL lock_timeout = '5s';

CREATE TABLE restored (
    restored    bigint      GENERATED ALWAYS AS IDENTITY,
    backup      text        NOT NULL,
    shows       timestamptz NOT NULL,
    told_until  timestamptz NOT NULL,
    restored_at timestamptz NOT NULL,
    hold_until  timestamptz NOT NULL,

    CONSTRAINT restored_is_known_once PRIMARY KEY (restored),
    CONSTRAINT restored_is_held_from_then_on CHECK (hold_until >= restored_at)
);

COMMENT ON TABLE  restored             IS 'each time that the database was put back to an older moment';
COMMENT ON COLUMN restored.shows       IS 'the moment that the backup shows';
COMMENT ON COLUMN restored.told_until  IS 'until when people were being told, as far as is known: what fell due before was probably told';
COMMENT ON COLUMN restored.hold_until  IS 'what the operator has not decided by then is told as ever; restored_at where there is no operator to decide';

CREATE TABLE held_text (
    notification bigint      NOT NULL,
    restored     bigint      NOT NULL,
    decided_at   timestamptz,
    decided_by   text,
    decision     text,
    why          text,

    CONSTRAINT held_text_is_held_once PRIMARY KEY (notification),
    CONSTRAINT held_text_is_a_known_text FOREIGN KEY (notification) REFERENCES notification (notification),
    CONSTRAINT held_text_is_of_a_known_restore FOREIGN KEY (restored) REFERENCES restored (restored),
    CONSTRAINT held_text_was_decided_by_a_known_person FOREIGN KEY (decided_by) REFERENCES person (person),
    CONSTRAINT held_text_decision_is_known CHECK (decision IN ('told', 'dropped')),
    CONSTRAINT held_text_is_decided_whole CHECK (
        (decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (decision IS NULL)),
    CONSTRAINT held_text_is_dropped_for_a_reason CHECK (decision IS DISTINCT FROM 'dropped' OR why <> '')
);

COMMENT ON TABLE  held_text            IS 'texts that were due in the moment that a backup shows: not needed unless an operator says so';
COMMENT ON COLUMN held_text.decided_at IS 'null: the operator has not decided; nothing is sent';

CREATE INDEX held_text_to_decide ON held_text (restored) WHERE decided_at IS NULL;

ALTER TABLE notification DROP CONSTRAINT notification_purpose_is_known;
ALTER TABLE notification ADD CONSTRAINT notification_purpose_is_known CHECK (
    purpose IN ('alert', 'again', 'help', 'mine', 'outcome', 'nobody', 'log-in', 'confidence', 'remind', 'restored'));

COMMENT ON COLUMN notification.purpose IS 'alert and help: go there; again: pressed again; remind: how is it; mine: who goes; outcome: how it ended; nobody: none of them answered; confidence: the question how confident they feel; restored: the database shows an older moment';
