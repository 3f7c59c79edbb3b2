"""Does a link reach a mailbox, through a real mail server, and only the mailbox that is somebody's?"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.signing_in.mail import Mail
from tests.world.database import Database
from tests.world.mailbox import SENDER, Mailbox, certified
from tests.world.pages import ANNE, JIM, Street

_ANNES = "anne@example.org"
_AT = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Run a mail server on this machine."""
    with Mailbox() as running:
        yield running


@pytest.fixture
async def mailing(database: Database, tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[Street]:
    """Give the street with a mail server, where Anne has a mailbox too."""
    async with Street(database.dsn, tmp_path, mails=mailbox.config()) as street:
        await street.sql("UPDATE person SET email = 'Anne@Example.org' WHERE person = 'anne'")
        yield street


def _link_in(mailbox: Mailbox, street: Street) -> str:
    (mail,) = mailbox.mails
    (link,) = (line for line in mail.get_content().splitlines() if line.startswith(street.public_url))
    return str(link).removeprefix(street.public_url)


@pytest.mark.parametrize("typed", [_ANNES, " ANNE@example.ORG "])
async def test_a_link_is_mailed_and_lets_in_once(mailing: Street, mailbox: Mailbox, typed: str) -> None:
    """A daughter abroad has no British phone; the whole way from the form to the home, through a real server."""
    asked = await mailing.stranger().post("/log-in", data={"who": typed})
    path = _link_in(mailbox, mailing)
    first, second = await mailing.stranger().post(path), await mailing.stranger().post(path)

    assert (asked.status_code, asked.headers["location"]) == (303, "/log-in/sent")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert (second.status_code, "set-cookie" in second.headers) == (400, False)


async def test_a_mail_says_what_it_is_and_goes_to_one_mailbox(mailing: Street, mailbox: Mailbox) -> None:
    """It must not look like what people are warned of, nor be answered by a holiday note."""
    await mailing.stranger().post("/log-in", data={"who": _ANNES})

    (mail,) = mailbox.mails
    assert mailbox.recipients == [_ANNES]
    assert (mail["Subject"], mail["To"]) == ("Sign in to Kilbrae telecare", _ANNES)
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "It works once, for 15 minutes." in mail.get_content()


async def test_a_mailed_link_is_kept_only_as_a_hash(mailing: Street, mailbox: Mailbox) -> None:
    """A backup of the database opens nothing."""
    await mailing.stranger().post("/log-in", data={"who": _ANNES})

    token = _link_in(mailbox, mailing).rpartition("/")[2]
    assert token not in str(await mailing.sql("SELECT * FROM login_link"))
    assert await mailing.sql("SELECT count(*) FROM notification") == [(0,)]


async def test_an_unknown_mailbox_gets_the_same_answer_and_no_mail(mailing: Street, mailbox: Mailbox) -> None:
    """Whether somebody is known here must not be found out by asking."""
    known = await mailing.stranger().post("/log-in", data={"who": _ANNES})
    unknown = await mailing.stranger().post("/log-in", data={"who": "nobody@example.org"})

    def compared(headers: object) -> dict[str, str]:
        return {name: value for name, value in dict(headers).items() if name != "content-security-policy"}  # type: ignore[call-overload]  # httpx's own

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert compared(known.headers) == compared(unknown.headers)
    assert mailbox.recipients == [_ANNES]


async def test_one_mailbox_is_not_flooded(mailing: Street, mailbox: Mailbox) -> None:
    """Three in a quarter of an hour, from wherever they are asked for."""
    for number in range(5):
        await mailing.stranger(at=f"192.0.2.{number}").post("/log-in", data={"who": _ANNES})

    assert mailbox.recipients == [_ANNES] * 3


async def test_whoever_left_is_mailed_nothing(mailing: Street, mailbox: Mailbox) -> None:
    """Their mailbox is no way in any more, and neither is a link that was on its way."""
    path = (await mailing.link(ANNE.person)).removeprefix(mailing.public_url)
    control = await mailing.browser("control")
    await control.post("/operator/people/anne/leave", data={"sure": "yes"})

    await mailing.stranger().post("/log-in", data={"who": _ANNES})

    assert mailbox.mails == []
    assert (await mailing.stranger().post(path)).status_code == 400


async def test_a_link_to_an_old_mailbox_dies_with_it(mailing: Street, mailbox: Mailbox) -> None:
    """An address was mistyped: whoever has that mailbox must not get in with what is on its way there."""
    await mailing.stranger().post("/log-in", data={"who": _ANNES})
    control = await mailing.browser("control")
    changed = {"name": ANNE.full_name, "phone": ANNE.phone, "email": "anne.reid@example.org"}
    assert (await control.post("/operator/people/anne", data=changed)).status_code == 303

    answer = await mailing.stranger().post(_link_in(mailbox, mailing))

    assert answer.status_code == 400


async def test_the_form_offers_a_mail_where_there_is_a_server(mailing: Street) -> None:
    """One field, for whichever somebody has."""
    assert "Your mobile number or e-mail address" in (await mailing.stranger().get("/log-in")).text


async def test_without_a_mail_server_none_is_offered(street: Street) -> None:
    """Nobody shall wait for an e-mail from a service that has no mail server, as in the demo."""
    text = (await street.stranger().get("/log-in")).text
    refused = await street.stranger().post("/log-in", data={"who": _ANNES})

    assert "Your mobile number</label>" in text
    assert "We cannot e-mail links.</strong> Write your mobile number." in refused.text
    assert await street.sql("SELECT count(*) FROM login_request") == [(0,)]


@pytest.mark.parametrize("typed", ["anne@", "@example.org", "anne@example", "a@b@c.org"])
async def test_what_is_no_address_is_said_to_be_none(mailing: Street, typed: str) -> None:
    """Who mistypes waits for a mail that was never going to come."""
    answer = await mailing.stranger().post("/log-in", data={"who": typed})

    assert answer.status_code == 422
    assert "That does not look like an e-mail address." in answer.text


async def test_a_server_that_is_busy_is_asked_again(mailbox: Mailbox) -> None:
    """Greylisting refuses the first try of every stranger."""
    mailbox.refusals = ["451 try again later"]

    await _send(Mail(mailbox.config(), waits_s=(0, 0)))

    assert mailbox.recipients == [_ANNES]


async def test_what_is_refused_for_good_is_not_tried_again(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    """A mailbox that does not exist is no fault of the site's, and asking again makes us look like senders of junk."""
    mailbox.refusals = ["550 no such mailbox", "550 no such mailbox"]

    await _send(Mail(mailbox.config(), waits_s=(0, 0)))

    assert mailbox.refusals == ["550 no such mailbox"]
    assert [record.levelname for record in caplog.records if record.name == "api.signing_in.mail"] == ["WARNING"]


async def test_a_server_that_is_away_is_said_loudly_without_a_person(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody must mend it: people are waiting for their links."""
    with Mailbox() as gone:
        config = gone.config()

    await _send(Mail(config, waits_s=(0,)))

    (line,) = [record for record in caplog.records if record.name == "api.signing_in.mail"]
    assert (line.levelname, line.getMessage()) == ("ERROR", "mail not sent")
    assert "anne" not in str(line.__dict__)


async def test_the_line_is_encrypted_and_the_server_is_who_it_says(tmp_path: Path) -> None:
    """A link on a plain line is a key to somebody's home; so is the mail server's password."""
    (tmp_path / "other").mkdir()
    with Mailbox(tmp_path, password="hunter2") as server:
        right = server.config(password="hunter2")
        await _send(Mail(right, waits_s=()))
        await _send(Mail(replace(right, authorities=certified(tmp_path / "other")), waits_s=()))
        await _send(Mail(replace(right, password="wrong"), waits_s=()))

    assert server.recipients == [_ANNES]


@pytest.mark.parametrize("to", ["anne@example.org,jim@example.org", "anne@example.org\nBcc: x@example.org", "anne"])
async def test_an_odd_address_is_never_sent_to_two(mailbox: Mailbox, to: str) -> None:
    """What an operator once typed must not become a second recipient or a header."""
    await _send(Mail(mailbox.config(), waits_s=()), to)

    assert mailbox.recipients == []


async def _send(mail: Mail, to: str = _ANNES) -> None:
    await mail.send_link(to, "https://care.example/log-in/x", service="Kilbrae telecare", minutes=15, real_now=_AT)


async def test_jims_phone_still_gets_a_text_where_both_are_offered(mailing: Street, mailbox: Mailbox) -> None:
    """The same field takes both."""
    await mailing.stranger().post("/log-in", data={"who": "07700 900102"})

    assert mailbox.mails == []
    assert await mailing.sql("SELECT person, purpose FROM notification") == [(JIM.person, "log-in")]
