"""Does every file keep the rules of the house that no linter knows?"""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from ingest.db import migrate

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(
    ROOT / named
    for named in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
)
MODULES = tuple(path for package in PACKAGES for path in package.rglob("*.py"))
# What is shipped, and what says how it is made: text of ours, not what was compiled from it.
SHIPPED = (
    *(
        path
        for package in PACKAGES
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".png"}
    ),
    *(path for path in ROOT.iterdir() if path.suffix in {".md", ".toml"} or path.name == ".importlinter"),
    ROOT / ".ci" / "run",
    *(ROOT / "tests").glob("package*.json"),
)
MIGRATIONS = migrate.read_all()

# Where a checkout or its owner lives, where packages came from, and what nobody may read.
_ELSEWHERE = re.compile(
    r"(?<![\w.$}])/(?:work|root|home|Users)/"
    r"|\b(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org)\b"
    r"|--(?:extra-)?index-url[ =]"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_EXCEPTION = re.compile(r"#\s*(?:noqa|type: ignore)\b(?P<rest>.*)")
_CODES = re.compile(r"^(?:: ?(?P<ruff>[A-Z]+\d+(?:, ?[A-Z]+\d+)*)|\[(?P<mypy>[a-z-]+(?:, ?[a-z-]+)*)\])")
_REASON = re.compile(r"(?:--?|#) *(?:noqa.*)?\w.*")

# A constraint's name goes on after its table's: what is true of every row that the database takes.
_VERBS = frozenset(
    {"is", "are", "has", "have", "was", "were", "names", "ends", "begin", "begins"}
    | {"belongs", "speaks", "answers", "came", "fails"}
)
_RULE = r"PRIMARY KEY|FOREIGN KEY|CHECK|UNIQUE(?! INDEX)|EXCLUDE"


def sql_of(one: migrate.Migration) -> str:
    """Return a migration without its comments and its strings."""
    return re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*", "", one.sql))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_which_question_it_answers(path: Path) -> None:
    """Whoever opens a folder at night reads this first; a folder without it is a drawer."""
    said = ast.get_docstring(ast.parse(path.read_text()))

    assert said
    assert said.splitlines()[0].rstrip().endswith((".", "?", ":"))


def test_every_folder_of_code_is_a_package() -> None:
    """A folder without its `__init__.py` is imported all the same, and nobody says what it is for."""
    assert {path.parent for path in MODULES} - {path.parent for path in MODULES if path.name == "__init__.py"} == set()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_knows_nothing_of_the_machine_it_was_written_on(path: Path) -> None:
    """What holds a path, a package index or a key of ours works here alone, or tells what nobody may know."""
    assert _ELSEWHERE.findall(path.read_text()) == []


def test_every_exception_from_a_check_names_its_rule_and_says_why() -> None:
    """A check that is switched off without a reason is switched off for good; one reason a rule and file will do."""
    wrong = []
    for path in MODULES:
        explained: set[str] = set()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if (found := _EXCEPTION.search(line)) is None:
                continue
            codes = _CODES.match(found["rest"])
            rules = set(re.split(r", ?", codes["ruff"] or codes["mypy"])) if codes else {""}
            if codes and _REASON.search(found["rest"], codes.end()):
                explained |= rules
            elif not codes or not rules <= explained:
                wrong.append(f"{path.relative_to(ROOT)}:{number}")

    assert wrong == []


def test_nothing_is_put_off_without_a_number() -> None:
    """What is left to do and stands nowhere but in the code is never done."""
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SHIPPED
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\b(?:TODO|FIXME|XXX)\b(?! ?\(?#\d+)", line)
    ]

    assert wrong == []


@pytest.mark.parametrize("one", MIGRATIONS, ids=lambda one: one.name)
def test_every_rule_of_a_table_has_a_name(one: migrate.Migration) -> None:
    """A name that PostgreSQL makes up says nothing to the person who reads that it was broken."""
    nameless = re.sub(rf"CONSTRAINT \w+\s+(?:{_RULE})", "", sql_of(one))

    assert re.findall(rf"(?:{_RULE})\b", nameless) == []


@pytest.mark.parametrize("one", MIGRATIONS, ids=lambda one: one.name)
def test_the_name_of_a_rule_is_a_sentence_about_its_table(one: migrate.Migration) -> None:
    """`alert_is_closed_with_an_outcome` tells at night what was tried, and `alert_check1` does not."""
    wrong = []
    for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\);", sql_of(one), flags=re.DOTALL):
        for name in re.findall(r"CONSTRAINT (\w+)", body):
            said = name.removeprefix(f"{table}_").split("_")
            if not name.startswith(f"{table}_") or len(said) < 2 or not _VERBS & set(said):
                wrong.append(name)

    assert wrong == []


def test_migrations_have_rules_at_all() -> None:
    """The tests above are for nothing if they find none."""
    assert sum(len(re.findall(r"CONSTRAINT \w+", sql_of(one))) for one in MIGRATIONS) > 50
