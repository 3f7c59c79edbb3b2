"""Is this password somebody's, and is it one that nobody guesses?

NIST SP 800-63B-4, 3.1.1: length counts, composition does not; what is common or one's own is refused.  Kept as
argon2id.
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

import argon2

LETTERS_MIN: Final = 12
LETTERS_MAX: Final = 200

# RFC 9106, section 4, the second recommended option: 64 MiB, three passes, four lanes.
_HASHER: Final = argon2.PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# At once, so that guessing cannot take all memory; and that may wait: more are not people.  Ours.
_AT_ONCE: Final = 2
_WAITING_MAX: Final = 16

# Of what remains without words that everybody tries; fewer letters are guessed with them.  Ours.
_OWN_LETTERS_MIN: Final = 6
_DIFFERENT_MIN: Final = 5
# Beginnings of the lists that are tried first (NCSC's and SplashData's of the most used), and of this service.
_COMMON: Final = (
    *("password", "passwort", "passw0rd", "ssword", "ssw0rd", "letmein", "welcome", "monkey", "dragon", "sunshine"),
    *("princess", "football", "baseball", "superman", "batman", "liverpool", "arsenal", "chelsea", "everton"),
    *("iloveyou", "trustno1", "whatever", "starwars", "charlie", "ashley", "michael", "jordan", "hunter", "master"),
    *("shadow", "qwertyuiop", "qwerty", "asdfghjkl", "asdfgh", "zxcvbnm", "zxcvbn", "1q2w3e4r5t", "1q2w3e4r"),
    *("1qaz2wsx", "abc123", "admin", "administrator", "secret", "changeme", "default", "login", "access", "guest"),
    *("summer", "winter", "autumn", "spring", "january", "february", "october", "november", "december", "monday"),
    *("friday", "telecare", "carer", "pendant", "correcthorsebatterystaple", "abcdefghijkl"),
)
_RUNS: Final = re.compile(r"(.)\1{2,}|(?:19|20)\d\d|(?:0?1)?23456?7?8?9?0?|987654?3?2?1?0?")


class Busy(Exception):
    """More passwords wait to be looked at than people would type; whoever asks must come back later."""


def normal(password: str) -> str:
    """Return a password the same from every keyboard (NIST SP 800-63B-4, 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, own: Iterable[str]) -> str | None:
    """Return what is wrong with a new password, one sentence without a full stop, or None.

    Args:
        password: as it was typed.
        own: words of its person and of the service: names, a phone, an address.
    """
    said = normal(password)
    if len(said) < LETTERS_MIN:
        return f"has {len(said)} letters; {LETTERS_MIN} are the least, and several words are easy to keep"
    if len(said) > LETTERS_MAX:
        return f"has {len(said)} letters; {LETTERS_MAX} are the most"
    folded = said.casefold()
    if len(set(folded)) < _DIFFERENT_MIN:
        return "is the same few letters again and again"
    if len(_without(folded, own)) < _OWN_LETTERS_MIN:
        return "is your own name or number with little else; take words that have nothing to do with you"
    if len(_RUNS.sub("", _without(_without(folded, own), _COMMON))) < _OWN_LETTERS_MIN:
        return "is among those that are tried first; take several words that nobody would put together"
    return None


def _without(said: str, words: Iterable[str]) -> str:
    """Return the letters and digits of a password without those of some words, the longest first."""
    parts = {part for word in words for part in re.split(r"[\W_]+", word.casefold()) if len(part) > 2}
    rest = re.sub(r"[\W_]+", "", said)
    for part in sorted(parts, key=len, reverse=True):
        rest = rest.replace(part, "")
    return rest


@cache
def _nobodys() -> str:
    """Return the hash against which a password is held where there is nobody: as much work, and never right."""
    return _HASHER.hash("nobody has this password, and it is compared like everybody's")


class Passwords:
    """Hashes and compares, a few at a time, away from the loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """Return a password as it is kept.

        Raises:
            Busy: too many wait.
        """
        return str(await self._do(_HASHER.hash, normal(password)))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Return whether this is the password that is kept; takes as long where none is.

        Raises:
            Busy: too many wait.
        """
        return bool(await self._do(_is_right, kept, normal(password[: LETTERS_MAX + 1])))

    async def _do(self, act: Callable[..., str | bool], *said: str | None) -> str | bool:
        if self._waiting >= _WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, act, *said)
        finally:
            self._waiting -= 1


def _is_right(kept: str | None, password: str) -> bool:
    try:
        _HASHER.verify(_nobodys() if kept is None else kept, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return kept is not None
