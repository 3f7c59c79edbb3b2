-- owner: alerts
-- why:   one message to one person by one channel: due, then trying, then sent

SET LOCAL lock_timeout = '5s';

CREATE TABLE notification (
    notification bigint      GENERATED ALWAYS AS IDENTITY,
    key          text        NOT NULL,
    alert        bigint,
    person       text        NOT NULL,
    phone        text,
    purpose      text        NOT NULL,
    why          text,
    body         text        NOT NULL,
    code         smallint,
    state        text        NOT NULL,
    due_at       timestamptz NOT NULL,
    worth_until  timestamptz NOT NULL,
    try_after    timestamptz,
    claimed_by   text,
    claimed_at   timestamptz,
    attempts     smallint    NOT NULL DEFAULT 0,
    trying_at    timestamptz,
    sent_at      timestamptz,
    delivered_at timestamptz,
    failed_at    timestamptz,
    sid          text,
    error        text,

    CONSTRAINT notification_is_known_once PRIMARY KEY (notification),
    CONSTRAINT notification_has_a_key_of_its_own UNIQUE (key),
    CONSTRAINT notification_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert (alert),
    CONSTRAINT notification_is_to_a_known_person FOREIGN KEY (person) REFERENCES person (person),
    CONSTRAINT notification_state_is_known CHECK (
        state IN ('due', 'trying', 'sent', 'delivered', 'undelivered', 'failed', 'not needed')),
    CONSTRAINT notification_purpose_is_known CHECK (
        purpose IN ('alert', 'again', 'help', 'mine', 'outcome', 'nobody', 'log-in')),
    CONSTRAINT notification_without_a_phone_fails CHECK (phone IS NOT NULL OR state = 'failed')
);

CREATE INDEX notification_to_try_next ON notification (due_at) WHERE state IN ('due', 'trying');
CREATE INDEX notification_of_an_alert ON notification (alert);
CREATE INDEX notification_by_sid ON notification (sid);

COMMENT ON COLUMN notification.key     IS 'random; part of the status callback''s address, so a callback is understood even before sent was written';
COMMENT ON COLUMN notification.purpose IS 'alert and help: go there; again: pressed again; mine: who goes; outcome: how it ended; nobody: none of them answered';
COMMENT ON COLUMN notification.phone   IS 'null: this person has none, so it failed at once';
COMMENT ON COLUMN notification.why     IS 'why it is this person''s turn: first, no answer, not reached, let go';
COMMENT ON COLUMN notification.due_at  IS 'by the platform''s clock: when the text is to leave';
COMMENT ON COLUMN notification.worth_until IS 'from then on it is not sent any more';
COMMENT ON COLUMN notification.try_after IS 'by the database''s clock: not tried again before; null: not tried yet';
COMMENT ON COLUMN notification.claimed_at IS 'by the database''s clock: its teller was alive then; another takes it when that is 10 s ago';
COMMENT ON COLUMN notification.code    IS 'what the person writes in front of mine, well or help';

CREATE TABLE reply_code (
    phone    text        NOT NULL,
    code     smallint    NOT NULL,
    alert    bigint      NOT NULL,
    given_at timestamptz NOT NULL,

    CONSTRAINT reply_code_is_one_an_alert_and_phone PRIMARY KEY (phone, alert),
    CONSTRAINT reply_code_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert (alert)
);

CREATE INDEX reply_code_of_a_phone_lately ON reply_code (phone, given_at DESC);

COMMENT ON TABLE reply_code IS 'a code is not used again for a phone within 7 days';

CREATE TABLE text_received (
    sid         text        NOT NULL,
    phone       text        NOT NULL,
    body        text        NOT NULL,
    received_at timestamptz NOT NULL,
    understood  text        NOT NULL,
    alert       bigint,
    answer      text        NOT NULL,

    CONSTRAINT text_received_is_known_once PRIMARY KEY (sid),
    CONSTRAINT text_received_is_about_a_known_alert FOREIGN KEY (alert) REFERENCES alert (alert)
);

COMMENT ON TABLE  text_received            IS 'each text a phone sent us, once, however often Twilio says so';
COMMENT ON COLUMN text_received.understood IS 'what we took it for, or the words not understood';
COMMENT ON COLUMN text_received.answer     IS 'what it was answered, so that a repeated webhook hears the same; empty: nothing';
