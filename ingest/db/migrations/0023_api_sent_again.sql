-- owner: api
-- why:   a program that did not hear the answer may ask again, and nothing is done twice

SET LOCAL lock_timeout = '5s';

CREATE TABLE api_sent (
    token        text        NOT NULL,
    key          text        NOT NULL,
    asked_sha256 bytea       NOT NULL,
    number       bigint,
    sent_at      timestamptz NOT NULL,

    CONSTRAINT api_sent_is_done_once PRIMARY KEY (token, key),
    CONSTRAINT api_sent_is_by_a_known_token FOREIGN KEY (token) REFERENCES api_token (name),
    CONSTRAINT api_sent_key_is_bounded CHECK (length(key) BETWEEN 1 AND 100)
);

CREATE INDEX api_sent_to_forget ON api_sent (sent_at);

COMMENT ON TABLE  api_sent              IS 'what a program sent with an Idempotency-Key in the last day, and the number of what was made of it';
COMMENT ON COLUMN api_sent.asked_sha256 IS 'of method, address and body: the same key with another request is refused';
COMMENT ON COLUMN api_sent.number       IS 'of the shift, the override or the look back; null: only within the transaction that makes it';
COMMENT ON COLUMN api_sent.sent_at      IS 'by the system''s clock';
