"""How do texts leave, and did it really come from Twilio?  The one door to Twilio.

Without a Twilio account there is no `Sms`: a supported state, in which the caller says loudly that nobody can be
texted.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # twilio has no types
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # as above
from twilio.http.response import Response  # type: ignore[import-untyped]  # as above
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # as above
from twilio.rest import Client  # type: ignore[import-untyped]  # as above

from alerts.telling.deliver import AccountRefused, GiveUp, Receipt, TryAgain, Unsure

TWILIO: Final = "https://api.twilio.com"

# Ours: an answer takes Twilio well under a second; who waits longer than this is waiting for one that was lost.
_PATIENCE_S: Final = 10.0

# Twilio keeps whole seconds, and its clock and ours may differ; an older text has other words or another code.
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
# Texts to one phone to look through, newest first.  Ours: two escalations of a bad night are about 30.
_LOOKED_THROUGH_MAX: Final = 200

# By default Twilio reports a state once; asked in this way, up to five times more, whatever went wrong.
# Source: Twilio, "Webhooks connection overrides".  What follows the # is neither sent nor signed.
_REPORT_AGAIN: Final = "#rc=5&rp=all"

# The whole of a request, connecting and reading; a peer that answers a byte at a time keeps within _PATIENCE_S.
_REQUEST_S: Final = 30.0
# Requests on their way at once; more wait.
_AT_ONCE_MAX: Final = 8

_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}")
# A number, a short code, or a messaging service.  A name cannot be answered, and "1 mine" must be.
_SENDER: Final = re.compile(r"\+[1-9][0-9]{7,14}|[0-9]{5,6}|MG[0-9a-fA-F]{32}")

# What Twilio says of us and not of a phone: who we are, that the account is closed, that it sends too much.
# Source: Twilio, "Error and warning dictionary".
_OF_THE_ACCOUNT: Final = frozenset({20003, 20005, 20006, 20008, 20429})
# A text that may not be sent to this phone; some of these are answered with 403 too.  Source: as above.
_OF_THE_PHONE: Final = range(21_000, 22_000)
_UNAUTHORISED: Final = 401
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503


class NotConfigured(ValueError):
    """The configuration is incomplete; the operator must complete it or remove it."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the door needs.

    Attributes:
        account_sid: "AC" and 32 hexadecimal digits.
        auth_token: opens the API and checks what is called back.
        sender: the number that texts come from, in E.164, or a messaging service ("MG" and 32 digits).
        public_url: where Twilio reaches us, without a slash at its end; signatures are checked against it and
            never against the address of a request, which a proxy changes.  Empty: Twilio reports to nobody.
        base_url: where Twilio's API is.
        status_path: where states are reported; the notification's key follows.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    public_url: str
    base_url: str = TWILIO
    status_path: str = "/twilio/status/"

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, is_called_back: bool = True) -> "Config | None":
        """Return what the environment says, or None if it does not speak of Twilio at all.

        Args:
            env: the environment.
            is_called_back: whether whoever asks has a public address, at which Twilio reports what became of a text.

        Raises:
            NotConfigured: some is said but not all of it, or something that cannot be.
        """
        names = {
            "account_sid": "TELECARE_TWILIO_ACCOUNT_SID",
            "auth_token": "TELECARE_TWILIO_AUTH_TOKEN",
            "sender": "TELECARE_TWILIO_FROM",
            "public_url": "TELECARE_PUBLIC_URL",
        }
        if not is_called_back:
            del names["public_url"]
        said = {field_name: env.get(name, "") for field_name, name in names.items()}
        if not said["account_sid"] and not said["auth_token"] and not said["sender"]:
            return None
        missing = [names[field_name] for field_name, value in said.items() if not value]
        if missing:
            raise NotConfigured(f"texts need {', '.join(missing)} as well")
        if not _ACCOUNT.fullmatch(said["account_sid"]):
            raise NotConfigured(f"{names['account_sid']} must be AC and 32 hexadecimal digits")
        if not _SENDER.fullmatch(said["sender"]):
            raise NotConfigured(f"{names['sender']} must be like +441234567890, or MG and 32 hexadecimal digits")
        said["public_url"] = _public_url(said["public_url"]) if is_called_back else ""
        return cls(**said, base_url=(env.get("TELECARE_TWILIO_BASE_URL") or TWILIO).rstrip("/"))


def _public_url(said: str) -> str:
    if urlsplit(said).scheme not in {"http", "https"} or not urlsplit(said).hostname:
        raise NotConfigured("TELECARE_PUBLIC_URL must be like https://telecare.example")
    return said.rstrip("/")


class Sms:
    """Twilio, for one account and one sender."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = Client(config.account_sid, config.auth_token, http_client=_Http(config.base_url))
        self._validator = RequestValidator(config.auth_token)
        # Threads of its own: a Twilio that hangs must not take those in which the process looks up addresses.
        self._threads = ThreadPoolExecutor(_AT_ONCE_MAX, thread_name_prefix="twilio")

    async def _ask(self, ask: Any, /, **asked: Any) -> Any:  # noqa: ANN401 - twilio has no types
        """Ask Twilio in a thread, for so long and no longer."""
        asking = asyncio.get_running_loop().run_in_executor(self._threads, partial(_in_our_words, ask, **asked))
        try:
            return await asyncio.wait_for(asking, _REQUEST_S)
        except TimeoutError:
            raise Unsure(f"no answer within {_REQUEST_S} s") from None

    def callback_url(self, key: str) -> str:
        """Return where Twilio reports what became of a notification."""
        return f"{self._config.public_url}{self._config.status_path}{key}"

    async def send(self, to: str, body: str, key: str, *, worth: timedelta | None = None) -> Receipt:
        """Send a text.

        Args:
            to: the phone, in E.164.
            body: at most 1600 letters, or Twilio refuses it.
            key: the notification's; its status callback carries it.
            worth: how long Twilio may keep it in its queue, 1 s to 10 h; 10 h unless told.

        Raises:
            TryAgain: it did not go and may later; as Unsure, it may have gone; as AccountRefused, nothing goes now.
            GiveUp: Twilio will not take it like this.
        """
        asked: dict[str, Any] = {"to": to, "body": body}
        if self._config.public_url:
            asked["status_callback"] = self.callback_url(key) + _REPORT_AGAIN
        asked["messaging_service_sid" if self._config.sender.startswith("MG") else "from_"] = self._config.sender
        if worth is not None:
            asked["validity_period"] = max(1, min(36_000, int(worth.total_seconds())))
        message = await self._ask(self._client.messages.create, **asked)
        return Receipt(str(message.sid))

    async def find(self, to: str, body: str, since: datetime) -> Receipt | None:
        """Return the receipt of this very text if Twilio took it since then, or None.

        It is not asked for by date: Twilio keeps the date on which a text left, which one in its queue has not.

        Raises:
            TryAgain: the look-up did not work.
            GiveUp: Twilio will not be asked like this.
        """
        messages = await self._ask(self._client.messages.list, to=to, limit=_LOOKED_THROUGH_MAX, page_size=100)
        for message in messages:
            # A trial account puts a sentence of its own before ours.
            if message.date_created >= since - _CLOCKS_DIFFER and (message.body or "").endswith(body):
                return Receipt(str(message.sid))
        return None

    async def state(self, sid: str) -> tuple[str, int | None]:
        """Return Twilio's word for a text's state, and its error code: for one whose callback never came.

        Raises:
            TryAgain: the look-up did not work.
            GiveUp: Twilio does not know it.
        """
        message = await self._ask(self._client.messages(sid).fetch)
        return str(message.status), message.error_code

    def signature_is_right(self, path: str, form: Mapping[str, str], signature: str) -> bool:
        """Return whether Twilio signed this form, posted to this path (and query) of our public address."""
        url = f"{self._config.public_url}{path}"
        # Whether what followed the # is signed has differed; both are addresses that only we hand out.
        return any(
            bool(self._validator.validate(address, dict(form), signature)) for address in (url, url + _REPORT_AGAIN)
        )


def new_key() -> str:
    """Return a key for a notification: 128 bits, so that nobody can report on a text of which they know nothing."""
    return secrets.token_hex(16)


class _Http(TwilioHttpClient):  # type: ignore[misc]  # twilio has no types
    """Twilio's own client, with another base address where one is configured, and without its log.

    Its log holds the numbers of people.  Each request has a connection of its own: texts are few, and a kept
    connection that Twilio has closed meanwhile looks like an answer that we never heard.
    """

    def __init__(self, base_url: str) -> None:
        quiet = logging.getLogger(f"{__name__}.quiet")
        quiet.disabled = True
        # Below us urllib3 logs, at debug, the address of each request; that of a look-up holds a number.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        super().__init__(pool_connections=False, timeout=_PATIENCE_S, logger=quiet)
        self._base_url = base_url

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the signature is Twilio's
    ) -> Response:
        """Make one request, on a connection that is closed after it."""
        with requests.Session() as session:
            answer = session.request(
                method,
                self._base_url + url.removeprefix(TWILIO),
                params=params,
                data=data,
                headers={**(headers or {}), "Connection": "close"},
                auth=auth,
                timeout=timeout or self.timeout,
                allow_redirects=allow_redirects,
            )
            return Response(answer.status_code, answer.text, dict(answer.headers))


def _in_our_words(ask: Any, /, **asked: Any) -> Any:  # noqa: ANN401 - twilio has no types
    """Ask Twilio, and say in our words how it failed.

    Twilio's own words are not chained to ours: they hold numbers of people, and would reach the log.

    Raises:
        TryAgain: the connection or Twilio is busy; as Unsure, when it may have been done; as AccountRefused, when
            Twilio refuses us whatever we ask.
        GiveUp: Twilio said no.
    """
    try:
        return ask(**asked)
    except (TwilioRestException, TwilioServiceException) as why:
        raise _refused(why.status, why.code) from None
    except (requests.ConnectionError, requests.Timeout) as why:
        if _never_left(why):
            raise TryAgain(f"no connection: {type(why).__name__}") from None
        raise Unsure(f"no answer: {type(why).__name__}") from None
    except TwilioException as why:
        # The list says it in this way.
        answer = next((part for part in why.args if isinstance(part, Response)), None)
        if answer is None:
            raise GiveUp(f"Twilio's client refused: {type(why).__name__}") from None
        raise _refused(answer.status_code, None) from None
    except (requests.RequestException, ValueError, KeyError) as why:
        # An answer that is cut off, or that is not Twilio's: a proxy's page, half a body.
        raise Unsure(f"an answer that makes no sense: {type(why).__name__}") from None


def _refused(status: int, code: int | None) -> TryAgain | GiveUp:
    if status == _TOO_MANY or code == 20429:
        return AccountRefused(f"Twilio takes no more from us now: {status}, code {code}", passes=True)
    is_of_a_phone = code is not None and code in _OF_THE_PHONE
    if status == _UNAUTHORISED or code in _OF_THE_ACCOUNT or (status == _FORBIDDEN and not is_of_a_phone):
        return AccountRefused(f"Twilio refuses our account: {status}, code {code}")
    if status == _UNAVAILABLE:
        return TryAgain(f"Twilio is busy: {status}, code {code}")
    if status >= 500:
        return Unsure(f"Twilio failed: {status}, code {code}")
    return GiveUp(f"Twilio refused: {status}, code {code}", code=code)


def _never_left(why: requests.RequestException) -> bool:
    """Return whether the request surely never reached Twilio."""
    if isinstance(why, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    inner = why.args[0] if why.args else None
    reason = getattr(inner, "reason", inner)
    # A refused connection, a name that is not found, a certificate that is not right.
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.SSLError)
