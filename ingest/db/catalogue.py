"""What tables does a database really have?  As text, to be compared with `schema.sql`.

`schema.sql` is not run; it is what all migrations together come to, so that a reader need not add them up and a test
notices when they come to something else.  After a new migration: `python -m ingest.db.catalogue DATABASE_URL`.
"""

import sys
from pathlib import Path
from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

from ingest.db import pool

SCHEMA: Final = Path(__file__).parent / "schema.sql"

_TABLES: Final = """
    SELECT c.oid, c.relname, obj_description(c.oid, 'pg_class')
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname
"""
_COLUMNS: Final = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity = 'a',
           pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# PostgreSQL 18 shows NOT NULL as a constraint; here it stands with its column.
_CONSTRAINTS: Final = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s AND contype IN ('p', 'u', 'f', 'c', 'x') ORDER BY contype <> 'p', conname
"""
_INDEXES: Final = """
    SELECT pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = %s AND indexrelid NOT IN (SELECT conindid FROM pg_constraint) ORDER BY 1
"""
_HYPERTABLES: Final = """
    SELECT h.hypertable_name, d.column_name, d.time_interval::text
    FROM timescaledb_information.hypertables h JOIN timescaledb_information.dimensions d USING (hypertable_name)
    WHERE h.hypertable_schema = 'public' ORDER BY 1
"""


def dump(conn: Connection[TupleRow]) -> str:
    """Return every table of a database, by name, with its constraints, indexes and comments."""
    tables = [_table(conn, *row) for row in conn.execute(_TABLES).fetchall()]
    hyper = [
        f"-- hypertable: {table} by {column}, a chunk for each {each}\n"
        for table, column, each in conn.execute(_HYPERTABLES)
    ]
    return "\n".join(["-- made by ingest.db.catalogue; never run\n", *tables, "".join(hyper)])


def _table(conn: Connection[TupleRow], oid: int, name: str, comment: str | None) -> str:
    columns = conn.execute(_COLUMNS, (oid,)).fetchall()
    lines = [_column(*row[:-1]) for row in columns]
    lines += [f"CONSTRAINT {named} {said}" for named, said in conn.execute(_CONSTRAINTS, (oid,))]
    body = ",\n".join(f"    {line}" for line in lines)
    after = [f"{said};\n" for (said,) in conn.execute(_INDEXES, (oid,))]
    after += [f"-- {name}: {comment}\n"] if comment else []
    after += [f"-- {name}.{row[0]}: {row[-1]}\n" for row in columns if row[-1]]
    return f"CREATE TABLE {name} (\n{body}\n);\n" + "".join(after)


def _column(name: str, kind: str, is_needed: bool, is_identity: bool, default: str | None) -> str:  # noqa: FBT001 - a row
    parts = [name, kind]
    parts += ["GENERATED ALWAYS AS IDENTITY"] if is_identity else []
    parts += [f"DEFAULT {default}"] if default else []
    return " ".join([*parts, *(["NOT NULL"] if is_needed else [])])


if __name__ == "__main__":
    with pool.connect(sys.argv[1], name="catalogue") as connection:
        SCHEMA.write_text(dump(connection))
