-- made by ingest.db.catalogue; never run

CREATE TABLE access_grant (
    person text NOT NULL,
    home text NOT NULL,
    view text NOT NULL,
    given_at timestamp with time zone NOT NULL,
    given_by text NOT NULL,
    withdrawn_at timestamp with time zone,
    CONSTRAINT access_grant_is_given_once PRIMARY KEY (person, home, view),
    CONSTRAINT access_grant_is_for_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT access_grant_is_to_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT access_grant_view_is_known CHECK ((view = ANY (ARRAY['family'::text, 'carer'::text])))
);

CREATE TABLE access_record (
    viewer text NOT NULL,
    home text NOT NULL,
    view text NOT NULL,
    quarter timestamp with time zone NOT NULL,
    CONSTRAINT access_record_is_one_a_quarter PRIMARY KEY (home, viewer, view, quarter)
);
-- access_record: every look at a home, which the resident can have
-- access_record.quarter: the beginning of the quarter of an hour

CREATE TABLE acknowledgement (
    acknowledgement bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    alert bigint NOT NULL,
    person text NOT NULL,
    at timestamp with time zone NOT NULL,
    how text NOT NULL,
    let_go_at timestamp with time zone,
    let_go_why text,
    CONSTRAINT acknowledgement_is_known_once PRIMARY KEY (acknowledgement),
    CONSTRAINT acknowledgement_came_by_a_known_way CHECK ((how = ANY (ARRAY['text'::text, 'page'::text]))),
    CONSTRAINT acknowledgement_is_by_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT acknowledgement_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert(alert)
);
CREATE UNIQUE INDEX acknowledgement_is_held_by_one ON public.acknowledgement USING btree (alert) WHERE (let_go_at IS NULL);
-- acknowledgement: a named person said mine; it is not over yet

CREATE TABLE alarm (
    identity text NOT NULL,
    alert bigint NOT NULL,
    hub text NOT NULL,
    sensor text,
    room text,
    quantity text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    uncertain_since timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    unreadable text,
    CONSTRAINT alarm_is_told_once PRIMARY KEY (identity),
    CONSTRAINT alarm_belongs_to_an_alert FOREIGN KEY (alert) REFERENCES alert(alert)
);
CREATE INDEX alarm_of_an_alert ON public.alarm USING btree (alert);
-- alarm: each press; those that come while the alert is open belong to it
-- alarm.identity: hub/outbox/number, or hub/sha256 of bytes that could not be read
-- alarm.uncertain_since: the earliest it can have been, where the hub's clock was wrong; otherwise null
-- alarm.unreadable: why it could not be read; null where it could

CREATE TABLE alert (
    alert bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text,
    hub text,
    question text NOT NULL,
    subject text NOT NULL,
    episode text NOT NULL,
    is_fault boolean NOT NULL,
    for_operator boolean NOT NULL,
    part_of bigint,
    since timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    why jsonb NOT NULL,
    policy bigint,
    cause_ended_at timestamp with time zone,
    next_telling_at timestamp with time zone,
    nobody_left_at timestamp with time zone,
    state text NOT NULL,
    outcome text,
    closed_at timestamp with time zone,
    closed_by text,
    closing_word text,
    CONSTRAINT alert_is_known_once PRIMARY KEY (alert),
    CONSTRAINT alert_is_about_a_home_or_a_hub CHECK (((home IS NOT NULL) OR (hub IS NOT NULL))),
    CONSTRAINT alert_is_closed_with_an_outcome CHECK (((state = 'closed'::text) = ((outcome IS NOT NULL) AND (closed_at IS NOT NULL) AND (closed_by IS NOT NULL)))),
    CONSTRAINT alert_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT alert_is_part_of_a_known_alert FOREIGN KEY (part_of) REFERENCES alert(alert),
    CONSTRAINT alert_outcome_is_known CHECK ((outcome = ANY (ARRAY['help given'::text, 'ambulance'::text, 'all well'::text, 'false alarm'::text, 'test'::text, 'mended'::text]))),
    CONSTRAINT alert_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'acknowledged'::text, 'closed'::text]))),
    CONSTRAINT alert_was_raised_by_a_known_policy FOREIGN KEY (policy) REFERENCES policy(policy)
);
CREATE INDEX alert_of_a_home_lately ON public.alert USING btree (home, raised_at DESC);
CREATE INDEX alert_that_is_open ON public.alert USING btree (home, at) WHERE ((state <> 'closed'::text) AND (part_of IS NULL));
CREATE INDEX alert_to_tell_next ON public.alert USING btree (next_telling_at) WHERE (next_telling_at IS NOT NULL);
CREATE INDEX alert_with_its_parts ON public.alert USING btree (part_of) WHERE (part_of IS NOT NULL);
CREATE INDEX alert_with_nobody_left ON public.alert USING btree (alert) WHERE ((nobody_left_at IS NOT NULL) AND (state = 'open'::text));
CREATE UNIQUE INDEX alert_is_open_once_a_question ON public.alert USING btree (COALESCE(home, hub), question, subject, for_operator) WHERE ((state <> 'closed'::text) AND (part_of IS NULL) AND (cause_ended_at IS NULL));
CREATE UNIQUE INDEX alert_is_raised_once_an_episode ON public.alert USING btree (COALESCE(home, ''::text), COALESCE(hub, ''::text), question, episode);
-- alert.question: what was asked: alarm, still, still_unusual, hub_silent ...
-- alert.subject: what of it, where one question may be open for several at once: the hub, and its trouble; otherwise empty
-- alert.episode: what makes it this one: since of the stillness, number of the alarm
-- alert.is_fault: equipment needs someone: told to the operator first
-- alert.for_operator: told to the operator first: a fault, an alarm older than a day, a hub without a home
-- alert.part_of: the open alert whose story this finding joined: told, answered and closed with it
-- alert.since: frozen when first raised
-- alert.at: the moment that it is true of; raised_at is when it was done
-- alert.why: what was seen, what is usual, how sure: facts, from which wording makes sentences
-- alert.cause_ended_at: seen again, heard again: a fact beside the alert, which only a person closes unless it is a fault
-- alert.next_telling_at: when to look who is told next; null: nobody, until something happens
-- alert.nobody_left_at: everybody was asked and nobody said mine: said loudly then; null again when somebody is asked again
-- alert.closed_by: a person, or the word telecare for a fault that mended itself

CREATE TABLE api_sent (
    token text NOT NULL,
    key text NOT NULL,
    asked_sha256 bytea NOT NULL,
    number bigint,
    sent_at timestamp with time zone NOT NULL,
    CONSTRAINT api_sent_is_done_once PRIMARY KEY (token, key),
    CONSTRAINT api_sent_is_by_a_known_token FOREIGN KEY (token) REFERENCES api_token(name),
    CONSTRAINT api_sent_key_is_bounded CHECK (((length(key) >= 1) AND (length(key) <= 100)))
);
CREATE INDEX api_sent_to_forget ON public.api_sent USING btree (sent_at);
-- api_sent: what a program sent with an Idempotency-Key in the last day, and the number of what was made of it
-- api_sent.asked_sha256: of method, address and body: the same key with another request is refused
-- api_sent.number: of the shift, the override or the look back; null: only within the transaction that makes it
-- api_sent.sent_at: by the system's clock

CREATE TABLE api_token (
    name text NOT NULL,
    token_sha256 bytea NOT NULL,
    person text NOT NULL,
    scopes text[] NOT NULL,
    homes text[],
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_token_has_a_name_of_its_own PRIMARY KEY (name),
    CONSTRAINT api_token_has_a_plain_name CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT api_token_has_something_to_do CHECK ((cardinality(scopes) > 0)),
    CONSTRAINT api_token_is_known_once UNIQUE (token_sha256),
    CONSTRAINT api_token_speaks_for_a_known_person FOREIGN KEY (person) REFERENCES person(person)
);
-- api_token: a program's key; it opens no more than its person may see
-- api_token.token_sha256: who reads the database cannot use it
-- api_token.homes: null: every home that its person may see
-- api_token.made_at: by the system's clock, as are the other moments here
-- api_token.last_used_at: to the minute

CREATE TABLE change_record (
    change bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL,
    home text,
    person text,
    what text NOT NULL,
    content jsonb NOT NULL,
    CONSTRAINT change_record_is_known_once PRIMARY KEY (change),
    CONSTRAINT change_record_says_what_was_done CHECK ((what <> ''::text))
);
CREATE INDEX change_record_of_a_home ON public.change_record USING btree (home, at DESC);
CREATE INDEX change_record_of_a_person ON public.change_record USING btree (person, at DESC);
-- change_record: every act by which an operator, a setup or a carer changed people, homes, consents or the rota
-- change_record.by: a person's key, or setup or the command line for whoever was at the server
-- change_record.content: what was written, with the names and numbers that were

CREATE TABLE confidence_asking (
    asking bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text NOT NULL,
    person text NOT NULL,
    audience text NOT NULL,
    question smallint NOT NULL,
    round smallint NOT NULL,
    place smallint NOT NULL,
    home_group text,
    due_at timestamp with time zone NOT NULL,
    put_off_at timestamp with time zone,
    asked_at timestamp with time zone,
    answer_until timestamp with time zone,
    way text,
    reminded_at timestamp with time zone,
    ended_at timestamp with time zone,
    state text NOT NULL,
    report bigint,
    CONSTRAINT confidence_asking_is_known_once PRIMARY KEY (asking),
    CONSTRAINT confidence_asking_audience_is_known CHECK ((audience = ANY (ARRAY['family'::text, 'unpaid carer'::text, 'paid carer'::text]))),
    CONSTRAINT confidence_asking_has_a_known_report FOREIGN KEY (report) REFERENCES confidence_report(report),
    CONSTRAINT confidence_asking_is_about_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT confidence_asking_is_answered_with_a_report CHECK (((state = 'answered'::text) = (report IS NOT NULL))),
    CONSTRAINT confidence_asking_is_asked_before_it_is_answered CHECK (((state = ANY (ARRAY['asked'::text, 'answered'::text, 'lapsed'::text])) = (asked_at IS NOT NULL))),
    CONSTRAINT confidence_asking_is_asked_whole CHECK ((((asked_at IS NULL) = (answer_until IS NULL)) AND ((asked_at IS NULL) = (way IS NULL)))),
    CONSTRAINT confidence_asking_is_of_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT confidence_asking_is_of_a_known_question FOREIGN KEY (question) REFERENCES confidence_question(question),
    CONSTRAINT confidence_asking_is_one_a_round UNIQUE (home, person, round),
    CONSTRAINT confidence_asking_is_over_when_it_ended CHECK (((state = ANY (ARRAY['due'::text, 'asked'::text])) = (ended_at IS NULL))),
    CONSTRAINT confidence_asking_state_is_known CHECK ((state = ANY (ARRAY['due'::text, 'asked'::text, 'answered'::text, 'lapsed'::text, 'withdrawn'::text]))),
    CONSTRAINT confidence_asking_way_is_known CHECK ((way = ANY (ARRAY['text'::text, 'page'::text, 'mail'::text])))
);
CREATE INDEX confidence_asking_by_quarter ON public.confidence_asking USING btree (answer_until);
CREATE INDEX confidence_asking_of_a_person_lately ON public.confidence_asking USING btree (person, asked_at DESC);
CREATE UNIQUE INDEX confidence_asking_is_open_once_a_person ON public.confidence_asking USING btree (person) WHERE (state = ANY (ARRAY['due'::text, 'asked'::text]));
CREATE UNIQUE INDEX confidence_asking_of_a_report ON public.confidence_asking USING btree (report);
-- confidence_asking: the question put to one person about one home, once a round; who is asked is decided by the schedule alone
-- confidence_asking.round: 0: before the service began to count; 1, 2, 3: by month; then by quarter
-- confidence_asking.place: 1: whose answer counts for the home if there are several: who was given access first
-- confidence_asking.home_group: the home's group when it was asked; null: in none
-- confidence_asking.due_at: by the schedule of the home
-- confidence_asking.put_off_at: when it was first put off because an alert was open; it is asked after it all the same
-- confidence_asking.answer_until: excluded; says which quarter it belongs to; set when it is asked and never moved
-- confidence_asking.way: text; mail for those who have no phone; or page for those whom we cannot or may not text or mail
-- confidence_asking.report: the answer; null until there is one

CREATE TABLE confidence_call (
    call bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text NOT NULL,
    person text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    taken_by text,
    rung_at timestamp with time zone,
    rung_by text,
    tries smallint DEFAULT 0 NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    came_of text,
    note text,
    CONSTRAINT confidence_call_is_known_once PRIMARY KEY (call),
    CONSTRAINT confidence_call_is_about_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT confidence_call_is_closed_with_what_came_of_it CHECK ((((closed_at IS NULL) = (closed_by IS NULL)) AND ((closed_at IS NULL) = (came_of IS NULL)))),
    CONSTRAINT confidence_call_is_rung_by_someone CHECK (((rung_at IS NULL) = (rung_by IS NULL))),
    CONSTRAINT confidence_call_is_taken_by_someone CHECK (((taken_at IS NULL) = (taken_by IS NULL))),
    CONSTRAINT confidence_call_is_to_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT confidence_call_note_is_bounded CHECK ((length(note) <= 2000)),
    CONSTRAINT confidence_call_outcome_is_known CHECK ((came_of = ANY (ARRAY['something changes'::text, 'talked'::text, 'wants no call'::text, 'not reached'::text])))
);
CREATE UNIQUE INDEX confidence_call_is_open_once ON public.confidence_call USING btree (home, person) WHERE (closed_at IS NULL);
-- confidence_call: somebody answered 1 or 2 and was promised that a person rings; what was answered is not repeated here
-- confidence_call.taken_by: the operator who said that they will ring
-- confidence_call.tries: how often it was rung

CREATE TABLE confidence_edition (
    quarter date NOT NULL,
    edition smallint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    why text NOT NULL,
    form text NOT NULL,
    content bytea NOT NULL,
    sha256 bytea NOT NULL,
    CONSTRAINT confidence_edition_is_never_changed PRIMARY KEY (quarter, edition, form),
    CONSTRAINT confidence_edition_begins_at_one CHECK ((edition >= 1)),
    CONSTRAINT confidence_edition_form_is_known CHECK ((form = ANY (ARRAY['page'::text, 'csv'::text, 'json'::text]))),
    CONSTRAINT confidence_edition_is_of_a_quarter CHECK (((EXTRACT(day FROM quarter) = (1)::numeric) AND (EXTRACT(month FROM quarter) = ANY (ARRAY[(1)::numeric, (4)::numeric, (7)::numeric, (10)::numeric])))),
    CONSTRAINT confidence_edition_is_what_its_sum_says CHECK ((sha256 = sha256(content)))
);
-- confidence_edition: what was published of a closed quarter, in its very bytes; a correction is a new edition
-- confidence_edition.quarter: its first day, in Britain
-- confidence_edition.made_by: telecare: once the quarter was closed; or who corrected it
-- confidence_edition.why: for a correction, what was wrong

CREATE TABLE confidence_mail (
    asking bigint NOT NULL,
    kind text NOT NULL,
    token_sha256 bytea,
    tried_at timestamp with time zone NOT NULL,
    became text,
    CONSTRAINT confidence_mail_is_one_of_its_kind PRIMARY KEY (asking, kind),
    CONSTRAINT confidence_mail_is_of_a_known_asking FOREIGN KEY (asking) REFERENCES confidence_asking(asking),
    CONSTRAINT confidence_mail_kind_is_known CHECK ((kind = ANY (ARRAY['question'::text, 'reminder'::text]))),
    CONSTRAINT confidence_mail_outcome_is_known CHECK ((became = ANY (ARRAY['sent'::text, 'refused'::text, 'failed'::text])))
);
CREATE UNIQUE INDEX confidence_mail_with_this_link ON public.confidence_mail USING btree (token_sha256);
-- confidence_mail: each e-mail in which somebody without a phone was asked how confident they feel, or reminded once
-- confidence_mail.token_sha256: of the secret in its link, which opens this question alone; null once the mailbox is another
-- confidence_mail.tried_at: by the clock that homes are judged on
-- confidence_mail.became: null: it may have left, and is not sent again; failed: it is tried again

CREATE TABLE confidence_question (
    question smallint NOT NULL,
    audience text NOT NULL,
    wording text NOT NULL,
    labels text[] NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT confidence_question_is_never_edited PRIMARY KEY (question),
    CONSTRAINT confidence_question_audience_is_known CHECK ((audience = ANY (ARRAY['family'::text, 'carer'::text, 'unpaid carer'::text, 'paid carer'::text]))),
    CONSTRAINT confidence_question_has_five_labels CHECK ((cardinality(labels) = 5))
);
-- confidence_question: a change of wording is a new version and a new series
-- confidence_question.wording: with {first_name} for the resident's
-- confidence_question.labels: for the answers 1 to 5, in that order

CREATE TABLE confidence_report (
    report bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text NOT NULL,
    person text NOT NULL,
    question smallint NOT NULL,
    origin text NOT NULL,
    answer smallint,
    words text,
    answered_at timestamp with time zone NOT NULL,
    rung_at timestamp with time zone,
    rung_by text,
    taken_by text,
    CONSTRAINT confidence_report_is_known_once PRIMARY KEY (report),
    CONSTRAINT confidence_report_answer_is_1_to_5 CHECK (((answer >= 1) AND (answer <= 5))),
    CONSTRAINT confidence_report_answers_a_known_question FOREIGN KEY (question) REFERENCES confidence_question(question),
    CONSTRAINT confidence_report_by_phone_was_taken_by_someone CHECK (((origin = 'by phone'::text) = (taken_by IS NOT NULL))),
    CONSTRAINT confidence_report_is_about_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT confidence_report_is_by_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT confidence_report_is_rung_by_someone CHECK (((rung_at IS NULL) = (rung_by IS NULL))),
    CONSTRAINT confidence_report_origin_is_known CHECK ((origin = ANY (ARRAY['scheduled'::text, 'volunteered'::text, 'after an alert'::text, 'by phone'::text]))),
    CONSTRAINT confidence_report_words_are_bounded CHECK ((length(words) <= 2000))
);
CREATE INDEX confidence_report_of_a_home_lately ON public.confidence_report USING btree (home, answered_at DESC);
-- confidence_report.origin: only scheduled answers make the headline; by phone: somebody who was asked and had not answered was rung
-- confidence_report.answer: null: cannot say
-- confidence_report.rung_at: when somebody rang a family that answered 1 or 2, as the page promises them
-- confidence_report.taken_by: the operator who heard it on the phone; null: nobody but the person wrote it

CREATE TABLE confidence_ring (
    ring bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    asking bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL,
    came_of text NOT NULL,
    CONSTRAINT confidence_ring_is_known_once PRIMARY KEY (ring),
    CONSTRAINT confidence_ring_is_about_a_known_asking FOREIGN KEY (asking) REFERENCES confidence_asking(asking),
    CONSTRAINT confidence_ring_outcome_is_known CHECK ((came_of = ANY (ARRAY['answered'::text, 'not reached'::text, 'wants no question'::text])))
);
CREATE INDEX confidence_ring_of_an_asking ON public.confidence_ring USING btree (asking);
CREATE UNIQUE INDEX confidence_ring_ends_once ON public.confidence_ring USING btree (asking) WHERE (came_of <> 'not reached'::text);
-- confidence_ring: each time that somebody who had not answered the question was rung
-- confidence_ring.by: the operator who rang

CREATE TABLE consent (
    consent bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text NOT NULL,
    what text NOT NULL,
    person text,
    view text,
    basis text NOT NULL,
    said_by text NOT NULL,
    why text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    written_at timestamp with time zone NOT NULL,
    written_by text NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_by text,
    CONSTRAINT consent_is_known_once PRIMARY KEY (consent),
    CONSTRAINT consent_basis_is_known CHECK ((basis = ANY (ARRAY['resident'::text, 'attorney'::text, 'best interests'::text, 'not asked yet'::text]))),
    CONSTRAINT consent_ends_after_it_begins CHECK ((until > since)),
    CONSTRAINT consent_is_for_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT consent_is_for_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT consent_is_to_care_or_to_data CHECK ((what = ANY (ARRAY['care'::text, 'data'::text]))),
    CONSTRAINT consent_says_who_said_so_and_is_not_empty CHECK (((said_by <> ''::text) AND (why <> ''::text))),
    CONSTRAINT consent_to_data_names_who_may_see_which_view CHECK ((((what = 'data'::text) = (person IS NOT NULL)) AND ((what = 'data'::text) = (view IS NOT NULL)))),
    CONSTRAINT consent_view_is_known CHECK ((view = ANY (ARRAY['family'::text, 'carer'::text]))),
    CONSTRAINT consent_was_withdrawn_by_somebody CHECK (((withdrawn_at IS NULL) = (withdrawn_by IS NULL)))
);
CREATE INDEX consent_of_a_home ON public.consent USING btree (home);
CREATE INDEX consent_of_a_person_in_force ON public.consent USING btree (person, home, view) WHERE (withdrawn_at IS NULL);
-- consent: a grant shows nothing without one in force; operators run the service and need none
-- consent.what: care: being watched over at all; data: this person may see this view.  Each is asked for by itself
-- consent.basis: resident: their own yes; attorney: whoever decides for them by law; best interests: decided for one who cannot; not asked yet: given before consents were kept
-- consent.said_by: the name of whoever said yes, or decided
-- consent.why: what for, in the words in which it was agreed
-- consent.until: excluded; by the clock that homes are judged on

CREATE TABLE erasure (
    erasure bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    what text NOT NULL,
    subject text,
    subject_sha256 bytea NOT NULL,
    instead text NOT NULL,
    lane smallint,
    input bigint,
    hubs text[],
    hubs_sha256 bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    log_cleared_at timestamp with time zone,
    done_at timestamp with time zone,
    CONSTRAINT erasure_is_known_once PRIMARY KEY (erasure),
    CONSTRAINT erasure_forgets_whom_when_it_is_done CHECK ((((done_at IS NULL) = (subject IS NOT NULL)) AND ((done_at IS NULL) OR (hubs IS NULL)))),
    CONSTRAINT erasure_is_of_a_home_or_a_person CHECK ((what = ANY (ARRAY['home'::text, 'person'::text]))),
    CONSTRAINT erasure_is_of_a_subject_once UNIQUE (what, subject_sha256),
    CONSTRAINT erasure_of_a_home_has_its_lane CHECK (((what = 'home'::text) = (lane IS NOT NULL)))
);
CREATE INDEX erasure_of_a_hub ON public.erasure USING gin (hubs_sha256);
CREATE INDEX erasure_to_do ON public.erasure USING btree (erasure) WHERE (done_at IS NULL);
-- erasure: homes and people of whom all that tells who they are was erased, or is being; a name here is not given again
-- erasure.subject: the key of the home or person; null once it is done
-- erasure.subject_sha256: of the key: a restore finds by it whom to erase again
-- erasure.instead: the key that stands for it in what is kept; made of chance alone
-- erasure.input: the judging_input after which judgement knows the home no more; null for a person
-- erasure.hubs: of the home; null once it is done
-- erasure.hubs_sha256: of the names of its hubs: what they send is not kept
-- erasure.asked_at: by the clock that homes are judged on, as are the other moments here
-- erasure.log_cleared_at: when nothing of the home was left in stored_log; null: not yet, or a person

CREATE TABLE held_text (
    notification bigint NOT NULL,
    restored bigint NOT NULL,
    decided_at timestamp with time zone,
    decided_by text,
    decision text,
    why text,
    CONSTRAINT held_text_is_held_once PRIMARY KEY (notification),
    CONSTRAINT held_text_decision_is_known CHECK ((decision = ANY (ARRAY['told'::text, 'dropped'::text]))),
    CONSTRAINT held_text_is_a_known_text FOREIGN KEY (notification) REFERENCES notification(notification),
    CONSTRAINT held_text_is_decided_whole CHECK ((((decided_at IS NULL) = (decided_by IS NULL)) AND ((decided_at IS NULL) = (decision IS NULL)))),
    CONSTRAINT held_text_is_dropped_for_a_reason CHECK (((decision IS DISTINCT FROM 'dropped'::text) OR (why <> ''::text))),
    CONSTRAINT held_text_is_of_a_known_restore FOREIGN KEY (restored) REFERENCES restored(restored),
    CONSTRAINT held_text_was_decided_by_a_known_person FOREIGN KEY (decided_by) REFERENCES person(person)
);
CREATE INDEX held_text_to_decide ON public.held_text USING btree (restored) WHERE (decided_at IS NULL);
-- held_text: texts that were due in the moment that a backup shows: not needed unless an operator says so
-- held_text.decided_at: null: the operator has not decided; nothing is sent

CREATE TABLE home (
    home text NOT NULL,
    lane smallint NOT NULL,
    added_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone,
    CONSTRAINT home_is_known_once PRIMARY KEY (home),
    CONSTRAINT home_has_a_plain_name CHECK ((home ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT home_lane_is_one_of_64 CHECK (((lane >= 0) AND (lane <= 63)))
);
-- home: a watched place; nothing here says who lives there
-- home.lane: for good: it is part of the topic of every message of the home
-- home.erased_at: shown, judged and counted on no page since; the row stays for the figures that it was part of

CREATE TABLE home_group (
    home_group text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    CONSTRAINT home_group_is_known_once PRIMARY KEY (home_group),
    CONSTRAINT home_group_is_a_short_name CHECK ((home_group ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text))
);
-- home_group: homes that share thresholds: a street, a housing scheme, those newly watched

CREATE TABLE home_group_member (
    home text NOT NULL,
    home_group text NOT NULL,
    CONSTRAINT home_group_member_is_in_one_group PRIMARY KEY (home),
    CONSTRAINT home_group_member_is_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT home_group_member_is_in_a_known_group FOREIGN KEY (home_group) REFERENCES home_group(home_group)
);
CREATE INDEX home_group_member_of_a_group ON public.home_group_member USING btree (home_group);
-- home_group_member: a home is in one group at most, so that no two groups can disagree about it

CREATE TABLE home_judgement (
    home text NOT NULL,
    format smallint NOT NULL,
    river_version text NOT NULL,
    state bytea NOT NULL,
    written_at timestamp with time zone NOT NULL,
    CONSTRAINT home_judgement_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT home_judgement_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
-- home_judgement: what the detectors of a home remember; one that does not fit is rebuilt from the log
-- home_judgement.state: JSON, never a pickle

CREATE TABLE home_room (
    home text NOT NULL,
    room text NOT NULL,
    CONSTRAINT home_room_is_known_once PRIMARY KEY (home, room),
    CONSTRAINT home_room_has_a_name CHECK ((room <> ''::text)),
    CONSTRAINT home_room_is_in_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
-- home_room: the rooms in which sensors of a home may stand

CREATE TABLE home_team (
    home text NOT NULL,
    team text NOT NULL,
    CONSTRAINT home_team_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT home_team_is_a_known_team FOREIGN KEY (team) REFERENCES team(team),
    CONSTRAINT home_team_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
CREATE INDEX homes_of_a_team ON public.home_team USING btree (team);

CREATE TABLE home_watch (
    home text NOT NULL,
    state text NOT NULL,
    why text[] NOT NULL,
    since timestamp with time zone NOT NULL,
    promised_until timestamp with time zone,
    last_seen_at timestamp with time zone,
    last_seen_room text,
    last_seen_sensor text,
    up_since timestamp with time zone,
    next_alert_at timestamp with time zone,
    next_alert_why jsonb NOT NULL,
    learning jsonb NOT NULL,
    written_at timestamp with time zone NOT NULL,
    last_heard_at timestamp with time zone,
    CONSTRAINT home_watch_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT home_watch_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT home_watch_state_is_known CHECK ((state = ANY (ARRAY['watched'::text, 'degraded'::text, 'blind'::text, 'paused'::text])))
);
-- home_watch: what is true now, so that a page never scans history
-- home_watch.promised_until: the first moment at which a promise of this home is broken; fine lapses then at the latest
-- home_watch.next_alert_at: when a stillness alert is raised if nothing more is heard; in the past if one is open; null: never, and why
-- home_watch.learning: what is still being learnt: question, days so far, days needed
-- home_watch.last_heard_at: when the one whose promise runs out first was last heard; null: never, or written before there was this column

CREATE TABLE hub (
    hub text NOT NULL,
    home text,
    lane smallint NOT NULL,
    nats_hash text NOT NULL,
    mosquitto_hash text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    network text,
    CONSTRAINT hub_is_known_once PRIMARY KEY (hub),
    CONSTRAINT hub_has_a_plain_name CHECK ((hub ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT hub_lane_is_one_of_64 CHECK (((lane >= 0) AND (lane <= 63))),
    CONSTRAINT hub_network_is_a_short_name CHECK ((network ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT hub_speaks_for_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
CREATE INDEX hub_of_a_home ON public.hub USING btree (home);
-- hub.home: null: it has no home yet, and its alarms go to the operator
-- hub.lane: its home's
-- hub.nats_hash: bcrypt of a random secret, for the embedded broker and NATS clusters
-- hub.mosquitto_hash: PBKDF2-SHA512 of the same, for mosquitto
-- hub.network: what carries its line to us, as whoever installed it named it; null: nobody said

CREATE TABLE hub_heard (
    hub text NOT NULL,
    heard_since timestamp with time zone NOT NULL,
    heard_until timestamp with time zone NOT NULL,
    CONSTRAINT hub_heard_is_one_span PRIMARY KEY (hub, heard_since),
    CONSTRAINT hub_heard_ends_after_it_begins CHECK ((heard_since <= heard_until)),
    CONSTRAINT hub_heard_is_of_a_known_hub FOREIGN KEY (hub) REFERENCES hub(hub)
);
-- hub_heard: spans in which every heartbeat came in time; a gap between two is a broken promise
-- hub_heard.heard_until: received_at of the last heartbeat of the span

CREATE TABLE hub_report (
    hub text NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    outbox text NOT NULL,
    boot text NOT NULL,
    clock_off_by interval NOT NULL,
    held_readings bigint NOT NULL,
    held_alarms bigint NOT NULL,
    radio_up boolean,
    clock_set boolean,
    link_up boolean,
    version text NOT NULL,
    troubles text[] NOT NULL,
    CONSTRAINT hub_report_is_the_latest PRIMARY KEY (hub),
    CONSTRAINT hub_report_is_of_a_known_hub FOREIGN KEY (hub) REFERENCES hub(hub)
);
-- hub_report.clock_off_by: received_at minus sent_at of the last heartbeat: its clock is behind where positive
-- hub_report.link_up: the broker's last word on the line; a hint only

CREATE TABLE judging_input (
    input bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    lane smallint NOT NULL,
    home text NOT NULL,
    counts_from timestamp with time zone NOT NULL,
    kind text NOT NULL,
    content jsonb NOT NULL,
    CONSTRAINT judging_input_is_known_once PRIMARY KEY (input),
    CONSTRAINT judging_input_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT judging_input_is_of_a_known_kind CHECK ((kind = ANY (ARRAY['policy'::text, 'closed'::text, 'sensors'::text, 'watched'::text, 'stretch'::text, 'pause'::text, 'erased'::text])))
);
CREATE INDEX judging_input_of_a_lane_by_time ON public.judging_input USING btree (lane, counts_from, input);
-- judging_input: what influences judgement besides the log; what is not here cannot
-- judging_input.counts_from: the lane's complete_through when it was written, with that row locked: counts for all judged after it
-- judging_input.kind: policy: the numbers; closed: an alert and its outcome; sensors: which there are; watched: the home is watched from here on; stretch: how much later promises may be kept while time is sped up; pause: who is away; erased: the home is forgotten

CREATE TABLE judging_lane (
    lane smallint NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    owner text,
    heard_at timestamp with time zone,
    position bigint DEFAULT 0 NOT NULL,
    received_through timestamp with time zone,
    input bigint DEFAULT 0 NOT NULL,
    saved_through timestamp with time zone,
    judged_through timestamp with time zone,
    CONSTRAINT judging_lane_is_known_once PRIMARY KEY (lane),
    CONSTRAINT judging_lane_is_one_of_64 CHECK (((lane >= 0) AND (lane <= 63)))
);
-- judging_lane: position, input and saved_through are the place of the saved states: all judged after it raised nothing, and is judged again after a crash
-- judging_lane.position: of the last row of stored_log that is in the saved states
-- judging_lane.received_through: received_at of that row, to bound the next look into the log
-- judging_lane.input: the last judging_input that is in them
-- judging_lane.saved_through: everything due up to here is in them
-- judging_lane.judged_through: everything due up to here was judged; never past lane.complete_through

CREATE TABLE lane (
    lane smallint NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    owner text,
    heard_at timestamp with time zone,
    position bigint DEFAULT 0 NOT NULL,
    received_through timestamp with time zone,
    complete_through timestamp with time zone,
    CONSTRAINT lane_is_known_once PRIMARY KEY (lane),
    CONSTRAINT lane_is_one_of_64 CHECK (((lane >= 0) AND (lane <= 63)))
);
-- lane.epoch: raised by each claim; every write is fenced by it
-- lane.heard_at: by the database's clock: the owner was alive then
-- lane.position: number of the last row of stored_log in this lane
-- lane.received_through: received_at of that row, never backwards
-- lane.complete_through: all that was received up to here, by the ingest clock, is in the log

CREATE TABLE login_attempt (
    attempt bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    account_sha256 bytea NOT NULL,
    address_sha256 bytea NOT NULL,
    tried_at timestamp with time zone NOT NULL,
    CONSTRAINT login_attempt_is_counted_once PRIMARY KEY (attempt)
);
CREATE INDEX login_attempt_from_an_address_lately ON public.login_attempt USING btree (address_sha256, tried_at DESC);
CREATE INDEX login_attempt_on_an_account_lately ON public.login_attempt USING btree (account_sha256, tried_at DESC);
-- login_attempt: passwords and codes that were wrong, on accounts known or not; kept one day
-- login_attempt.tried_at: in real time

CREATE TABLE login_link (
    token_sha256 bytea NOT NULL,
    person text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT login_link_is_known_once PRIMARY KEY (token_sha256),
    CONSTRAINT login_link_is_for_a_known_person FOREIGN KEY (person) REFERENCES person(person)
);
-- login_link.valid_until: in real time, like sessions: a link is not older because a demo runs fast

CREATE TABLE login_request (
    phone_sha256 bytea NOT NULL,
    address_sha256 bytea NOT NULL,
    asked_at timestamp with time zone NOT NULL
);
CREATE INDEX login_request_from_an_address_lately ON public.login_request USING btree (address_sha256, asked_at DESC);
CREATE INDEX login_request_of_a_phone_lately ON public.login_request USING btree (phone_sha256, asked_at DESC);
-- login_request: to bound how many links one phone or mailbox is sent and one address asks for; kept one day
-- login_request.phone_sha256: of the phone in E.164, or of the e-mail address in small letters; known or not
-- login_request.asked_at: in real time

CREATE TABLE look_back (
    look_back bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    scope text NOT NULL,
    home_group text,
    home text,
    numbers jsonb NOT NULL,
    takes_back bigint,
    why text NOT NULL,
    in_force_from timestamp with time zone,
    days smallint NOT NULL,
    homes text[] NOT NULL,
    homes_in_all integer NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    asked_by text NOT NULL,
    done real DEFAULT 0 NOT NULL,
    found jsonb,
    failed text,
    CONSTRAINT look_back_is_known_once PRIMARY KEY (look_back),
    CONSTRAINT look_back_is_of_a_known_group FOREIGN KEY (home_group) REFERENCES home_group(home_group),
    CONSTRAINT look_back_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT look_back_is_of_some_days CHECK (((days >= 1) AND (days <= 56))),
    CONSTRAINT look_back_is_of_what_its_scope_says CHECK (((scope = ANY (ARRAY['all'::text, 'group'::text, 'home'::text])) AND ((scope = 'group'::text) = (home_group IS NOT NULL)) AND ((scope = 'home'::text) = (home IS NOT NULL)))),
    CONSTRAINT look_back_was_asked_by_a_known_person FOREIGN KEY (asked_by) REFERENCES person(person),
    CONSTRAINT look_back_was_found_or_failed CHECK (((found IS NULL) OR (failed IS NULL)))
);
-- look_back: what a change of thresholds would have done; a version names the one that was seen before it was saved
-- look_back.numbers: those that are proposed, as in policy_version
-- look_back.takes_back: the version that is to be taken back; null where nothing is
-- look_back.in_force_from: from when on it is to be in force; null: at once
-- look_back.homes: those that are looked at
-- look_back.homes_in_all: how many the change concerns
-- look_back.done: a ratio: how much of it is done
-- look_back.found: what was found, home by home; null while it is not done
-- look_back.failed: why nothing was found, in a sentence; otherwise null

CREATE TABLE lost_range (
    hub text NOT NULL,
    outbox text NOT NULL,
    stream text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    noticed_at timestamp with time zone NOT NULL,
    recovered_at timestamp with time zone,
    CONSTRAINT lost_range_is_written_once PRIMARY KEY (hub, outbox, stream, first),
    CONSTRAINT lost_range_is_in_order CHECK ((first <= last)),
    CONSTRAINT lost_range_is_of_a_known_stream FOREIGN KEY (hub, outbox, stream) REFERENCES stream(hub, outbox, stream)
);
-- lost_range: numbers that the hub no longer has and that were never stored
-- lost_range.recovered_at: they came after all, from another copy; ranges are split so that a row is one or the other

CREATE TABLE migration (
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT migration_runs_once PRIMARY KEY (number)
);

CREATE TABLE notification (
    notification bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    key text NOT NULL,
    alert bigint,
    person text NOT NULL,
    phone text,
    purpose text NOT NULL,
    why text,
    body text NOT NULL,
    code smallint,
    state text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    worth_until timestamp with time zone NOT NULL,
    try_after timestamp with time zone,
    claimed_by text,
    claimed_at timestamp with time zone,
    attempts smallint DEFAULT 0 NOT NULL,
    trying_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    failed_at timestamp with time zone,
    sid text,
    error text,
    CONSTRAINT notification_is_known_once PRIMARY KEY (notification),
    CONSTRAINT notification_has_a_key_of_its_own UNIQUE (key),
    CONSTRAINT notification_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert(alert),
    CONSTRAINT notification_is_to_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT notification_purpose_is_known CHECK ((purpose = ANY (ARRAY['alert'::text, 'again'::text, 'help'::text, 'mine'::text, 'outcome'::text, 'nobody'::text, 'log-in'::text, 'confidence'::text, 'remind'::text, 'restored'::text]))),
    CONSTRAINT notification_state_is_known CHECK ((state = ANY (ARRAY['due'::text, 'trying'::text, 'sent'::text, 'delivered'::text, 'undelivered'::text, 'failed'::text, 'not needed'::text]))),
    CONSTRAINT notification_without_a_phone_fails CHECK (((phone IS NOT NULL) OR (state = 'failed'::text)))
);
CREATE INDEX notification_by_sid ON public.notification USING btree (sid);
CREATE INDEX notification_of_an_alert ON public.notification USING btree (alert);
CREATE INDEX notification_of_which_nothing_was_said ON public.notification USING btree (sent_at) WHERE (state = 'sent'::text);
CREATE INDEX notification_to_try_next ON public.notification USING btree (due_at) WHERE (state = ANY (ARRAY['due'::text, 'trying'::text]));
-- notification.key: random; part of the status callback's address, so a callback is understood even before sent was written
-- notification.phone: null: this person has none, so it failed at once
-- notification.purpose: alert and help: go there; again: pressed again; remind: how is it; mine: who goes; outcome: how it ended; nobody: none of them answered; confidence: the question how confident they feel; restored: the database shows an older moment
-- notification.why: why it is this person's turn: first, no answer, not reached, let go
-- notification.code: what the person writes in front of mine, well or help
-- notification.due_at: by the platform's clock: when the text is to leave
-- notification.worth_until: from then on it is not sent any more
-- notification.try_after: by the database's clock: not tried again before; null: not tried yet
-- notification.claimed_at: by the database's clock: its teller was alive then; another takes it when that is 10 s ago

CREATE TABLE outage (
    outage bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    area text NOT NULL,
    alert bigint NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT outage_is_known_once PRIMARY KEY (outage),
    CONSTRAINT outage_is_told_by_an_alert FOREIGN KEY (alert) REFERENCES alert(alert)
);
CREATE INDEX outage_that_lasts ON public.outage USING btree (area) WHERE (ended_at IS NULL);
-- outage: hubs that fell silent together, with what they share: told to the operator once
-- outage.area: district:LS6 or group:mill-lane
-- outage.ended_at: when the last of its hubs was heard again; null: it lasts

CREATE TABLE outage_home (
    alert bigint NOT NULL,
    outage bigint NOT NULL,
    home text NOT NULL,
    since timestamp with time zone NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    back_at timestamp with time zone,
    CONSTRAINT outage_home_belongs_to_one_outage PRIMARY KEY (alert),
    CONSTRAINT outage_home_is_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT outage_home_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert(alert),
    CONSTRAINT outage_home_is_of_an_outage FOREIGN KEY (outage) REFERENCES outage(outage)
);
CREATE INDEX outage_home_of_an_outage ON public.outage_home USING btree (outage);
CREATE INDEX outage_home_that_is_away ON public.outage_home USING btree (home) WHERE (back_at IS NULL);
-- outage_home.alert: of its hub's silence, which is told with the outage
-- outage_home.since: when the hub was last heard
-- outage_home.back_at: when it was heard again; null: it is silent

CREATE TABLE password (
    person text NOT NULL,
    hash text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT password_is_one_a_person PRIMARY KEY (person),
    CONSTRAINT password_is_kept_as_argon2id CHECK ((hash ~~ '$argon2id$%'::text)),
    CONSTRAINT password_is_never_without_a_second_factor FOREIGN KEY (person) REFERENCES second_factor(person)
);

CREATE TABLE pause (
    pause bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text NOT NULL,
    kind text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    why text NOT NULL,
    written_at timestamp with time zone NOT NULL,
    written_by text NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT pause_is_known_once PRIMARY KEY (pause),
    CONSTRAINT pause_ends_after_it_begins CHECK ((until > since)),
    CONSTRAINT pause_ends_by_itself_within_a_quarter CHECK ((until <= (since + '93 days'::interval))),
    CONSTRAINT pause_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT pause_kind_is_known CHECK ((kind = ANY (ARRAY['away'::text, 'paused'::text]))),
    CONSTRAINT pause_was_ended_by_somebody CHECK (((ended_at IS NULL) = (ended_by IS NULL)))
);
CREATE INDEX pauses_of_a_home ON public.pause USING btree (home, pause DESC);
CREATE UNIQUE INDEX pause_is_one_a_home ON public.pause USING btree (home) WHERE (ended_at IS NULL);
-- pause: a home has one at most that nobody ended; judgement knows it by its input `pause`, and looks for nobody while it lasts
-- pause.kind: away: nobody is there; paused: the resident asked not to be watched over
-- pause.until: excluded; it ends by itself then, by the clock that homes are judged on
-- pause.written_by: a person, setup or the command line
-- pause.ended_at: when a person took it back or another took its place; empty: it ends by itself

CREATE TABLE person (
    person text NOT NULL,
    full_name text NOT NULL,
    what text,
    phone text,
    is_operator boolean DEFAULT false NOT NULL,
    kinds text[] DEFAULT '{}'::text[] NOT NULL,
    email text,
    likes text DEFAULT 'text'::text NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    left_at timestamp with time zone,
    mail_stopped_at timestamp with time zone,
    CONSTRAINT person_is_known_once PRIMARY KEY (person),
    CONSTRAINT person_email_has_two_sides CHECK ((email ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text)),
    CONSTRAINT person_is_of_known_kinds CHECK ((kinds <@ ARRAY['family contact'::text, 'unpaid carer'::text, 'paid carer'::text, 'resident'::text])),
    CONSTRAINT person_language_is_one_that_we_speak CHECK ((language = 'en'::text)),
    CONSTRAINT person_likes_a_known_way_and_is_told_so CHECK ((likes = ANY (ARRAY['text'::text, 'ring'::text, 'e-mail'::text]))),
    CONSTRAINT person_phone_is_e164 CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT person_who_left_has_nothing_to_be_told_by CHECK (((left_at IS NULL) OR ((phone IS NULL) AND (email IS NULL) AND (NOT is_operator))))
);
CREATE UNIQUE INDEX person_with_this_email ON public.person USING btree (lower(email));
CREATE UNIQUE INDEX person_with_this_phone ON public.person USING btree (phone);
-- person: anyone who may be told or may sign in, except residents
-- person.what: daughter, neighbour, warden: as others know them
-- person.kinds: what somebody is besides an operator, which is_operator says; may be several
-- person.likes: how people are told things by hand; of an alert everybody is texted whatever stands here
-- person.language: of texts and pages
-- person.left_at: signs in and is told no more since; the row stays for the stories that name it
-- person.mail_stopped_at: asks to be asked by e-mail no more since, by the clock that homes are judged on; null: may be

CREATE TABLE policy (
    policy bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text NOT NULL,
    in_force_since timestamp with time zone NOT NULL,
    set_at timestamp with time zone NOT NULL,
    set_by text NOT NULL,
    why text NOT NULL,
    numbers jsonb NOT NULL,
    versions bigint[] NOT NULL,
    CONSTRAINT policy_is_known_once PRIMARY KEY (policy),
    CONSTRAINT policy_has_named_numbers CHECK ((jsonb_typeof(numbers) = 'object'::text)),
    CONSTRAINT policy_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
CREATE INDEX policy_of_a_home_by_time ON public.policy USING btree (home, in_force_since);
-- policy: what a home is judged by: made of the versions in force for all, its group and itself; never changed, only followed
-- policy.set_by: of the change that made it so: a version, or a home that joined a group
-- policy.numbers: all of them, as judgement was given them; durations in seconds, as their names end
-- policy.versions: of policy_version: what it is made of

CREATE TABLE policy_version (
    version bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    scope text NOT NULL,
    home_group text,
    home text,
    numbers jsonb NOT NULL,
    in_force_since timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    set_at timestamp with time zone NOT NULL,
    set_by text NOT NULL,
    why text NOT NULL,
    takes_back bigint,
    look_back bigint,
    CONSTRAINT policy_version_is_known_once PRIMARY KEY (version),
    CONSTRAINT policy_version_has_a_reason CHECK ((why <> ''::text)),
    CONSTRAINT policy_version_has_named_numbers CHECK ((jsonb_typeof(numbers) = 'object'::text)),
    CONSTRAINT policy_version_is_of_a_known_group FOREIGN KEY (home_group) REFERENCES home_group(home_group),
    CONSTRAINT policy_version_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT policy_version_is_of_what_its_scope_says CHECK (((scope = ANY (ARRAY['all'::text, 'group'::text, 'home'::text])) AND ((scope = 'group'::text) = (home_group IS NOT NULL)) AND ((scope = 'home'::text) = (home IS NOT NULL)))),
    CONSTRAINT policy_version_taken_back_is_a_known_one FOREIGN KEY (takes_back) REFERENCES policy_version(version),
    CONSTRAINT policy_version_was_seen_in_a_look_back FOREIGN KEY (look_back) REFERENCES look_back(look_back)
);
CREATE INDEX policy_version_of_a_scope_newest_first ON public.policy_version USING btree (scope, COALESCE(home, home_group, ''::text), version DESC);
CREATE INDEX policy_version_still_to_come ON public.policy_version USING btree (in_force_since) WHERE (settled_at IS NULL);
-- policy_version: what an operator set for all homes, a group or one; never changed, only followed by a newer one
-- policy_version.numbers: those that this scope sets, all of them; durations in seconds, as their names end; the rest is of the wider scope
-- policy_version.in_force_since: of the versions of a scope whose moment has come, the newest is in force
-- policy_version.settled_at: when the policies of its homes were made of it; null: its moment has not come
-- policy_version.set_by: a person, or the word setup for a setup file
-- policy_version.takes_back: its numbers are those that stood before this version; null where it takes nothing back
-- policy_version.look_back: what was seen of its price before it was saved; null for a setup file

CREATE TABLE process_heartbeat (
    instance text NOT NULL,
    process text NOT NULL,
    release text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    said_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    doing jsonb NOT NULL,
    CONSTRAINT process_heartbeat_is_of_one_instance PRIMARY KEY (instance),
    CONSTRAINT process_heartbeat_ends_after_it_begins CHECK ((started_at <= heard_at)),
    CONSTRAINT process_heartbeat_has_few_words CHECK (((length(instance) <= 100) AND (length(process) <= 40)))
);
-- process_heartbeat: one row a process since it started, written every 5 s, kept a week after its last word
-- process_heartbeat.instance: host, process id and chance: no other process had it or will have it
-- process_heartbeat.heard_at: by the database's clock
-- process_heartbeat.said_at: by the process's own clock at that moment; far from heard_at, one of the two clocks is off
-- process_heartbeat.ended_at: by the database's clock: it was told to stop, and did; null where it runs or died
-- process_heartbeat.doing: how far it has come, as its /ready tells; nothing of a person

CREATE TABLE provider_identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    person text NOT NULL,
    bound_at timestamp with time zone NOT NULL,
    CONSTRAINT provider_identity_is_one_person PRIMARY KEY (issuer, subject),
    CONSTRAINT provider_identity_is_of_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT provider_identity_is_one_a_person UNIQUE (issuer, person)
);
-- provider_identity: whom an identity provider means by a subject: bound by a verified e-mail address at the first log-in, or by the person while signed in

CREATE TABLE provider_log_in (
    state_sha256 bytea NOT NULL,
    browser_sha256 bytea NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    session_sha256 bytea,
    CONSTRAINT provider_log_in_is_known_once PRIMARY KEY (state_sha256)
);
-- provider_log_in: log-ins that were sent on to the identity provider and are not back yet
-- provider_log_in.browser_sha256: of a cookie, from which nonce and verifier are made too: only that browser can come back
-- provider_log_in.session_sha256: of the session whose person comes back to be bound; null: to be signed in

CREATE TABLE reading (
    home text,
    hub text NOT NULL,
    sensor text NOT NULL,
    room text,
    quantity text NOT NULL,
    value double precision NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    uncertain_since timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    may_repeat boolean NOT NULL,
    CONSTRAINT reading_uncertainty_ends_at_observed_at CHECK ((uncertain_since <= observed_at)),
    CONSTRAINT reading_value_is_finite CHECK (((value > '-Infinity'::double precision) AND (value < 'Infinity'::double precision)))
);
CREATE INDEX reading_of_a_home_by_time ON public.reading USING btree (home, observed_at DESC);
-- reading: stored exactly once by the numbers in stream, so it needs no unique key
-- reading.home: null: from a hub that has no home yet
-- reading.room: of the sensor when the reading was taken in; null: not known
-- reading.value: in the unit that the quantity's name ends in; 1 and 0 where it has none
-- reading.observed_at: by the hub's clock, corrected once at intake; the latest it can have been
-- reading.uncertain_since: the earliest it can have been, where the time is uncertain; otherwise null
-- reading.received_at: by the ingest server's clock, never backwards within a lane
-- reading.may_repeat: sent again under a new number after an old card was put back: it may be here twice

CREATE TABLE recovery_code (
    person text NOT NULL,
    code_sha256 bytea NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT recovery_code_is_one_of_a_person PRIMARY KEY (person, code_sha256),
    CONSTRAINT recovery_code_is_of_a_second_factor FOREIGN KEY (person) REFERENCES second_factor(person) ON DELETE CASCADE
);
-- recovery_code: 80 random bits each, shown once on paper; opens once in place of an authenticator's code

CREATE TABLE refused (
    refused bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    hub text,
    outbox text,
    stream text,
    first bigint,
    last bigint,
    topic text NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT refused_is_known_once PRIMARY KEY (refused)
);
CREATE INDEX refused_of_a_hub_lately ON public.refused USING btree (hub, received_at DESC);
-- refused: kept whole, as bytes, so that nothing a hub said is gone
-- refused.first: the numbers it stood for; null where the header could not be read
-- refused.payload: as it came, cut at 256 KiB

CREATE TABLE reply_code (
    phone text NOT NULL,
    code smallint NOT NULL,
    alert bigint NOT NULL,
    given_at timestamp with time zone NOT NULL,
    CONSTRAINT reply_code_is_one_an_alert_and_phone PRIMARY KEY (phone, alert),
    CONSTRAINT reply_code_is_of_an_alert FOREIGN KEY (alert) REFERENCES alert(alert)
);
CREATE INDEX reply_code_of_a_phone_lately ON public.reply_code USING btree (phone, given_at DESC);
-- reply_code: a code is not used again for a phone within 7 days

CREATE TABLE resident (
    home text NOT NULL,
    first_name text NOT NULL,
    full_name text NOT NULL,
    phone text,
    address text,
    know text,
    person text,
    CONSTRAINT resident_is_one_a_home PRIMARY KEY (home),
    CONSTRAINT resident_is_in_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT resident_who_signs_in_is_a_known_person FOREIGN KEY (person) REFERENCES person(person)
);
-- resident.know: what someone who goes there should know: key safe, hearing, a dog
-- resident.person: under which the resident signs in; null: does not

CREATE TABLE restored (
    restored bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    backup text NOT NULL,
    shows timestamp with time zone NOT NULL,
    told_until timestamp with time zone NOT NULL,
    restored_at timestamp with time zone NOT NULL,
    hold_until timestamp with time zone NOT NULL,
    CONSTRAINT restored_is_known_once PRIMARY KEY (restored),
    CONSTRAINT restored_is_held_from_then_on CHECK ((hold_until >= restored_at))
);
-- restored: each time that the database was put back to an older moment
-- restored.shows: the moment that the backup shows
-- restored.told_until: until when people were being told, as far as is known: what fell due before was probably told
-- restored.hold_until: what the operator has not decided by then is told as ever; restored_at where there is no operator to decide

CREATE TABLE rota_override (
    override bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text,
    team text,
    person text NOT NULL,
    instead text,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    made_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT rota_override_is_known_once PRIMARY KEY (override),
    CONSTRAINT rota_override_ends_after_it_begins CHECK ((until > since)),
    CONSTRAINT rota_override_is_not_of_a_home_and_a_team CHECK (((home IS NULL) OR (team IS NULL))),
    CONSTRAINT rota_override_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT rota_override_is_of_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT rota_override_is_of_a_known_team FOREIGN KEY (team) REFERENCES team(team),
    CONSTRAINT rota_override_names_a_known_person_instead FOREIGN KEY (instead) REFERENCES person(person),
    CONSTRAINT rota_override_names_somebody_else_instead CHECK ((instead <> person))
);
CREATE INDEX rota_override_of_a_person ON public.rota_override USING btree (person, until) WHERE (removed_at IS NULL);
-- rota_override: somebody cannot, and perhaps somebody else is on duty instead, for a time
-- rota_override.home: null, and team too: wherever this person is on duty
-- rota_override.instead: null: nobody, and the next one is told sooner
-- rota_override.until: excluded

CREATE TABLE rota_shift (
    shift bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    home text,
    team text,
    person text NOT NULL,
    place smallint NOT NULL,
    weekdays smallint[] NOT NULL,
    begins time without time zone NOT NULL,
    ends time without time zone NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    made_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT rota_shift_is_known_once PRIMARY KEY (shift),
    CONSTRAINT rota_shift_ends_after_its_first_day CHECK ((valid_until > valid_from)),
    CONSTRAINT rota_shift_is_of_a_home_or_a_team CHECK (((home IS NULL) <> (team IS NULL))),
    CONSTRAINT rota_shift_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT rota_shift_is_of_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT rota_shift_is_of_a_known_team FOREIGN KEY (team) REFERENCES team(team),
    CONSTRAINT rota_shift_is_on_some_day_of_the_week CHECK (((cardinality(weekdays) > 0) AND (weekdays <@ ARRAY[(0)::smallint, (1)::smallint, (2)::smallint, (3)::smallint, (4)::smallint, (5)::smallint, (6)::smallint]))),
    CONSTRAINT rota_shift_place_is_from_1_to_9 CHECK (((place >= 1) AND (place <= 9)))
);
CREATE INDEX rota_shift_of_a_home ON public.rota_shift USING btree (home) WHERE (removed_at IS NULL);
CREATE INDEX rota_shift_of_a_person ON public.rota_shift USING btree (person) WHERE (removed_at IS NULL);
CREATE INDEX rota_shift_of_a_team ON public.rota_shift USING btree (team) WHERE (removed_at IS NULL);
-- rota_shift: hours in which a person is told besides those who always are, week after week
-- rota_shift.place: 1 is told first, before whoever is always told at that place
-- rota_shift.weekdays: on which it begins; 0 is Monday
-- rota_shift.begins: Europe/London wall time, which stays when the clocks change
-- rota_shift.ends: Europe/London wall time, excluded; not after begins: on the next day
-- rota_shift.valid_until: the first day on which it does not begin any more; null: it goes on

CREATE TABLE second_factor (
    person text NOT NULL,
    secret_sealed bytea NOT NULL,
    added_at timestamp with time zone NOT NULL,
    last_step bigint NOT NULL,
    CONSTRAINT second_factor_is_one_a_person PRIMARY KEY (person),
    CONSTRAINT second_factor_is_of_a_known_person FOREIGN KEY (person) REFERENCES person(person)
);
-- second_factor: the secret that somebody's authenticator shares with us (RFC 6238)
-- second_factor.secret_sealed: AES-256-GCM under a key that is not in the database
-- second_factor.last_step: the newest step of 30 s since 1970 whose code was taken; none up to it is taken again

CREATE TABLE second_factor_offer (
    person text NOT NULL,
    secret_sealed bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT second_factor_offer_is_one_a_person PRIMARY KEY (person),
    CONSTRAINT second_factor_offer_is_to_a_known_person FOREIGN KEY (person) REFERENCES person(person)
);
-- second_factor_offer: a secret that was shown and is not confirmed by a code yet

CREATE TABLE sensor (
    home text NOT NULL,
    sensor text NOT NULL,
    room text,
    kind text NOT NULL,
    is_outer boolean,
    CONSTRAINT sensor_is_known_once PRIMARY KEY (home, sensor),
    CONSTRAINT sensor_is_in_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
-- sensor.sensor: as its hub calls it
-- sensor.room: null: not known; its readings are stored without a room
-- sensor.kind: motion, contact, pendant, climate ...: what it is, for people
-- sensor.is_outer: whether it is on an outer door, by which one leaves the home; null: its room's name says so

CREATE TABLE service (
    only_one boolean DEFAULT true NOT NULL,
    name text NOT NULL,
    operator text,
    CONSTRAINT service_is_one PRIMARY KEY (only_one),
    CONSTRAINT service_is_the_only_one CHECK (only_one),
    CONSTRAINT service_operator_is_a_known_person FOREIGN KEY (operator) REFERENCES person(person)
);
-- service.name: as it signs its texts and heads its pages
-- service.operator: whose phone gets what nobody else can be told, and faults of equipment

CREATE TABLE session (
    token_sha256 bytea NOT NULL,
    person text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    number bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    used_at timestamp with time zone,
    way text DEFAULT 'link'::text NOT NULL,
    browser text,
    CONSTRAINT session_is_known_once PRIMARY KEY (token_sha256),
    CONSTRAINT session_is_of_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT session_way_is_known CHECK ((way = ANY (ARRAY['link'::text, 'password'::text, 'provider'::text])))
);
CREATE INDEX session_of_a_person ON public.session USING btree (person, made_at);
-- session.number: what its owner ends it by; opens nothing
-- session.used_at: in real time, to the minute; null: not since it was made
-- session.way: a one-time link, a password with a second factor, or an identity provider
-- session.browser: as its owner knows it: Firefox on Android; never the whole of what a browser sends

CREATE TABLE setup_said (
    subject text NOT NULL,
    home text,
    content jsonb NOT NULL,
    said_at timestamp with time zone NOT NULL,
    CONSTRAINT setup_said_is_kept_once_a_subject PRIMARY KEY (subject),
    CONSTRAINT setup_said_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home)
);
CREATE INDEX setup_said_of_a_home ON public.setup_said USING btree (home);
-- setup_said: what a setup file said the last time that it was written into the tables; where these say otherwise now, a person changed them since
-- setup_said.subject: what it is about, in words: home elm-3: resident
-- setup_said.home: whose; empty: of no single home
-- setup_said.content: as the file had it; of a shift or a cover its number
-- setup_said.said_at: by the clock that homes are judged on

CREATE TABLE stored_log (
    lane smallint NOT NULL,
    position bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    observed_since timestamp with time zone,
    observed_until timestamp with time zone,
    entries bytea NOT NULL,
    CONSTRAINT stored_log_is_written_once PRIMARY KEY (lane, "position", received_at)
);
-- stored_log: one row a batch: what was stored, in the order in which it was, kept 100 days
-- stored_log.position: in its lane, without holes
-- stored_log.observed_since: earliest observed_at in the batch; null where it has no reading
-- stored_log.entries: the batch itself, packed by ingest.stored_log

CREATE TABLE stream (
    hub text NOT NULL,
    outbox text NOT NULL,
    stream text NOT NULL,
    stored_through bigint NOT NULL,
    first_heard_at timestamp with time zone NOT NULL,
    last_heard_at timestamp with time zone NOT NULL,
    observed_through timestamp with time zone,
    CONSTRAINT stream_is_known_once PRIMARY KEY (hub, outbox, stream),
    CONSTRAINT stream_is_of_a_known_hub FOREIGN KEY (hub) REFERENCES hub(hub),
    CONSTRAINT stream_is_readings_or_alarms CHECK ((stream = ANY (ARRAY['readings'::text, 'alarms'::text]))),
    CONSTRAINT stream_numbers_begin_at_one CHECK ((stored_through >= 0))
);
-- stream.stored_through: everything up to this number is stored, refused or written down as lost
-- stream.observed_through: the earliest that the last number can have been observed: the lower bound for an uncertain time after it

CREATE TABLE team (
    team text NOT NULL,
    name text NOT NULL,
    CONSTRAINT team_is_known_once PRIMARY KEY (team),
    CONSTRAINT team_has_a_plain_name CHECK ((team ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text))
);
-- team: carers who share the shifts of several homes

CREATE TABLE telling_step (
    home text NOT NULL,
    position smallint NOT NULL,
    person text NOT NULL,
    CONSTRAINT telling_step_is_one_a_position PRIMARY KEY (home, "position"),
    CONSTRAINT telling_step_is_a_known_person FOREIGN KEY (person) REFERENCES person(person),
    CONSTRAINT telling_step_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT telling_step_names_a_person_once UNIQUE (home, person)
);
-- telling_step: who is told about a home, in order; the operator comes after the last
-- telling_step.position: 1 is told first

CREATE TABLE text_received (
    sid text NOT NULL,
    phone text NOT NULL,
    body text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    understood text NOT NULL,
    alert bigint,
    answer text NOT NULL,
    CONSTRAINT text_received_is_known_once PRIMARY KEY (sid),
    CONSTRAINT text_received_is_about_a_known_alert FOREIGN KEY (alert) REFERENCES alert(alert)
);
-- text_received: each text a phone sent us, once, however often Twilio says so
-- text_received.understood: what we took it for, or the words not understood
-- text_received.answer: what it was answered, so that a repeated webhook hears the same; empty: nothing

CREATE TABLE watch_seen_later (
    home text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    readings integer NOT NULL,
    known_at timestamp with time zone NOT NULL,
    CONSTRAINT watch_seen_later_is_said_once PRIMARY KEY (home, since),
    CONSTRAINT watch_seen_later_has_readings CHECK ((readings > 0)),
    CONSTRAINT watch_seen_later_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT watch_seen_later_is_within_its_time CHECK (((since < until) AND (since <= first_seen_at) AND (first_seen_at <= last_seen_at) AND (last_seen_at < until)))
);
-- watch_seen_later: a time that was blind and of which readings arrived afterwards; it stays blind in every figure, and is explained
-- watch_seen_later.readings: how many had arrived by then that were observed in that time
-- watch_seen_later.known_at: when the hub had said that it holds nothing more

CREATE TABLE watch_span (
    home text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    state text NOT NULL,
    why text[] NOT NULL,
    follows timestamp with time zone,
    CONSTRAINT watch_span_begins_once PRIMARY KEY (home, since),
    CONSTRAINT watch_span_begins_where_it_follows CHECK ((follows = since)),
    CONSTRAINT watch_span_ends_after_it_begins CHECK ((since < until)),
    CONSTRAINT watch_span_ends_once UNIQUE (home, until),
    CONSTRAINT watch_span_is_of_a_known_home FOREIGN KEY (home) REFERENCES home(home),
    CONSTRAINT watch_span_leaves_no_hole FOREIGN KEY (home, follows) REFERENCES watch_span(home, until),
    CONSTRAINT watch_span_state_is_known CHECK ((state = ANY (ARRAY['watched'::text, 'degraded'::text, 'blind'::text, 'paused'::text])))
);
CREATE INDEX watch_span_that_is_blind ON public.watch_span USING btree (until) WHERE (state = 'blind'::text);
CREATE UNIQUE INDEX watch_span_is_first_once ON public.watch_span USING btree (home) WHERE (follows IS NULL);
CREATE UNIQUE INDEX watch_span_is_open_once ON public.watch_span USING btree (home) WHERE (until IS NULL);
-- watch_span: what was known live; never rewritten
-- watch_span.until: excluded; null: it goes on
-- watch_span.follows: the end of the span before; null: the home's first

-- hypertable: reading by observed_at, a chunk for each 7 days
-- hypertable: stored_log by received_at, a chunk for each 1 day
