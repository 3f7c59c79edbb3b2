"""Do README and runbook say what the code has?  What stands only in code cannot be found at three in the morning."""

import ast
import configparser
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from alerts.alert import FAULTS, Question
from alerts.judging.detectors.equipment import RADIO
from deploy.cli import app
from deploy.watcher.judging import Alarm
from gateway import outbox
from ingest.db import migrate

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(
    ROOT / named
    for named in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
)
README = (ROOT / "README.md").read_text()
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text()
PAGES = tuple(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "deploy").rglob("*.md"), *(ROOT / "tests").glob("*/*.md")]
    if "node_modules" not in path.parts
)
PROCESSES = ("gateway", "ingest", "alerts", "api", "deploy/watcher")


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from package.rglob("*.py")


def trees(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield each module with its tree, of some packages or of all."""
    for path in sources():
        if not packages or any(path.is_relative_to(ROOT / package) for package in packages):
            yield path, _tree(path)


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions or methods with these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = (
                called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            )
            if name in names:
                yield node


def text_of(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def named(text: str) -> set[str]:
    """Return what stands in backticks, as it stands there."""
    return set(re.findall(r"`([^`\n]+)`", text))


def variables(text: str) -> set[str]:
    return set(re.findall(r"\bTELECARE_[A-Z][A-Z_]*[A-Z]\b", text))


def error_events() -> tuple[set[str], list[str]]:
    """Return the events at level ERROR, and where one is logged whose words cannot be read from the source.

    A sentence (`str(why)`) is what a process says before it ends; the runbook has a heading for all of them.
    Ingest's shouts are logged in one place, and written where they are found.
    """
    events, unknown = set(), []
    for path, tree in trees(*PROCESSES):
        for call in [*calls(tree, "error", "exception", "critical"), *calls(tree, "log")]:
            if not (isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "log"):
                continue
            said = call.args[1 if call.func.attr == "log" else 0]
            if event := text_of(said):
                events.add(event.removesuffix("%s").strip())
            elif ast.unparse(said) not in {"str(why)", "event"}:
                unknown.append(f"{path.relative_to(ROOT)}:{call.lineno}")
        for call in calls(tree, "append"):
            if ast.unparse(call.func).endswith(".shouts.append") and isinstance(call.args[0], ast.Tuple):
                events.add(text_of(call.args[0].elts[0]) or f"{path}:{call.lineno}")
    return events, unknown


@functools.cache
def metrics() -> frozenset[str]:
    """Return every metric as Prometheus shows it: a counter's name ends in `_total`."""
    found = set()
    for _, tree in trees():
        for call in calls(tree, "Counter", "Gauge", "Histogram", "Summary"):
            name = text_of(call.args[0]) if call.args else None
            if name is not None:
                is_counter = ast.unparse(call.func).endswith("Counter")
                found.add(name.removesuffix("_total") + "_total" if is_counter else name)
    return frozenset(found)


def readiness_checks() -> set[tuple[str, str]]:
    """Return each process with the name of each of its checks, as `/ready` says it."""
    found = set()
    for process in PROCESSES:
        tree = ast.parse((ROOT / process / "__main__.py").read_text())
        for call in calls(tree, "HealthServer"):
            said = call.args[2]
            if isinstance(said, ast.Name):
                told = said.id
                said = next(
                    node.value
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == told
                )
            assert isinstance(said, ast.Dict), f"the checks of {process} cannot be read"
            found |= {(process.rpartition("/")[2], text_of(key) or "") for key in said.keys}
    return found


def troubles() -> set[str]:
    """Return what a hub, or ingest, can say is wrong with a hub."""
    said = {RADIO, outbox.OLD_CARD, outbox.OUTBOX_LOST, outbox.DISK_FULL, outbox.DISK_UNWRITABLE}
    for _, tree in trees("ingest"):
        said |= {what for call in calls(tree, "_trouble") if (what := text_of(call.args[1])) is not None}
    return said


def headings(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made by what shows it."""
    lines = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    titles = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def alarm_sections() -> dict[str, str]:
    """Return the runbook's headings of things that go wrong, each with what stands under it."""
    body = RUNBOOK.partition("\n# Somebody must be told\n")[2].partition("\n# For reference\n")[0]
    parts = re.split(r"^## (.+)$", re.sub(r"^# .+$", "", body, flags=re.MULTILINE), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands() -> list[str]:
    """Return every `deploy/telecare ...` in README, runbook and decisions, in code blocks and within lines."""
    found = set()
    for path in PAGES:
        text = path.read_text()
        said = [*named(text), *re.findall(r"^ {4}(deploy/.+)$", text, flags=re.MULTILINE)]
        for block in re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            said += block.splitlines()
        for line in said:
            plain = line.partition("#")[0].strip()
            if plain.startswith("deploy/telecare "):
                # `deploy/telecare gateway | ingest` stands for two.
                first, *others = plain.split(" | ")
                found |= {first, *(f"deploy/telecare {other}" for other in others)}
    return sorted(found)


def test_every_variable_is_named() -> None:
    """Whoever runs this can set only what they can find."""
    there = set().union(*(variables(path.read_text()) for path in sources()))

    assert there - variables(README + RUNBOOK) == set()


def test_no_variable_is_named_that_nothing_knows() -> None:
    """A variable that was renamed would be set in vain, and nobody would be told."""
    there = set().union(*(variables(path.read_text()) for path in sources()))
    # A secret's file is its variable's name with this at its end; the code puts the two together.
    there |= {f"{name}_FILE" for name in there}

    assert variables(README + RUNBOOK) - there == set()


def test_every_metric_is_in_the_runbook() -> None:
    """A graph that rises is of use only to somebody who knows what it means for a resident."""
    assert metrics() - named(RUNBOOK) == set()


def test_no_metric_is_named_that_is_not_counted() -> None:
    """An alarm on a metric that was renamed never rings."""
    said = {
        name.partition("{")[0]
        for name in named(RUNBOOK)
        if re.match(r"telecare_(gateway|ingest|alerts|api|watcher)_", name)
    }

    assert said - metrics() == set()


def test_every_error_event_has_its_place_under_a_heading() -> None:
    """ERROR means that a person must act; a line that nobody can look up is a person who does not know what to do."""
    events, unknown = error_events()

    assert unknown == []
    assert events - named("".join(alarm_sections().values())) == set()


def test_every_reason_of_readiness_has_its_place_under_a_heading() -> None:
    """What restarts or pages somebody must say what to do next."""
    sections = alarm_sections().values()
    missing = [
        (process, check)
        for process, check in readiness_checks()
        if not any("`/ready`" in text and process in text and f"`{check}`" in text for text in sections)
    ]

    assert missing == []


def test_every_fault_and_every_trouble_of_a_hub_has_its_place_under_a_heading() -> None:
    """An operator is texted in these very words."""
    # What asks for a person rather than for equipment says in its text what to do.
    asked = {question.value for question in (*FAULTS, Question.ALARM)}

    assert (asked | troubles()) - named("".join(alarm_sections().values())) == set()


@pytest.mark.parametrize("alarm", list(Alarm), ids=lambda alarm: alarm.name.lower())
def test_every_alarm_of_the_watcher_is_a_heading(alarm: Alarm) -> None:
    """The text begins with the words that are looked up here."""
    assert alarm.value in alarm_sections()


@pytest.mark.parametrize("heading", sorted(alarm_sections()))
def test_a_heading_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(heading: str) -> None:
    """Woken people skip what they do not find where it always stands."""
    text = alarm_sections()[heading]
    places = [text.find(word) for word in ("Seen as:", "**For a resident:**", "**Look:**", "**Do:**", "**Over when:**")]

    assert -1 not in places
    assert places == sorted(places)


def test_every_migration_is_in_the_runbook() -> None:
    """An operator who looks for a fact must know which table has it."""
    names = {one.name.removesuffix(".sql") for one in migrate.read_all()}

    assert names ^ {name for name in named(RUNBOOK) if re.fullmatch(r"\d{4}_\w+", name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A dead link in the front door says that nobody lives here."""
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        place, _, anchor = link.partition("#")
        target = page.parent / place if place else page
        if not target.exists() or (anchor and anchor not in headings(target.read_text())):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("line", commands())
def test_a_command_that_is_named_can_be_given(line: str) -> None:
    """A command that is typed as the page has it must be taken as it stands."""
    words = line.split()[1:]
    if words[:1] == ["test"]:
        # The launcher's own: it runs even when the command line is broken.
        assert "= test ]" in (ROOT / "deploy" / "telecare").read_text()
        return
    command = typer.main.get_command(app)
    context = command.make_context("telecare", list(words))
    while isinstance(command, typer.core.TyperGroup):
        if command.invoke_without_command and (not words or words[0].startswith("-")):
            return
        name, found, words = command.resolve_command(context, words)
        assert found is not None, name
        command, context = found, found.make_context(name, list(words), parent=context)


def test_the_pages_name_commands_at_all() -> None:
    """The test above is for nothing if it finds none."""
    assert {"deploy/telecare demo", "deploy/telecare up", "deploy/telecare hub list"} <= set(commands())


def test_the_picture_of_imports_is_what_is_enforced() -> None:
    """Readers trust the picture; the linter trusts its file."""
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter")
    layers = linter["importlinter:contract:one-way"]["layers"].split()
    drawn = {
        words[0]: [word for word in re.split(r"[\s<>]+", words[1].partition("and never")[0]) if word]
        for line in README.splitlines()
        if len(words := line.strip().split(maxsplit=1)) == 2 and words[0] in {"data", "imports"} and line[0] == " "
    }

    assert drawn["imports"] == layers[::-1]
    assert drawn["data"] == [layer for layer in layers[::-1] if layer != "deploy"]


def test_every_test_that_a_page_names_is_there() -> None:
    """A page that rests a promise on a test is worth nothing once that test is gone."""
    there = {
        found[1]
        for path in (ROOT / "tests").rglob("*.py")
        if "node_modules" not in path.parts
        for found in re.finditer(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    named = {name: path for path in PAGES for name in re.findall(r"`(test_\w+)`", path.read_text())}

    assert len(named) > 10
    assert {name: str(path.relative_to(ROOT)) for name, path in named.items() if name not in there} == {}


def test_the_licence_lies_here_whole() -> None:
    """Whoever copies this must be told what they may do, in the words that the Free Software Foundation gave it."""
    said = (ROOT / "LICENSE").read_text()

    headings = re.findall(r"^  (\d+)\. [A-Z]", said, re.MULTILINE)

    assert said.split("\n")[0].strip() == "GNU AFFERO GENERAL PUBLIC LICENSE"
    assert headings == [str(number) for number in range(18)]
    assert "  13. Remote Network Interaction; Use with the GNU General Public License.\n" in said
    assert said.rstrip().endswith("<https://www.gnu.org/licenses/>.")


def test_each_decision_has_its_own_number() -> None:
    """Two that are called 26 are cited as one."""
    decisions = sorted((ROOT / "deploy" / "decisions").glob("*.md"))

    said = [path.read_text().partition(". ")[0] for path in decisions]

    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    assert said == [f"# {number}" for number in range(1, len(decisions) + 1)]
