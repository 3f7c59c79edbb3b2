-- owner: api
-- why:   whoever has a mailbox and no phone is asked by e-mail how confident they feel, and can end that

SET LOCAL lock_timeout = '5s';

CREATE TABLE confidence_mail (
    asking       bigint      NOT NULL,
    kind         text        NOT NULL,
    token_sha256 bytea,
    tried_at     timestamptz NOT NULL,
    became       text,

    CONSTRAINT confidence_mail_is_one_of_its_kind PRIMARY KEY (asking, kind),
    CONSTRAINT confidence_mail_is_of_a_known_asking FOREIGN KEY (asking) REFERENCES confidence_asking (asking),
    CONSTRAINT confidence_mail_kind_is_known CHECK (kind IN ('question', 'reminder')),
    CONSTRAINT confidence_mail_outcome_is_known CHECK (became IN ('sent', 'refused', 'failed'))
);

CREATE UNIQUE INDEX confidence_mail_with_this_link ON confidence_mail (token_sha256);

COMMENT ON TABLE  confidence_mail              IS 'each e-mail in which somebody without a phone was asked how confident they feel, or reminded once';
COMMENT ON COLUMN confidence_mail.token_sha256 IS 'of the secret in its link, which opens this question alone; null once the mailbox is another';
COMMENT ON COLUMN confidence_mail.tried_at     IS 'by the clock that homes are judged on';
COMMENT ON COLUMN confidence_mail.became       IS 'null: it may have left, and is not sent again; failed: it is tried again';

ALTER TABLE person ADD COLUMN mail_stopped_at timestamptz;
COMMENT ON COLUMN person.mail_stopped_at IS 'asks to be asked by e-mail no more since, by the clock that homes are judged on; null: may be';

ALTER TABLE confidence_asking DROP CONSTRAINT confidence_asking_way_is_known;
ALTER TABLE confidence_asking ADD CONSTRAINT confidence_asking_way_is_known CHECK (way IN ('text', 'page', 'mail'));
COMMENT ON COLUMN confidence_asking.way IS 'text; mail for those who have no phone; or page for those whom we cannot or may not text or mail';
