"""A setup file is checked whole before anything is written."""

import re
import typing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.judging import policy as policies
from alerts.judging import words
from alerts.judging.numbers import PRODUCTS_OWN
from alerts.judging.words import duration
from api.office.said import e164, wall_time
from deploy import shapes, street
from deploy.street import Wrong
from deploy.street_thresholds import numbers_of

DEMO = Path(street.__file__).with_name("demo_street.toml")


_JUNE = 'since = "2026-06-01 18:00"\nuntil = "2026-07-01 18:00"\n[[group]]'


def _nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    names = st.sampled_from(["id", "name", "operator", "phone", "resident", "sensor", "told", "consent", "hub"])
    return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)


def mistakes_in(text: str, folder: Path) -> str:
    file = folder / "street.toml"
    file.write_text(text)
    with pytest.raises(Wrong) as caught:
        street.read(file)
    return str(caught.value)


def test_the_demo_street_is_right() -> None:
    """A newcomer's first example must not be refused by the product itself."""
    read = street.read(DEMO)

    assert [home.id for home in read.home] == ["shore-road-14", "mill-lane-3", "church-wynd-8"]


def test_every_mistake_is_told_at_once_with_where_it_stands(tmp_path: Path) -> None:
    """An operator who mends one line at a time gives up before the last."""
    text = (
        DEMO.read_text()
        .replace('told = ["anne", "jim"]', 'told = ["ann", "jim"]')
        .replace('still_for = "5h"', 'still_for = "five"')
        .replace("07700 900103", "07700 900102")
    )

    said = mistakes_in(text, tmp_path)

    assert "home shore-road-14: told: 'ann' is not a person in this file" in said
    assert "home church-wynd-8: thresholds: still_for: 'five' is not a duration" in said
    assert "phone '+447700900102' stands there 2 times" in said


def test_a_name_that_cannot_be_one_is_refused_in_words(tmp_path: Path) -> None:
    """Whoever writes a file for the first time reads no regular expressions."""
    text = DEMO.read_text().replace('id = "mill-lane-3"', 'id = "Mill Lane 3"')

    said = mistakes_in(text, tmp_path)

    assert "expected lower case letters, digits and hyphens, at most 32, got 'Mill Lane 3' - at `home[1].id`" in said


def test_every_mistake_of_shape_is_told_at_once_too(tmp_path: Path) -> None:
    """A forgotten quote and a misspelt word are the first slips; one at a time they cost a run each."""
    text = (
        DEMO.read_text()
        .replace('hub = "hub-mill-lane-3"', 'hubb = "hub-mill-lane-3"')
        .replace('still_for = "5h"', "still_for = 5")
        .replace('name = "Jim Docherty"', 'nom = "Jim Docherty"')
        .replace('id = "hall-motion"', 'id = "hall motion"', 1)
    )

    said = mistakes_in(text, tmp_path)

    assert "unknown field `hubb` - at `home[1]`" in said
    assert "missing required field `hub` - at `home[1]`" in said
    assert "expected `str | null`, got `int` - at `home[2].thresholds.still_for`" in said
    assert "unknown field `nom` - at `person[1]`" in said
    assert "missing required field `name` - at `person[1]`" in said
    assert "home[0].sensor[0].id" in said


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _nested, max_leaves=12))
def test_a_shape_that_is_not_refused_is_taken(said: object) -> None:
    """What the checker lets through, the real reader takes; so no file ends in a traceback."""
    try:
        shapes.struct_of(street.Street, {"service": said, "person": said, "home": said})
    except shapes.Shapeless as why:
        assert why.mistakes


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ('hub = "hub-mill-lane-3"', 'hubb = "hub-mill-lane-3"', "unknown field `hubb` - at `home[1]"),
        ('kind = "contact"', 'kind = "magic"', "kind 'magic' is none of motion, contact"),
        ('operator = "control"', 'operator = "nobody"', "operator 'nobody' is not a person in this file"),
        ('id = "mill-lane-3"', 'id = "shore-road-14"', "home id 'shore-road-14' stands there 2 times"),
        ('waking = ["07:00", "22:00"]', 'waking = ["07:00", "25:00"]', "'25:00' is not a time of day"),
        ('told = ["moira", "jim"]', "told = []", "told is empty"),
        ('id = "mill-lane-3"', 'id = "new"', "a home cannot be called new"),
        ('room = "kitchen"', 'room = ""', "expected `str` of length >= 1"),
        ('phone = "07700 900101"', 'phone = "07700 900101"\nemail = "anne"', "'anne' is not an e-mail address"),
        (
            'phone = "07700 900101"',
            'email = "anne@care.example"',
            "person anne: phone: is needed: this person is told of alarms in shore-road-14",
        ),
        ('phone = "07700 900199"', "", "person control: phone: is needed: this person is told of alarms in every home"),
        (
            "[[group]]",
            '[[person]]\nid = "nina"\nname = "Nina Reid"\nkinds = ["family contact"]\n[[group]]',
            "person nina: phone: is needed, or an e-mail address: nobody signs in without either",
        ),
        (
            "[[group]]",
            '[[person]]\nid = "nina"\nname = "Nina Reid"\n[[cover]]\nperson = "jim"\ninstead = "nina"\n' + _JUNE,
            "person nina: phone: is needed: this person is told of alarms in place of jim",
        ),
        (
            'phone = "07700 900101"',
            'phone = "07700 900101"\nkinds = ["boss"]',
            "kinds: 'boss' is none of family contact",
        ),
        ('basis = "resident" ', 'basis = "hearsay" ', "basis: 'hearsay' is none of resident, attorney"),
        ('to = "data" ', 'who = ["sanjay"]\nto = "data" ', "consent: 'sanjay' is neither in family nor in carers"),
        (
            'family = ["anne"] ',
            'rooms = ["attic"]\nfamily = ["anne"] ',
            "there is no room 'hallway'; the rooms are attic",
        ),
        ("[service]", "[service", "street.toml: "),
        ('still_for = "5h"', "still_fore = 5", "unknown field `still_fore` - at `home[2].thresholds`"),
        ('still_for = "5h"', "cold_c = 31", "home church-wynd-8: thresholds: cold_c must be from 0.0 to 30.0"),
        ('still_for = "5h"', "hot_c = 17", "home church-wynd-8: thresholds: a room cannot be cold below 16.0"),
        ('out_for = "8h"', "cold_c = 29", "thresholds: a room cannot be cold below 29.0 and hot above 30.0"),
        ('rules = ["door at night: open', 'rules = ["open', "thresholds: rules[0]: 'open in front door for 10 min"),
        (
            'still_for = "5h"',
            'rules = ["attic: no movement in attic for 3h"]',
            "home church-wynd-8: thresholds: rules[0]: there is no room 'attic'",
        ),
        (
            'team = "kilbrae-wardens"',
            'team = "nobody"',
            "home church-wynd-8: team: 'nobody' is not a team in this file",
        ),
        ('days = "sat,sun"', 'days = "caturday"', "team kilbrae-wardens: shift[0]: days: 'caturday' is not days"),
        ('person = "moira"\ndays', 'person = "nina"\ndays', "shift[0]: 'nina' is not a person in this file"),
        (
            "[[group]]",
            '[[cover]]\nperson = "jim"\nsince = "2026-07-01 18:00"\nuntil = "2026-06-01 18:00"\n[[group]]',
            "cover[0]: until: is not after the beginning",
        ),
    ],
)
def test_a_mistake_has_a_sentence(tmp_path: Path, found: str, put: str, said: str) -> None:
    """Each is a slip that someone who sets up a street makes, and none may reach the database."""
    assert said in mistakes_in(DEMO.read_text().replace(found, put), tmp_path)


def test_whoever_only_looks_needs_a_mailbox_and_a_resident_neither(tmp_path: Path) -> None:
    """A son in Canada without a British phone is family all the same, and a resident signs in nowhere."""
    file = tmp_path / "street.toml"
    further = '[[person]]\nid = "nina"\nname = "Nina Reid"\nemail = "nina@care.example"\n'
    further += '[[person]]\nid = "margaret"\nname = "Margaret Reid"\nkinds = ["resident"]\n'
    file.write_text(DEMO.read_text().replace('family = ["anne"] ', 'family = ["anne", "nina"] ') + "\n" + further)

    read = {person.id: person for person in street.read(file).person}

    assert (read["nina"].phone, read["nina"].email) == (None, "nina@care.example")
    assert (read["margaret"].phone, read["margaret"].email) == (None, None)


def _structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Yield a struct and all that stand in it."""
    yield kind
    for field in msgspec.structs.fields(kind):
        for one in (field.type, *typing.get_args(field.type)):
            if isinstance(one, type) and issubclass(one, msgspec.Struct):
                yield from _structs(one)


def test_every_key_of_a_file_is_in_its_reference() -> None:
    """What stands only in code is set by nobody."""
    said = (DEMO.with_name("street.md")).read_text()
    named = set(re.findall(r"`\[{0,2}(?:\w+\.)?(\w+)\]{0,2}`", said))

    keys = {field.encode_name for kind in _structs(street.Street) for field in msgspec.structs.fields(kind)}

    assert keys - named - {"waking"} == set()
    assert "`waking = " in said


def test_what_a_file_gives_of_thresholds_is_what_its_reference_calls_the_product_own() -> None:
    """A reference that names another number than the product has is worse than none."""
    said = (DEMO.with_name("street.md")).read_text()

    own = {name: words.said(policies.DEFAULT, name) for name in words.names()}

    assert dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", said, re.MULTILINE)) == own


@pytest.mark.parametrize("name", words.names())
def test_every_threshold_can_be_given_as_it_is_shown(tmp_path: Path, name: str) -> None:
    """What an operator reads on a page is what somebody else writes into the file."""
    shown = words.said(policies.DEFAULT, name)
    written = {"yes": "true", "no": "false"}.get(shown) or (
        shown if name.endswith(("_c", "_pct", "_times")) else f'"{shown}"'
    )
    file = tmp_path / "street.toml"
    file.write_text(DEMO.read_text().replace('[thresholds]\nout_for = "8h"', f"[thresholds]\n{name} = {written}"))

    numbers = numbers_of(street.read(file).thresholds)

    assert numbers[policies.key_of(name)] == PRODUCTS_OWN[policies.key_of(name)]


def test_a_file_that_is_not_there_is_told_plainly(tmp_path: Path) -> None:
    """The commonest slip of all."""
    with pytest.raises(Wrong, match=r"cannot be read: No such file"):
        street.read(tmp_path / "nothing.toml")


@given(st.text(max_size=40))
def test_no_text_crashes_the_parsers(text: str) -> None:
    """A value is taken or refused with a sentence; nothing else may come out."""
    for parse in (duration, wall_time, e164):
        try:
            parse(text)
        except ValueError as why:
            assert repr(text) in str(why)


@given(st.integers(0, 300), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int) -> None:
    """An operator who writes 1h 30min means ninety minutes."""
    wanted = timedelta(hours=hours, minutes=minutes)

    if wanted:
        assert duration(f"{hours}h {minutes} min") == wanted
    else:
        with pytest.raises(ValueError, match="between"):
            duration(f"{hours}h {minutes}min")


def test_a_british_number_is_understood_as_it_is_written() -> None:
    """People write phone numbers as they say them."""
    assert e164("07700 900101") == "+447700900101"
    assert e164("+44 7700 900101") == "+447700900101"
