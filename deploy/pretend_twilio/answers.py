"""What does Twilio's API say, byte for byte?"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import urlencode

from deploy.pretend_twilio.ledger import Direction, Status, Text
from deploy.pretend_twilio.script import FAILURES, Refusal

VERSION: Final = "2010-04-01"

# 3GPP TS 23.038 version 17, section 6.2.1: the default alphabet, and its extension (two septets each).
_BASIC: Final = frozenset(
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5\u0394_\u03a6\u0393\u039b"
    "\u03a9\u03a0\u03a8\u03a3\u0398\u039e\u00c6\u00e6\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?\u00a1"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|\u20ac")


def segments(body: str) -> int:
    """Return how many segments a text is sent in, and so is paid for.

    Source: 3GPP TS 23.040, section 9.2.3.24.1: 160 or 70 alone, 153 or 67 when joined.
    """
    if set(body) <= _BASIC | _EXTENSION:
        length, alone, joined = len(body) + sum(letter in _EXTENSION for letter in body), 160, 153
    else:
        length, alone, joined = len(body.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if length <= alone else math.ceil(length / joined)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at.astimezone(UTC).replace(microsecond=0))


def message(text: Text, *, account: str) -> dict[str, object]:
    """Return one text as Twilio's Message resource."""
    uri = f"/{VERSION}/Accounts/{account}/Messages/{text.sid}"
    return {
        "account_sid": account,
        "api_version": VERSION,
        "body": text.body,
        "date_created": _moment(text.created_at),
        "date_sent": _moment(text.sent_at),
        "date_updated": _moment(text.updated_at),
        "direction": text.direction.value,
        "error_code": text.error_code,
        "error_message": FAILURES.get(text.error_code or 0),
        "from": text.sender or None,
        "messaging_service_sid": text.service or None,
        "num_media": "0",
        # A messaging service has not looked at the text yet when it answers.
        "num_segments": "0" if text.status is Status.ACCEPTED else str(segments(text.body)),
        "price": None,
        "price_unit": "GBP",
        "sid": text.sid,
        "status": text.status.value,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def error(why: Refusal) -> dict[str, object]:
    """Return Twilio's answer to a request that it does not do."""
    return {
        "code": why.code,
        "message": why.sentence,
        "more_info": f"https://www.twilio.com/docs/errors/{why.code}",
        "status": why.status,
    }


def page(texts: Sequence[Text], *, account: str, asked: dict[str, str], number: int, size: int) -> dict[str, object]:
    """Return one page of Twilio's list of texts.

    Args:
        texts: all that match, newest first.
        account: whose they are.
        asked: what was asked for, without the paging; repeated in the addresses of the other pages.
        number: which page, from 0.
        size: texts on a page, 1 to 1000.
    """

    def address(which: int) -> str:
        asking = {**asked, "PageSize": str(size), "Page": str(which)}
        if which:
            asking["PageToken"] = f"PA{which}"
        return f"/{VERSION}/Accounts/{account}/Messages.json?{urlencode(asking)}"

    shown = texts[number * size : (number + 1) * size]
    has_more = len(texts) > (number + 1) * size
    return {
        "end": number * size + max(len(shown) - 1, 0),
        "first_page_uri": address(0),
        "messages": [message(text, account=account) for text in shown],
        "next_page_uri": address(number + 1) if has_more else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": address(number - 1) if number else None,
        "start": number * size,
        "uri": address(number),
    }


def status_report(text: Text, *, account: str) -> dict[str, str]:
    """Return the form that is posted to a text's StatusCallback."""
    form = {
        "AccountSid": account,
        "ApiVersion": VERSION,
        "From": text.sender,
        "MessageSid": text.sid,
        "MessageStatus": text.status.value,
        "SmsSid": text.sid,
        "SmsStatus": text.status.value,
        "To": text.to,
    }
    if text.service:
        form["MessagingServiceSid"] = text.service
    if text.error_code is not None:
        form["ErrorCode"] = str(text.error_code)
    return form


def inbound(text: Text, *, account: str) -> dict[str, str]:
    """Return the form that is posted to the webhook when a phone texts us."""
    assert text.direction is Direction.IN
    return {
        "AccountSid": account,
        "ApiVersion": VERSION,
        "Body": text.body,
        "From": text.sender,
        "FromCountry": "GB",
        "MessageSid": text.sid,
        "NumMedia": "0",
        "NumSegments": str(segments(text.body)),
        "SmsMessageSid": text.sid,
        "SmsSid": text.sid,
        "SmsStatus": text.status.value,
        "To": text.to,
        "ToCountry": "GB",
    }
