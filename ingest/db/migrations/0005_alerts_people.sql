-- owner: alerts
-- why:   who lives in a home, and who is told first and second

SET LOCAL lock_timeout = '5s';

CREATE TABLE resident (
    home       text NOT NULL,
    first_name text NOT NULL,
    full_name  text NOT NULL,
    phone      text,
    address    text,
    know       text,

    CONSTRAINT resident_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT resident_is_in_a_known_home FOREIGN KEY (home) REFERENCES home (home)
);

COMMENT ON COLUMN resident.know IS 'what someone who goes there should know: key safe, hearing, a dog';

CREATE TABLE person (
    person    text NOT NULL,
    full_name text NOT NULL,
    what      text,
    phone     text,
    is_operator boolean NOT NULL DEFAULT false,

    CONSTRAINT person_is_known_once PRIMARY KEY (person),
    CONSTRAINT person_phone_is_e164 CHECK (phone ~ '^\+[1-9][0-9]{6,14}$')
);

CREATE UNIQUE INDEX person_with_this_phone ON person (phone);

COMMENT ON TABLE  person       IS 'anyone who may be told or may sign in, except residents';
COMMENT ON COLUMN person.what  IS 'daughter, neighbour, warden: as others know them';

CREATE TABLE telling_step (
    home     text     NOT NULL,
    position smallint NOT NULL,
    person   text     NOT NULL,

    CONSTRAINT telling_step_is_one_a_position PRIMARY KEY (home, position),
    CONSTRAINT telling_step_names_a_person_once UNIQUE (home, person),
    CONSTRAINT telling_step_is_of_a_known_home FOREIGN KEY (home) REFERENCES home (home),
    CONSTRAINT telling_step_is_a_known_person FOREIGN KEY (person) REFERENCES person (person)
);

COMMENT ON TABLE  telling_step          IS 'who is told about a home, in order; the operator comes after the last';
COMMENT ON COLUMN telling_step.position IS '1 is told first';

CREATE TABLE service (
    only_one    boolean NOT NULL DEFAULT true,
    name        text    NOT NULL,
    operator    text,

    CONSTRAINT service_is_one PRIMARY KEY (only_one),
    CONSTRAINT service_is_the_only_one CHECK (only_one),
    CONSTRAINT service_operator_is_a_known_person FOREIGN KEY (operator) REFERENCES person (person)
);

COMMENT ON COLUMN service.name     IS 'as it signs its texts and heads its pages';
COMMENT ON COLUMN service.operator IS 'whose phone gets what nobody else can be told, and faults of equipment';
