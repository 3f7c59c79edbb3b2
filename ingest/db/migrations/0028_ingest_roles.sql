-- owner: ingest
-- why:   an account that may not change tables can still drop log that is old, and nothing else

SET LOCAL lock_timeout = '5s';

-- As the owner of the table: drop_chunks asks for that.  Nothing of the caller's path is trusted.
CREATE FUNCTION drop_stored_log_before(moment timestamptz) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$ SELECT count(*)::integer FROM public.drop_chunks('public.stored_log', older_than => moment) $$;

REVOKE EXECUTE ON FUNCTION drop_stored_log_before(timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION drop_stored_log_before(timestamptz) IS 'drops the whole days of stored_log before a moment; returns how many chunks that were';
