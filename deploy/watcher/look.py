"""How are our processes looked at?  The one door of the watcher to other machines, texts apart.

Everything is bounded: how long a request may take, how much of an answer is read, and how many run at once.  Whatever
goes wrong is an answer too, since to find it is the purpose.
"""

import asyncio
import contextlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

from deploy.watcher.seen import PROCESSES, Answer, Kind, Part, Seen, moment_of
from gateway.clock import Clock, kernel_is_synchronised, monotonic_s

# Ours: an answer takes milliseconds; a process that needs longer than this stands still.
_PATIENCE_S: Final = 5.0
# The whole of a request; a peer that sends a byte at a time keeps within _PATIENCE_S.
_REQUEST_S: Final = 10.0
_BYTES_MAX: Final = 1_000_000
_AT_ONCE_MAX: Final = 16
# The time outside is asked for this often: clocks do not run away within minutes, and it is another's server.
_TIME_EVERY_S: Final = 600.0

BACKUP_METRIC: Final = "telecare_backup_age_seconds"
"""How old the newest backup is, on the metrics page of whoever makes them; infinite where there is none."""


_T = TypeVar("_T")


class Looker:
    """Looks at all parts at once."""

    def __init__(
        self, parts: tuple[Part, ...], clock: Clock, *, time: str | None = None, trusted: ssl.SSLContext | None = None
    ) -> None:
        """Ask nothing yet.

        Args:
            parts: what to look at.
            clock: the watcher's.
            time: an address outside whose `Date` is believed; None asks nobody.
            trusted: whose certificates are believed; None believes whom the system does.
        """
        self._parts = parts
        self._clock = clock
        self._time = time
        self._trusted = trusted or ssl.create_default_context()
        self._threads = ThreadPoolExecutor(_AT_ONCE_MAX, thread_name_prefix="look")
        self._asked_time_s = float("-inf")
        self._outside_off_by: timedelta | None = None

    async def look(self) -> Seen:
        """Return what everybody says now."""
        answers = await asyncio.gather(*(self._ask(part) for part in self._parts))
        if self._time is not None and monotonic_s() - self._asked_time_s >= _TIME_EVERY_S:
            self._outside_off_by = await self._outside(self._time)
            # One that did not answer is asked again at the next look.
            self._asked_time_s = monotonic_s() if self._outside_off_by is not None else float("-inf")
        return Seen(
            dict(zip(self._parts, answers, strict=True)),
            self._outside_off_by,
            kernel_is_synchronised(),
            self._clock.is_simulated(),
        )

    async def _ask(self, part: Part) -> Answer:
        began, began_s = self._clock.now(), monotonic_s()
        try:
            answer = await self._in_a_thread(lambda: _answer_of(part, self._trusted))
        except TimeoutError:
            answer = Answer(began, timedelta(0), silence="does not answer in time")
        took = timedelta(seconds=monotonic_s() - began_s)
        return replace(answer, at=began + (self._clock.now() - began) / 2, took=took)

    async def _outside(self, url: str) -> timedelta | None:
        began_s = monotonic_s()
        try:
            said = await self._in_a_thread(lambda: _date_of(url, self._trusted))
        except (TimeoutError, OSError, ValueError, http.client.HTTPException):
            return None
        # Whole seconds, cut off; half of one and half of the way are the best guess.
        return said + timedelta(seconds=0.5 + (monotonic_s() - began_s) / 2) - self._clock.now()

    async def call(self, url: str) -> bool:
        """Call an address, and return whether it said that it was heard."""
        try:
            status, _, _, _ = await self._in_a_thread(lambda: _request("GET", url, self._trusted))
        except (TimeoutError, OSError, ValueError, http.client.HTTPException):
            return False
        return 200 <= status < 300

    async def _in_a_thread(self, do: Callable[[], _T]) -> _T:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._threads, do), _REQUEST_S)


def _answer_of(part: Part, trusted: ssl.SSLContext) -> Answer:
    """Ask one part, and return what it said; `at` and `took` are filled in by whoever asked."""
    never = datetime.fromtimestamp(0, UTC)
    try:
        if part.kind is Kind.BROKER:
            return Answer(never, timedelta(0), ends_at=_greeted(part, trusted))
        status, body, headers, ends_at = _request("GET", part.url + _path(part.kind), trusted)
    except ssl.SSLCertVerificationError:
        return Answer(never, timedelta(0), silence="shows a certificate that is not right")
    except (OSError, ValueError, http.client.HTTPException) as why:
        return Answer(never, timedelta(0), silence=f"does not answer ({type(why).__name__})")
    if status != 200 and not (status == 503 and part.kind in PROCESSES):
        return Answer(never, timedelta(0), silence=f"answers with {status}", ends_at=ends_at)
    facts = _backup_facts(body) if part.kind is Kind.BACKUP else _facts(body)
    failing = facts.get("why")
    return Answer(
        at=never,
        took=timedelta(0),
        facts=facts,
        why={str(name): str(said) for name, said in failing.items()} if isinstance(failing, dict) else {},
        silence="does not say how it is" if part.kind in PROCESSES and "ready" not in facts else None,
        ends_at=ends_at,
        # A process of an older release has no `now`; its answers have a date.
        said_at=moment_of(facts.get("now")) or _date(headers.get("date")),
    )


def _path(kind: Kind) -> str:
    if kind in PROCESSES:
        return "/ready"
    return "/health" if kind is Kind.PAGES else "/metrics"


def _facts(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _backup_facts(body: bytes) -> Mapping[str, object]:
    found = re.search(rf"^{BACKUP_METRIC} (\S+)$", body.decode(errors="replace"), flags=re.MULTILINE)
    with contextlib.suppress(ValueError):
        if found is not None:
            return {"backup_age_s": float(found[1])}
    return {}


def _date_of(url: str, trusted: ssl.SSLContext) -> datetime:
    _, _, headers, _ = _request("HEAD", url, trusted)
    said = _date(headers.get("date"))
    if said is None:
        raise ValueError("it says no time")
    return said


def _date(said: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(said or "").astimezone(UTC)
    except ValueError:
        return None


def _greeted(part: Part, trusted: ssl.SSLContext) -> datetime | None:
    """Begin to speak TLS with a broker, as a hub does, and return until when its certificate holds.

    Raises:
        OSError: nobody answered, or the certificate is not right.
    """
    where = urlsplit(part.url)
    host = where.hostname or ""
    with (
        socket.create_connection((host, where.port), timeout=_PATIENCE_S) as plain,
        trusted.wrap_socket(plain, server_hostname=part.certified_as or host) as spoken,
    ):
        return _end_of_certificate(spoken)


def _request(method: str, url: str, trusted: ssl.SSLContext) -> tuple[int, bytes, Mapping[str, str], datetime | None]:
    """Make one request, without following where it leads, and return status, body, headers and the certificate's end.

    Raises:
        OSError: nobody answered, or the certificate is not right.
        http.client.HTTPException: it is no HTTP that answered.
    """
    parts = urlsplit(url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=_PATIENCE_S, context=trusted)
        if is_tls
        else http.client.HTTPConnection(host, parts.port, timeout=_PATIENCE_S)
    )
    with contextlib.closing(connection):
        connection.request(method, parts.path or "/", headers={"User-Agent": "telecare-watcher", "Connection": "close"})
        ends_at = _end_of_certificate(connection.sock) if is_tls else None
        answer = connection.getresponse()
        headers = {name.lower(): said for name, said in answer.getheaders()}
        return answer.status, answer.read(_BYTES_MAX), headers, ends_at


def _end_of_certificate(sock: object) -> datetime | None:
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    ends = (shown or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
