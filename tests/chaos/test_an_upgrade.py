"""Does a site go from one release to the next, and back, with both at work on one database?

What the next release may do to the tables is known (additions first, removal a release later); it is done here to every
table at once, while the release before reads and writes them.
"""

from collections.abc import Callable
from typing import Final

from ingest.db import migrate
from tests.chaos.world import Story
from tests.world.processes import Process, wait_until

_TABLES: Final = """
    SELECT format('%I', relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration' ORDER BY relname
"""


def _next_release(story: Story) -> list[migrate.Migration]:
    """Return this release's migrations and one of the next: a column for each table, and a table of its own."""
    with story.database.connect() as conn:
        tables = [str(name) for (name,) in conn.execute(_TABLES)]
    assert len(tables) > 20
    sql = "SET LOCAL lock_timeout = '5s';\n"
    sql += "".join(f"ALTER TABLE {table} ADD COLUMN of_the_next_release text;\n" for table in tables)
    sql += "CREATE TABLE of_the_next_release (what text);\n"
    ours = migrate.read_all()
    return [*ours, migrate.Migration(len(ours) + 1, "9999_ingest_next.sql", sql, "0" * 64)]


def _alerts(story: Story) -> Process:
    process = Process("alerts", {"TELECARE_DATABASE_URL": story.database.dsn}, folder=story.folder)
    story.stack.callback(process.stop)
    return process


def _alarms_judged(story: Story) -> set[str]:
    with story.database.connect() as conn:
        return {str(identity) for (identity,) in conn.execute("SELECT identity FROM alarm")}


def test_an_upgrade_under_load_and_the_way_back(story_on_nats: Story) -> None:
    """Nobody upgrades at night because the day's readings would be lost."""
    story = story_on_nats
    story.gateway()
    old_ingest, old_alerts = story.ingest(), _alerts(story)
    old_alerts.start_ready()

    def goes_on() -> Callable[[], bool]:
        before = story.count()
        return lambda: story.count() > before + 20

    with story.sensors.speaking():
        assert wait_until(goes_on())
        migrate.migrate(story.database.dsn, migrations=_next_release(story))
        assert wait_until(goes_on()), "the release before stopped at the next one's tables"

        new_alerts = _alerts(story)
        new_alerts.start()
        old_alerts.stop()
        assert wait_until(new_alerts.is_ready), new_alerts.last_words()
        new_ingest = story.ingest_beside()
        old_ingest.stop()
        assert wait_until(new_ingest.is_ready), new_ingest.last_words()
        assert wait_until(goes_on())

        assert migrate.migrate(story.database.dsn) == [], "the release before would not start again"
        back = story.ingest_beside()
        new_ingest.stop()
        assert wait_until(back.is_ready), back.last_words()
        assert wait_until(goes_on())

    story.everything_arrives(within_s=90)
    assert story.sensors.never_taken_in() == set()
    assert story.lost() == 0
    assert story.positions_have_no_holes()
    assert wait_until(lambda: _alarms_judged(story) == set(story.alarms())), "an alarm was not judged"
