-- owner: alerts
-- why:   the numbers that a home is judged by, versioned, and whatever else influences a judgement

SET LOCAL lock_timeout = '5s';

CREATE TABLE policy (
    policy                 bigint      GENERATED ALWAYS AS IDENTITY,
    home                   text        NOT NULL,
    still_for              interval    NOT NULL,
    waking_from            time        NOT NULL,
    waking_until           time        NOT NULL,
    hub_silent_carer_after interval    NOT NULL,
    escalate_after         interval    NOT NULL,
    again_after            interval    NOT NULL,
    learned                boolean     NOT NULL,
    in_force_since         timestamptz NOT NULL,
    set_at                 timestamptz NOT NULL,
    set_by                 text        NOT NULL,
    why                    text        NOT NULL,

    CONSTRAINT policy_is_known_once PRIMARY KEY (policy),
    CONSTRAINT policy_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT policy_waits_are_positive CHECK (
        still_for > '0' AND hub_silent_carer_after > '0' AND escalate_after > '0' AND again_after > '0')
);

CREATE INDEX policy_of_a_home_by_time ON policy (home, in_force_since);

COMMENT ON TABLE  policy                IS 'never changed, only followed by a newer one';
COMMENT ON COLUMN policy.still_for      IS 'no sign of life for this long of waking hours raises an alert';
COMMENT ON COLUMN policy.waking_from    IS 'Europe/London wall time; waking hours end at waking_until, which may be past midnight';
COMMENT ON COLUMN policy.hub_silent_carer_after IS 'a hub silent for this long is told to the first carer too';
COMMENT ON COLUMN policy.escalate_after IS 'the next person is told when nobody has said mine for this long';
COMMENT ON COLUMN policy.again_after    IS 'an alert that was closed while its cause still holds is raised again after this long';
COMMENT ON COLUMN policy.learned        IS 'whether the learned stillness question is asked beside the plain one';

CREATE TABLE judging_input (
    input       bigint      GENERATED ALWAYS AS IDENTITY,
    lane        smallint    NOT NULL,
    home        text        NOT NULL,
    counts_from timestamptz NOT NULL,
    kind        text        NOT NULL,
    content     jsonb       NOT NULL,

    CONSTRAINT judging_input_is_known_once PRIMARY KEY (input),
    CONSTRAINT judging_input_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT judging_input_is_of_a_known_kind CHECK (kind IN ('policy', 'closed', 'sensors', 'watched', 'stretch'))
);

CREATE INDEX judging_input_of_a_lane_by_time ON judging_input (lane, counts_from, input);

COMMENT ON TABLE  judging_input             IS 'what influences judgement besides the log; what is not here cannot';
COMMENT ON COLUMN judging_input.counts_from IS 'the lane''s complete_through when it was written, with that row locked: counts for all judged after it';
COMMENT ON COLUMN judging_input.kind        IS 'policy: the numbers; closed: an alert and its outcome; sensors: which there are; watched: the home is watched from here on; stretch: how much later promises may be kept while time is sped up';
