"""Do only Twilio's own callbacks count, and are people's texts answered?"""

import httpx
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # twilio has no types

from tests.world.pages import ANNE, JIM, TOKEN, Street


async def _post(
    street: Street, path: str, form: dict[str, str], *, token: str = TOKEN, signature: bytes | None = None
) -> httpx.Response:
    """Post a form as Twilio does: signed, and without any header of a browser."""
    computed = RequestValidator(token).compute_signature(f"{street.public_url}{path}", form).encode()
    headers = {b"X-Twilio-Signature": computed if signature is None else signature}
    # Behind a proxy the address of a request is not the public one.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(street.app), base_url="http://10.0.0.7:8080") as twilio:
        return await twilio.post(path, data=form, headers=headers)


async def _key(street: Street) -> str:
    ((key,),) = await street.sql("SELECT key FROM notification ORDER BY notification LIMIT 1")
    return str(key)


async def test_a_delivery_report_is_taken(street: Street) -> None:
    """The story of an alert says that a text arrived because Twilio said so."""
    await street.pendant_pressed()
    path = f"/twilio/status/{await _key(street)}"

    answers = [await _post(street, path, {"MessageSid": "SM1", "MessageStatus": "delivered"}) for _ in range(2)]

    assert [one.status_code for one in answers] == [204, 204]
    assert (await street.sql("SELECT state, sid FROM notification")) == [("delivered", "SM1")]


async def test_a_failure_report_keeps_its_reason(street: Street) -> None:
    """The next person is told at once, and the page says why."""
    await street.pendant_pressed()
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}

    answer = await _post(street, f"/twilio/status/{await _key(street)}", form)

    ((state, error),) = await street.sql("SELECT state, error FROM notification")
    assert answer.status_code == 204
    assert state == "undelivered"
    assert "30003" in error


@pytest.mark.parametrize("path", ["/twilio/status/KEY", "/twilio/text"])
@pytest.mark.parametrize("how", ["other token", "no signature", "other form", "garbage"])
async def test_what_twilio_did_not_sign_changes_nothing(street: Street, path: str, how: str) -> None:
    """Anybody could otherwise say mine for a carer, or that a text arrived."""
    await street.pendant_pressed()
    path = path.replace("KEY", await _key(street))
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": JIM.phone, "Body": "1 mine"}
    of_other = RequestValidator(TOKEN).compute_signature(f"{street.public_url}{path}", {**form, "Body": "help"})
    signature = {"other form": of_other.encode(), "no signature": b"", "garbage": b"\xff%%"}.get(how)

    answer = await _post(street, path, form, token="x" * 32 if how == "other token" else TOKEN, signature=signature)

    assert answer.status_code == 403
    assert (await street.sql("SELECT state FROM notification")) == [("due",)]
    assert (await street.sql("SELECT count(*) FROM text_received")) == [(0,)]


async def test_mine_by_text_is_answered_once_however_often_twilio_says_it(street: Street) -> None:
    """Twilio repeats a webhook whose answer it lost; the carer said it once."""
    await street.pendant_pressed()
    ((code,),) = await street.sql("SELECT code FROM reply_code")
    form = {"MessageSid": "SM9", "From": ANNE.phone, "To": "+447700900000", "Body": f"{code} mine"}

    first, second = [await _post(street, "/twilio/text", form) for _ in range(2)]

    assert first.headers["content-type"].startswith("text/xml")
    assert "<Message>" in first.text
    assert "is yours" in first.text
    assert first.text == second.text
    assert (await street.sql("SELECT person, how FROM acknowledgement")) == [("anne", "text")]


@pytest.mark.parametrize("body", ["", "<&>", "a\0b", "😀" * 800, "1 mine"])
async def test_any_text_from_anyone_is_answered_in_valid_xml(street: Street, body: str) -> None:
    """A text that breaks our answer would be repeated, and its sender told nothing."""
    answer = await _post(street, "/twilio/text", {"MessageSid": "SM3", "From": "+447700900555", "Body": body})

    assert answer.status_code == 200
    assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?><Response>')


async def test_a_report_on_an_unknown_text_is_not_found(street: Street) -> None:
    """Signed, but of a database that was restored: Twilio's console shows it, and nothing breaks."""
    answer = await _post(street, "/twilio/status/nothing", {"MessageSid": "SM1", "MessageStatus": "sent"})

    assert answer.status_code == 404


async def test_without_an_account_every_callback_is_refused(quiet_street: Street) -> None:
    """There is nothing to check a signature against, so nothing is believed."""
    answer = await _post(quiet_street, "/twilio/text", {"MessageSid": "SM1", "From": JIM.phone, "Body": "1 mine"})

    assert answer.status_code == 403
