"""Where in a whole database does a word still stand?"""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

_COLUMNS = """
    SELECT c.relname, a.attname, a.atttypid::regtype::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid::regtype::text IN ('text', 'text[]', 'jsonb', 'bytea', 'character varying', 'name', 'json')
    ORDER BY 1, 2
"""


def leftovers(conn: psycopg.Connection[Any], words: Iterable[str]) -> set[tuple[str, str, str]]:
    """Return (table, column, word) for each word in any text, list, JSON or bytes of any table, small or capital."""
    found = set()
    wanted = [word.lower() for word in words]
    for table, column, kind in conn.execute(_COLUMNS).fetchall():
        # Bytes are shown as text is in them; what is no letter is escaped.
        said = sql.SQL("encode({}, 'escape')" if kind == "bytea" else "{}::text").format(sql.Identifier(column))
        looked = sql.SQL(
            "SELECT word FROM unnest(%s::text[]) AS word WHERE EXISTS "
            "(SELECT FROM {} WHERE position(word IN lower({})) > 0)"
        ).format(sql.Identifier(table), said)
        found |= {(table, column, word) for (word,) in conn.execute(looked, (wanted,)).fetchall()}
    return found
