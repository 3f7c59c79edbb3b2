"""Are codes, keys, passwords and waits what their standards say?"""

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.config import Config, NotConfigured
from api.signing_in import factors, passwords, throttle
from api.signing_in.sealing import NotOpened, Seals, keys_of

_OWN = ("anne", "Anne Reid", "Margaret's daughter", "+447700900101", "07700900101", "anne.reid@example.org", "Kilbrae")
_RFC = base64.b32encode(b"12345678901234567890").decode()
_SECONDS = st.integers(0, 4_000_000_000)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B (its last six digits): otherwise no authenticator fits."""
    assert factors.step_of(code, _RFC, after=0, now=_at(seconds)) == seconds // 30


@given(_SECONDS, st.integers(-200, 200))
def test_a_code_counts_one_step_around_now_and_no_further(seconds: int, away_s: int) -> None:
    """A phone's clock is a little off; a code that was read over a shoulder is worth a minute at most."""
    code = pyotp.TOTP(_RFC).at(max(0, seconds + away_s))
    found = factors.step_of(code, _RFC, after=-1, now=_at(seconds))

    near = {pyotp.HOTP(_RFC).at(step): step for step in range(max(0, seconds // 30 - 1), seconds // 30 + 2)}
    assert (found is None) == (code not in near)


@given(_SECONDS)
def test_a_code_is_taken_once(seconds: int) -> None:
    """RFC 6238, 5.2: the second attempt of the same code must be refused."""
    now = _at(seconds)
    code = pyotp.TOTP(_RFC).at(seconds)
    step = factors.step_of(code, _RFC, after=-1, now=now)

    assert step is not None
    assert factors.step_of(code, _RFC, after=step, now=now) != step


@given(st.text(max_size=40))
def test_whatever_is_typed_as_a_code_is_read_without_a_mistake(typed: str) -> None:
    """A stranger types anything."""
    code = factors.plain(typed)

    assert not factors.is_authenticators(code) or factors.step_of(code, _RFC, after=0, now=_at(59)) in {None, 1, 2}


def test_recovery_codes_are_ten_different_ones_that_survive_being_typed() -> None:
    """People type small letters, and leave hyphens out."""
    codes = factors.new_recovery_codes()

    assert len({factors.plain(code) for code in codes}) == 10
    assert all(factors.plain(code.lower().replace("-", " ")) == code.replace("-", "") for code in codes)
    assert not any(factors.is_authenticators(factors.plain(code)) for code in codes)


def test_the_picture_is_drawn_here_and_holds_no_style() -> None:
    """The page's policy lets no style in, and no other server may know the secret."""
    picture = factors.picture(factors.uri(_RFC, account="Anne <b>:", service="Kilbrae telecare"))

    assert picture.startswith("<svg")
    assert "style" not in picture
    assert "http" not in picture


@given(st.binary(min_size=1, max_size=64), st.sampled_from(["anne", "jim"]))
def test_what_is_sealed_is_opened_for_its_person_by_a_key_that_is_still_there(plain: bytes, person: str) -> None:
    """A key is changed by putting the new one first; a row that is copied to somebody else opens nothing."""
    old, new = b"o" * 32, b"n" * 32
    sealed = Seals([old]).seal(plain, person=person)

    assert plain not in sealed or len(plain) < 5
    assert Seals([new, old]).open(sealed, person=person) == plain
    with pytest.raises(NotOpened):
        Seals([new]).open(sealed, person=person)
    with pytest.raises(NotOpened):
        Seals([old]).open(sealed, person="morag")
    with pytest.raises(NotOpened):
        Seals([old]).open(sealed[:-1] + bytes([sealed[-1] ^ 1]), person=person)


def test_a_key_is_read_as_openssl_gives_it() -> None:
    """With the signs of either alphabet, with or without padding; several have commas between them."""
    key = bytes(range(220, 252))
    said = base64.b64encode(key).decode()

    assert keys_of(f"{said}, {base64.urlsafe_b64encode(key).decode().rstrip('=')}") == (key, key)
    assert keys_of("") == ()


@pytest.mark.parametrize("said", ["secret", "A" * 43 + "!", base64.b64encode(b"short").decode(), "é" * 43])
def test_a_key_that_is_none_is_refused_at_the_start(said: str) -> None:
    """A short key would seal all the same."""
    with pytest.raises(NotConfigured, match="TELECARE_FACTOR_KEY"):
        Config.from_env({"TELECARE_DATABASE_URL": "postgresql://db/t", "TELECARE_FACTOR_KEY": said})


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("elevenwords", "12 are the least"),
        ("x" * 201, "200 are the most"),
        ("abababababababab", "again and again"),
        ("Password1234!", "tried first"),
        ("qwertyuiop1234", "tried first"),
        ("Summer2026!!", "tried first"),
        ("123456789012", "tried first"),
        ("AnneReid2026!", "your own"),
        ("07700 900101 x", "your own"),
        ("daughter-margaret", "your own"),
        ("Kilbrae Kilbrae1", "your own"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_with_what_to_do(password: str, word: str) -> None:
    """NIST SP 800-63B-4, 3.1.1.2: length, common ones and one's own details; nothing else is asked."""
    assert word in str(passwords.weakness(password, _OWN))


@pytest.mark.parametrize(
    "password", ["tall lamp river nine", "zwölf Äpfel im Keller", "xkq vpm rtz bwn", "\N{CAT} and a grey stone"]
)
def test_a_long_password_without_capitals_or_signs_is_fine(password: str) -> None:
    """Rules of composition make people write passwords down, or end them in 1!"""
    assert passwords.weakness(password, _OWN) is None


@given(st.text(max_size=220))
def test_whatever_is_typed_as_a_password_is_judged(password: str) -> None:
    """And judged the same each time, so that a page and its repetition agree."""
    assert passwords.weakness(password, _OWN) == passwords.weakness(password, _OWN)


@given(st.integers(0, 10_000), st.integers(0, 50))
def test_a_wait_never_gets_shorter_and_never_longer_than_a_quarter_of_an_hour(mistakes: int, free: int) -> None:
    """A stranger who guesses all night must not shut the owner out for longer than they can wait."""
    wait = throttle.wait_after(mistakes, free)

    assert timedelta(0) <= wait <= throttle.wait_after(mistakes + 1, free) <= throttle.LONGEST
    assert (wait == timedelta(0)) == (mistakes < free)
