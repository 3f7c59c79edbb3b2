-- owner: alerts
-- why:   who did not answer in time is rung; what they say then is kept apart, because our own staff asked and wrote it down

SET LOCAL lock_timeout = '5s';

ALTER TABLE confidence_report ADD COLUMN taken_by text;
ALTER TABLE confidence_report DROP CONSTRAINT confidence_report_origin_is_known;
ALTER TABLE confidence_report ADD CONSTRAINT confidence_report_origin_is_known
    CHECK (origin IN ('scheduled', 'volunteered', 'after an alert', 'by phone'));
ALTER TABLE confidence_report ADD CONSTRAINT confidence_report_by_phone_was_taken_by_someone
    CHECK ((origin = 'by phone') = (taken_by IS NOT NULL));

CREATE TABLE confidence_ring (
    ring    bigint      GENERATED ALWAYS AS IDENTITY,
    asking  bigint      NOT NULL,
    at      timestamptz NOT NULL,
    by      text        NOT NULL,
    came_of text        NOT NULL,

    CONSTRAINT confidence_ring_is_known_once PRIMARY KEY (ring),
    CONSTRAINT confidence_ring_is_about_a_known_asking FOREIGN KEY (asking) REFERENCES confidence_asking (asking),
    CONSTRAINT confidence_ring_outcome_is_known CHECK (came_of IN ('answered', 'not reached', 'wants no question'))
);

CREATE UNIQUE INDEX confidence_ring_ends_once ON confidence_ring (asking) WHERE came_of <> 'not reached';
CREATE INDEX confidence_ring_of_an_asking ON confidence_ring (asking);

COMMENT ON COLUMN confidence_report.origin   IS 'only scheduled answers make the headline; by phone: somebody who was asked and had not answered was rung';
COMMENT ON COLUMN confidence_report.taken_by IS 'the operator who heard it on the phone; null: nobody but the person wrote it';
COMMENT ON TABLE  confidence_ring            IS 'each time that somebody who had not answered the question was rung';
COMMENT ON COLUMN confidence_ring.by         IS 'the operator who rang';
