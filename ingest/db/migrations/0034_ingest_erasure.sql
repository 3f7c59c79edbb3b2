-- owner: ingest
-- why:   who asks to be forgotten is (UK GDPR, article 17), in one place for all tables, and again after a restore

SET LOCAL lock_timeout = '5s';

CREATE TABLE erasure (
    erasure        bigint      GENERATED ALWAYS AS IDENTITY,
    what           text        NOT NULL,
    subject        text,
    subject_sha256 bytea       NOT NULL,
    instead        text        NOT NULL,
    lane           smallint,
    input          bigint,
    hubs           text[],
    hubs_sha256    bytea[]     NOT NULL DEFAULT '{}',
    asked_at       timestamptz NOT NULL,
    log_cleared_at timestamptz,
    done_at        timestamptz,

    CONSTRAINT erasure_is_known_once PRIMARY KEY (erasure),
    CONSTRAINT erasure_is_of_a_home_or_a_person CHECK (what IN ('home', 'person')),
    CONSTRAINT erasure_of_a_home_has_its_lane CHECK ((what = 'home') = (lane IS NOT NULL)),
    CONSTRAINT erasure_forgets_whom_when_it_is_done CHECK (
        (done_at IS NULL) = (subject IS NOT NULL) AND (done_at IS NULL OR hubs IS NULL)),
    CONSTRAINT erasure_is_of_a_subject_once UNIQUE (what, subject_sha256)
);

CREATE INDEX erasure_to_do ON erasure (erasure) WHERE done_at IS NULL;
CREATE INDEX erasure_of_a_hub ON erasure USING gin (hubs_sha256);

COMMENT ON TABLE  erasure                IS 'homes and people of whom all that tells who they are was erased, or is being; a name here is not given again';
COMMENT ON COLUMN erasure.subject        IS 'the key of the home or person; null once it is done';
COMMENT ON COLUMN erasure.subject_sha256 IS 'of the key: a restore finds by it whom to erase again';
COMMENT ON COLUMN erasure.instead        IS 'the key that stands for it in what is kept; made of chance alone';
COMMENT ON COLUMN erasure.input          IS 'the judging_input after which judgement knows the home no more; null for a person';
COMMENT ON COLUMN erasure.hubs           IS 'of the home; null once it is done';
COMMENT ON COLUMN erasure.hubs_sha256    IS 'of the names of its hubs: what they send is not kept';
COMMENT ON COLUMN erasure.asked_at       IS 'by the clock that homes are judged on, as are the other moments here';
COMMENT ON COLUMN erasure.log_cleared_at IS 'when nothing of the home was left in stored_log; null: not yet, or a person';

ALTER TABLE home ADD COLUMN erased_at timestamptz;
COMMENT ON COLUMN home.erased_at IS 'shown, judged and counted on no page since; the row stays for the figures that it was part of';

ALTER TABLE judging_input DROP CONSTRAINT judging_input_is_of_a_known_kind;
ALTER TABLE judging_input ADD CONSTRAINT judging_input_is_of_a_known_kind CHECK (
    kind IN ('policy', 'closed', 'sensors', 'watched', 'stretch', 'pause', 'erased'));
COMMENT ON COLUMN judging_input.kind IS 'policy: the numbers; closed: an alert and its outcome; sensors: which there are; watched: the home is watched from here on; stretch: how much later promises may be kept while time is sped up; pause: who is away; erased: the home is forgotten';

-- A pattern that finds each of some words where it stands by itself; null where there are none.
CREATE FUNCTION erasure_pattern(words text[]) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT '(?<![[:alnum:]])(' || string_agg(regexp_replace(word, '([^[:alnum:][:space:]])', '\\\1', 'g'), '|' ORDER BY length(word) DESC)
           || ')(?![[:alnum:]])'
    FROM (SELECT DISTINCT trim(said) AS word FROM unnest(words) AS said WHERE length(trim(said)) > 1) AS w
    $$;

-- A phone as it is kept and as people write it.
CREATE FUNCTION erasure_phone(phone text) RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT ARRAY[phone, '0' || substr(phone, 4), '0' || substr(phone, 4, 4) || ' ' || substr(phone, 8)] $$;

-- Every word of these in every text of every table but those that say who people are, which are written by key.
CREATE FUNCTION erase_words(pattern text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    one record;
BEGIN
    IF pattern IS NULL THEN RETURN; END IF;
    FOR one IN
        SELECT c.relname, a.attname, a.atttypid::regtype::text AS type
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype)
          AND c.relname NOT IN ('person', 'resident', 'home', 'hub', 'reading', 'stored_log', 'erasure', 'migration',
                                'confidence_question', 'watch_span')
        ORDER BY c.relname, a.attname
    LOOP
        EXECUTE format(CASE one.type
            WHEN 'text' THEN 'UPDATE %1$I SET %2$I = regexp_replace(%2$I, $1, ''(erased)'', ''g'') WHERE %2$I ~ $1'
            WHEN 'jsonb' THEN 'UPDATE %1$I SET %2$I = regexp_replace(%2$I::text, $1, ''(erased)'', ''g'')::jsonb WHERE %2$I::text ~ $1'
            ELSE 'UPDATE %1$I SET %2$I = ARRAY(SELECT regexp_replace(word, $1, ''(erased)'', ''g'') FROM unnest(%2$I) WITH ORDINALITY AS w(word, place) ORDER BY place) WHERE array_to_string(%2$I, '' '') ~ $1'
            END, one.relname, one.attname) USING pattern;
    END LOOP;
END $$;

-- In every table that refers to it, another key instead.
CREATE FUNCTION erase_key(of_table regclass, subject text, instead text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT k.conrelid::regclass AS of, a.attname
        FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        WHERE k.contype = 'f' AND k.confrelid = of_table AND cardinality(k.conkey) = 1 AND k.conparentid = 0
    LOOP
        EXECUTE format('UPDATE %s SET %2$I = $1 WHERE %2$I = $2', one.of, one.attname) USING instead, subject;
    END LOOP;
END $$;

CREATE FUNCTION erase_home(one erasure, moment timestamptz) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    alerts bigint[] := ARRAY(SELECT alert FROM alert WHERE home = one.subject OR hub = ANY (one.hubs));
    firsts text := erasure_pattern(ARRAY(SELECT first_name FROM resident WHERE home = one.subject));
    words text[] := ARRAY(
        SELECT unnest(erasure_phone(phone) || full_name || address) FROM resident WHERE home = one.subject
        UNION SELECT unnest(erasure_phone(content->>'phone') || (content->>'full_name') || (content->>'address'))
        FROM change_record WHERE home = one.subject AND what = 'resident written');
BEGIN
    DELETE FROM reading WHERE home = one.subject OR (home IS NULL AND hub = ANY (one.hubs));

    -- What people were told and answered of it.
    DELETE FROM held_text WHERE notification IN (SELECT notification FROM notification WHERE alert = ANY (alerts));
    DELETE FROM notification WHERE alert = ANY (alerts) OR (purpose = 'confidence' AND body ~ firsts
        AND person IN (SELECT person FROM confidence_asking WHERE home = one.subject));
    DELETE FROM text_received WHERE alert = ANY (alerts);
    DELETE FROM reply_code WHERE alert = ANY (alerts);
    DELETE FROM alarm WHERE alert = ANY (alerts);
    DELETE FROM outage_home WHERE alert = ANY (alerts) OR home = one.subject;

    -- Who lives there, what stands there, who is told, who may see, what was agreed.
    DELETE FROM setup_said WHERE home = one.subject;
    DELETE FROM resident WHERE home = one.subject;
    DELETE FROM sensor WHERE home = one.subject;
    DELETE FROM home_room WHERE home = one.subject;
    DELETE FROM home_team WHERE home = one.subject;
    DELETE FROM home_group_member WHERE home = one.subject;
    DELETE FROM telling_step WHERE home = one.subject;
    DELETE FROM rota_shift WHERE home = one.subject;
    DELETE FROM rota_override WHERE home = one.subject;
    DELETE FROM consent WHERE home = one.subject;
    DELETE FROM access_grant WHERE home = one.subject;
    DELETE FROM pause WHERE home = one.subject;
    DELETE FROM confidence_call WHERE home = one.subject;

    -- What was learnt of it, and what it is judged by.
    DELETE FROM home_judgement WHERE home = one.subject;
    DELETE FROM home_watch WHERE home = one.subject;
    DELETE FROM watch_seen_later WHERE home = one.subject;
    DELETE FROM judging_input WHERE home = one.subject;
    UPDATE alert SET policy = NULL WHERE policy IN (SELECT policy FROM policy WHERE home = one.subject);
    DELETE FROM policy WHERE home = one.subject;
    UPDATE policy_version SET takes_back = NULL WHERE home = one.subject;
    DELETE FROM policy_version WHERE home = one.subject;
    DELETE FROM look_back WHERE home = one.subject;
    UPDATE look_back SET homes = array_replace(homes, one.subject, one.instead),
        found = replace(look_back.found::text, '"' || one.subject || '"', '"' || one.instead || '"')::jsonb
        WHERE one.subject = ANY (homes);

    -- Its boxes.
    DELETE FROM refused WHERE hub = ANY (one.hubs);
    DELETE FROM lost_range WHERE hub = ANY (one.hubs);
    DELETE FROM stream WHERE hub = ANY (one.hubs);
    DELETE FROM hub_report WHERE hub = ANY (one.hubs);
    DELETE FROM hub_heard WHERE hub = ANY (one.hubs);

    -- What stays is counted: that something was raised and how it ended, how long the home was seen, and the answers.
    INSERT INTO home (home, lane, added_at, erased_at) SELECT one.instead, lane, added_at, moment FROM home WHERE home = one.subject;
    UPDATE alert SET state = 'closed', outcome = 'mended', closed_at = moment, closed_by = 'telecare'
        WHERE alert = ANY (alerts) AND state <> 'closed';
    UPDATE alert SET home = one.instead, hub = NULL, subject = '', episode = 'erased/' || alert, why = '{}',
        closing_word = NULL, next_telling_at = NULL, nobody_left_at = NULL WHERE alert = ANY (alerts);
    UPDATE acknowledgement SET let_go_at = moment, let_go_why = 'erased' WHERE alert = ANY (alerts) AND let_go_at IS NULL
        AND alert IN (SELECT alert FROM alert WHERE closed_at = moment);
    -- Written anew under the other key, for no row of it is ever changed.
    INSERT INTO watch_span (home, since, until, state, why, follows)
        SELECT one.instead, since, COALESCE(until, moment), state, '{}', follows FROM watch_span
        WHERE home = one.subject AND since < COALESCE(until, moment);
    DELETE FROM watch_span WHERE home = one.subject;
    UPDATE confidence_report SET words = NULL WHERE home = one.subject;
    UPDATE access_record SET home = one.instead WHERE home = one.subject;
    UPDATE change_record SET home = one.instead, content = '{}' WHERE home = one.subject;
    UPDATE change_record SET content = replace(content::text, '"' || one.subject || '"', '"' || one.instead || '"')::jsonb
        WHERE content::text LIKE '%"' || one.subject || '"%';
    UPDATE api_token SET homes = array_replace(homes, one.subject, one.instead) WHERE one.subject = ANY (homes);
    DELETE FROM hub WHERE hub = ANY (one.hubs) OR home = one.subject;
    PERFORM erase_key('home', one.subject, one.instead);
    DELETE FROM home WHERE home = one.subject;
    PERFORM erase_words(erasure_pattern(words));
END $$;

CREATE FUNCTION erase_person(one erasure, moment timestamptz) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    column_of record;
    -- A number that has become somebody else's is theirs.
    phones text[] := ARRAY(
        SELECT phone FROM (
            SELECT phone FROM person WHERE person = one.subject
            UNION SELECT phone FROM notification WHERE person = one.subject
            UNION SELECT content->>'phone' FROM change_record WHERE person = one.subject) AS had
        WHERE phone IS NOT NULL AND phone NOT IN (
            SELECT phone FROM person WHERE person <> one.subject AND phone IS NOT NULL));
    words text[] := ARRAY(
        SELECT unnest(ARRAY[full_name, email]) FROM person WHERE person = one.subject
        UNION SELECT unnest(ARRAY[content->>'name', content->>'email']) FROM change_record WHERE person = one.subject
        UNION SELECT unnest(erasure_phone(had)) FROM unnest(phones) AS had);
BEGIN
    DELETE FROM session WHERE person = one.subject;
    DELETE FROM login_link WHERE person = one.subject;
    DELETE FROM login_request WHERE phone_sha256 IN (SELECT sha256(convert_to(lower(said), 'UTF8')) FROM unnest(words) AS said);
    DELETE FROM recovery_code WHERE person = one.subject;
    DELETE FROM password WHERE person = one.subject;
    DELETE FROM second_factor WHERE person = one.subject;
    DELETE FROM second_factor_offer WHERE person = one.subject;
    DELETE FROM provider_identity WHERE person = one.subject;
    DELETE FROM api_sent WHERE token IN (SELECT name FROM api_token WHERE person = one.subject);
    DELETE FROM api_token WHERE person = one.subject;
    DELETE FROM access_grant WHERE person = one.subject;
    DELETE FROM telling_step WHERE person = one.subject;
    DELETE FROM rota_shift WHERE person = one.subject;
    DELETE FROM rota_override WHERE person = one.subject OR instead = one.subject;
    DELETE FROM text_received WHERE phone = ANY (phones);
    DELETE FROM reply_code WHERE phone = ANY (phones);
    UPDATE resident SET person = NULL WHERE person = one.subject;

    -- Texts about an alert are part of its story; the others were to this person alone.
    DELETE FROM held_text WHERE notification IN (
        SELECT notification FROM notification WHERE person = one.subject AND alert IS NULL);
    DELETE FROM notification WHERE person = one.subject AND alert IS NULL;
    UPDATE notification SET state = 'not needed', claimed_by = NULL, claimed_at = NULL
        WHERE person = one.subject AND state IN ('due', 'trying');
    UPDATE notification SET phone = '(erased)' WHERE person = one.subject AND phone IS NOT NULL;
    UPDATE confidence_report SET words = NULL WHERE person = one.subject;
    UPDATE confidence_call SET note = NULL WHERE person = one.subject;
    UPDATE change_record SET content = '{}' WHERE person = one.subject;
    UPDATE change_record SET content = replace(content::text, '"' || one.subject || '"', '"' || one.instead || '"')::jsonb
        WHERE content::text LIKE '%"' || one.subject || '"%';
    UPDATE alert SET why = replace(why::text, '"' || one.subject || '"', '"' || one.instead || '"')::jsonb
        WHERE why::text LIKE '%"' || one.subject || '"%';
    UPDATE judging_input SET content = jsonb_set(content, '{by}', to_jsonb(one.instead)) WHERE content->>'by' = one.subject;
    DELETE FROM setup_said WHERE subject LIKE '% ' || one.subject OR content::text LIKE '%"' || one.subject || '"%';

    INSERT INTO person (person, full_name, left_at) VALUES (one.instead, 'Somebody erased', moment);
    PERFORM erase_key('person', one.subject, one.instead);
    -- Who did something is named by key in columns that refer to nobody, for whoever was at the server is one too.
    FOR column_of IN
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid = 'text'::regtype AND c.relname NOT IN ('reading', 'stored_log', 'person')
          AND (a.attname IN ('by', 'viewer', 'person') OR a.attname LIKE '%\_by')
    LOOP
        EXECUTE format('UPDATE %1$I SET %2$I = $1 WHERE %2$I = $2', column_of.relname, column_of.attname)
            USING one.instead, one.subject;
    END LOOP;
    DELETE FROM person WHERE person = one.subject;
    PERFORM erase_words(erasure_pattern(words));
END $$;

-- As the owner of the tables: no process may do all this by itself, and none more than what was asked for and noted.
CREATE FUNCTION erase(number bigint, moment timestamptz) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    one erasure;
BEGIN
    SELECT * INTO one FROM erasure WHERE erasure = number AND done_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN RETURN true; END IF;
    IF one.what = 'home' THEN
        -- Whoever judges the lane would otherwise write the home again.
        IF one.log_cleared_at IS NULL OR EXISTS (
            SELECT FROM judging_lane WHERE lane = one.lane AND input < one.input) THEN RETURN false; END IF;
        PERFORM erase_home(one, moment);
    ELSE
        PERFORM erase_person(one, moment);
    END IF;
    UPDATE erasure SET subject = NULL, hubs = NULL, done_at = moment WHERE erasure = number;
    RETURN true;
END $$;

-- Nothing younger than 100 days, which judgement and its looks back rest on, whatever is asked for.
CREATE FUNCTION drop_readings_before(moment timestamptz) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT count(*)::integer FROM public.drop_chunks('public.reading',
          older_than => LEAST(moment, clock_timestamp() - interval '100 days')) $$;

REVOKE EXECUTE ON FUNCTION erasure_pattern(text[]), erasure_phone(text), erase_words(text), erase_key(regclass, text, text),
    erase_home(erasure, timestamptz), erase_person(erasure, timestamptz), erase(bigint, timestamptz),
    drop_readings_before(timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION erase(bigint, timestamptz) IS 'erases what a row of erasure asks for, in one transaction; false: judgement has still to forget the home';
COMMENT ON FUNCTION drop_readings_before(timestamptz) IS 'drops the whole weeks of readings before a moment, which is at least 100 days ago; returns how many chunks that were';
