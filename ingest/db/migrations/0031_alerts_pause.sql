-- owner: alerts
-- why:   who is away, or asked not to be watched over for a time, is looked for by nobody; and that ends by itself

SET LOCAL lock_timeout = '5s';

ALTER TABLE judging_input DROP CONSTRAINT judging_input_is_of_a_known_kind;
ALTER TABLE judging_input ADD CONSTRAINT judging_input_is_of_a_known_kind CHECK (
    kind IN ('policy', 'closed', 'sensors', 'watched', 'stretch', 'pause'));

CREATE TABLE pause (
    pause      bigint      GENERATED ALWAYS AS IDENTITY,
    home       text        NOT NULL,
    kind       text        NOT NULL,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    why        text        NOT NULL,
    written_at timestamptz NOT NULL,
    written_by text        NOT NULL,
    ended_at   timestamptz,
    ended_by   text,

    CONSTRAINT pause_is_known_once PRIMARY KEY (pause),
    CONSTRAINT pause_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT pause_kind_is_known CHECK (kind IN ('away', 'paused')),
    CONSTRAINT pause_ends_after_it_begins CHECK (until > since),
    CONSTRAINT pause_ends_by_itself_within_a_quarter CHECK (until <= since + interval '93 days'),
    CONSTRAINT pause_was_ended_by_somebody CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

CREATE UNIQUE INDEX pause_is_one_a_home ON pause (home) WHERE ended_at IS NULL;
CREATE INDEX pauses_of_a_home ON pause (home, pause DESC);

COMMENT ON TABLE  pause            IS 'a home has one at most that nobody ended; judgement knows it by its input `pause`, and looks for nobody while it lasts';
COMMENT ON COLUMN pause.kind       IS 'away: nobody is there; paused: the resident asked not to be watched over';
COMMENT ON COLUMN pause.until      IS 'excluded; it ends by itself then, by the clock that homes are judged on';
COMMENT ON COLUMN pause.written_by IS 'a person, setup or the command line';
COMMENT ON COLUMN pause.ended_at   IS 'when a person took it back or another took its place; empty: it ends by itself';
