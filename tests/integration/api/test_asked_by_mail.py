"""Is somebody without a phone asked by e-mail, once and with one reminder, and can they answer and end it there?"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.store import asking
from alerts.telling.asking import REMIND_AFTER
from api import asking_by_mail
from api.office import people
from api.signing_in.mail import Became, Mail
from tests.world.database import Database
from tests.world.mailbox import Mailbox
from tests.world.pages import CONTROL, GEORGES, MORAG, NINE, Street

# George's daughter abroad, who has a mailbox and no phone.
_MAILBOX = "morag@example.org"
# By day, when people are asked; and two days after the homes were added, in the first round.
_TEN = NINE + timedelta(days=2, hours=2)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Run a mail server on this machine."""
    with Mailbox() as running:
        yield running


@pytest.fixture
async def mailing(database: Database, tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[Street]:
    """Give the street with a mail server, where Morag has a mailbox and no phone, and is asked about George alone."""
    async with Street(database.dsn, tmp_path, mails=mailbox.config()) as street:
        await street.sql("UPDATE person SET phone = NULL, email = 'Morag@example.org' WHERE person = 'morag'")
        await street.sql("DELETE FROM telling_step WHERE person = 'morag'")
        await street.sql("UPDATE home SET added_at = %s WHERE home = %s", NINE, GEORGES)
        await street.sql("UPDATE home SET added_at = %s WHERE home <> %s", _TEN + timedelta(days=90), GEORGES)
        yield street


async def passes(street: Street, mailbox: Mailbox, after: timedelta = timedelta(0)) -> int:
    """Let the schedule and the mails have their turn, so long after ten o'clock; return how many mails left."""
    street.set_clock(_TEN + after)
    mail = Mail(mailbox.config(), waits_s=())
    async with street.connection() as conn:
        await asking.turn(conn, now=street.now)
    return await asking_by_mail.turn(
        street.app.state.given.pool, mail, street.public_url, now=street.now, real_now=street.now
    )


def link_in(mailbox: Mailbox, street: Street) -> str:
    """Return the path of the link in the newest mail."""
    (link,) = (one for one in mailbox.mails[-1].get_content().splitlines() if one.startswith(street.public_url))
    return str(link).removeprefix(street.public_url)


async def test_who_has_no_phone_is_asked_and_answers_by_mail(mailing: Street, mailbox: Mailbox) -> None:
    """The whole way through a real mail server: one press, nobody signs in, and it counts as what was asked for."""
    assert [await passes(mailing, mailbox), await passes(mailing, mailbox, timedelta(minutes=1))] == [1, 0]
    mail, path = mailbox.mails[0], link_in(mailbox, mailing)
    stranger = mailing.stranger()

    shown = await stranger.get(path)
    answered = await stranger.post(path, data={"question": "1", "answer": "4", "words": "Since May."})
    again = await stranger.post(path, data={"question": "1", "answer": "1"})

    assert (mail["To"], mail["Subject"]) == ("Morag@example.org", "One question from Kilbrae telecare")
    assert "how confident have you felt that George is safe at home?" in mail.get_content()
    assert "how confident have you felt that George is safe at home?" in shown.text
    assert (shown.status_code, answered.status_code, again.status_code) == (200, 200, 410)
    assert "Thank you" in answered.text
    assert "set-cookie" not in answered.headers
    assert await mailing.sql("SELECT home, person, origin, answer, words FROM confidence_report") == [
        (GEORGES, MORAG.person, "scheduled", 4, "Since May.")
    ]
    assert await mailing.sql("SELECT state, way FROM confidence_asking") == [("answered", "mail")]


async def test_there_is_one_reminder_and_either_link_answers(mailing: Street, mailbox: Mailbox) -> None:
    """As by text: once after four days, and whoever looks for the first mail finds that it still works."""
    days = [timedelta(days=one) for one in (0, 1, 3, 4, 5, 9, 13)]

    sent = [await passes(mailing, mailbox, after) for after in days]
    first, second = (one["Subject"] for one in mailbox.mails)

    assert sent == [1, 0, 0, 1, 0, 0, 0]
    assert (first, second) == ("One question from Kilbrae telecare", "A reminder: one question from Kilbrae telecare")
    assert "A reminder, the only one." in mailbox.mails[1].get_content()
    newest, oldest = link_in(mailbox, mailing), link_in_first(mailbox, mailing)
    assert [(await mailing.stranger().get(one)).status_code for one in (newest, oldest)] == [200, 200]
    assert (await mailing.stranger().post(oldest, data={"question": "1", "answer": "5"})).status_code == 200
    assert (await mailing.stranger().get(newest)).status_code == 410


def link_in_first(mailbox: Mailbox, street: Street) -> str:
    """Return the path of the link in the first mail."""
    return str(next(one for one in mailbox.mails[0].get_content().splitlines() if "/answer/" in one)).removeprefix(
        street.public_url
    )


async def test_a_low_answer_opens_a_call_and_the_page_says_so(mailing: Street, mailbox: Mailbox) -> None:
    """It was said before that one person gets in touch."""
    await passes(mailing, mailbox)

    page = await mailing.stranger().post(link_in(mailbox, mailing), data={"question": "1", "answer": "2"})

    assert "One person will get in touch with you" in page.text
    assert await mailing.sql("SELECT home, person FROM confidence_call") == [(GEORGES, MORAG.person)]


async def test_whoever_wants_no_more_mails_gets_none_and_may_come_back(mailing: Street, mailbox: Mailbox) -> None:
    """By the button behind the link, or by the mail program's own, which posts from nobody's page (RFC 8058)."""
    await passes(mailing, mailbox)
    path = link_in(mailbox, mailing)
    headers = mailbox.mails[0]["List-Unsubscribe"], mailbox.mails[0]["List-Unsubscribe-Post"]
    program = mailing.stranger(**{"Sec-Fetch-Site": "none"})

    stopped = await program.post(f"{path}/stop", data={"List-Unsubscribe": "One-Click"})
    reminders = await passes(mailing, mailbox, REMIND_AFTER)
    back = await mailing.stranger().post(f"{path}/start")
    after = await passes(mailing, mailbox, REMIND_AFTER)

    assert headers == (f"<{mailing.public_url}{path}/stop>", "List-Unsubscribe=One-Click")
    assert (stopped.status_code, back.status_code) == (200, 200)
    assert "You are asked by e-mail no more" in stopped.text
    assert (reminders, after) == (0, 1)
    assert await mailing.sql("SELECT by, what FROM change_record WHERE person = 'morag' ORDER BY change") == [
        ("morag", "asked by e-mail no more"),
        ("morag", "asked by e-mail again"),
    ]
    assert [(await mailing.stranger().post(f"/answer/nobody/{what}")).status_code for what in ("stop", "x")] == [
        404,
        404,
    ]


async def test_a_long_address_is_found_by_mail_programs(mailbox: Mailbox) -> None:
    """Folded into encoded words it is no address: the program shows no button, and the mail is called junk."""
    due = asking_by_mail.Due(1, "question", _MAILBOX, "George", "Is {first_name} safe?", _TEN)
    url = f"https://{'telecare.' * 8}kilbrae.gov.uk/answer/{'x' * 43}"

    became = await Mail(mailbox.config(), waits_s=()).send(
        asking_by_mail.letter(due, "Kilbrae telecare", url), service="Kilbrae telecare", real_now=_TEN
    )

    (mail,) = mailbox.mails
    # As it was sent: what reads a header for us undoes the encoding that mail programs do not look for there.
    assert (became, dict(mail.raw_items())["List-Unsubscribe"]) == (Became.SENT, f"<{url}/stop>")
    assert url in mail.get_content().splitlines()


async def test_what_the_mail_server_does_not_take_is_tried_again_and_what_it_refuses_is_not(
    mailing: Street, mailbox: Mailbox
) -> None:
    """A server that is away for an hour is no answer; a mailbox that is not there stays away."""
    mailbox.refusals = ["451 try again later"]
    minutes = [timedelta(minutes=one) for one in (0, 30, 60)]

    sent = [await passes(mailing, mailbox, after) for after in minutes]
    mailbox.refusals = ["550 no such mailbox"]
    refused = [await passes(mailing, mailbox, REMIND_AFTER + after) for after in minutes]

    assert (sent, refused) == ([0, 0, 1], [0, 0, 0])
    assert await mailing.sql("SELECT kind, became FROM confidence_mail ORDER BY kind") == [
        ("question", "sent"),
        ("reminder", "refused"),
    ]


async def test_a_mail_that_may_have_left_is_not_sent_again(mailing: Street, mailbox: Mailbox) -> None:
    """A process that died between the mail server and the database must not ask anybody twice."""
    mailing.set_clock(_TEN)
    async with mailing.connection() as conn:
        await asking.turn(conn, now=_TEN)
        (one,) = await asking_by_mail.due(conn, now=_TEN)
        both = [await asking_by_mail.begin(conn, one, now=_TEN) for _ in range(2)]

    assert both[0]
    assert both[1] is None
    assert await passes(mailing, mailbox, timedelta(hours=2)) == 0
    assert mailbox.mails == []


async def test_nobody_is_mailed_who_should_not_be(mailing: Street, mailbox: Mailbox) -> None:
    """Not at night, not while somebody may be on the way, not who has a phone, not without a yes to the look."""
    await passes_asking_only(mailing)
    await mailing.sql("UPDATE person SET phone = '+447700900103' WHERE person = 'morag'")
    with_phone = await passes(mailing, mailbox, timedelta(hours=1))
    await mailing.sql("UPDATE person SET phone = NULL WHERE person = 'morag'")
    alert = await mailing.pendant_pressed(GEORGES)
    in_alert = await passes(mailing, mailbox, timedelta(hours=1))
    await mailing.sql(
        "UPDATE alert SET state = 'closed', outcome = 'all well', closed_at = %s, closed_by = 'jim' WHERE alert = %s",
        *(_TEN, alert),
    )
    await taken_back(mailing, _TEN)
    without_a_yes = await passes(mailing, mailbox, timedelta(hours=1))
    await taken_back(mailing, None)
    night = await passes(mailing, mailbox, timedelta(hours=13))
    after_all = await passes(mailing, mailbox, timedelta(days=1))

    assert (with_phone, in_alert, without_a_yes, night, after_all) == (0, 0, 0, 0, 1)


async def taken_back(street: Street, at: datetime | None) -> None:
    """Let George have taken back that Morag may see how he is; None: he has not."""
    by = None if at is None else CONTROL.person
    await street.sql("UPDATE consent SET withdrawn_at = %s, withdrawn_by = %s WHERE person = 'morag'", at, by)


async def passes_asking_only(street: Street) -> None:
    """Let the schedule have its turn, and no mail."""
    street.set_clock(_TEN)
    async with street.connection() as conn:
        assert (await asking.turn(conn, now=_TEN)).asked == 1


async def test_a_link_opens_nothing_once_the_mailbox_or_the_yes_is_another(mailing: Street, mailbox: Mailbox) -> None:
    """What lies in a mailbox that is somebody else's by now says nothing of anybody."""
    await passes(mailing, mailbox)
    path = link_in(mailbox, mailing)
    await taken_back(mailing, _TEN)
    withdrawn = await mailing.stranger().get(path)
    await taken_back(mailing, None)
    fields = {"person": "morag", "name": "Morag Bell", "email": "other@example.org", "kinds": "family contact"}
    async with mailing.connection() as conn:
        await people.save(conn, fields, is_new=False, by=CONTROL.person, now=_TEN)

    moved = await mailing.stranger().get(path)

    assert (withdrawn.status_code, moved.status_code) == (410, 410)
    assert "George" not in withdrawn.text + moved.text
    assert (await mailing.stranger().post(f"{path}/stop")).status_code == 404


async def test_what_was_not_asked_is_not_kept(mailing: Street, mailbox: Mailbox) -> None:
    """An answer to another question would spoil the series."""
    await passes(mailing, mailbox)
    said: list[dict[str, str]] = [
        {},
        {"answer": "4"},
        {"question": "2", "answer": "4"},
        {"question": "1", "answer": "6"},
    ]

    answers = [await mailing.stranger().post(link_in(mailbox, mailing), data=one) for one in said]

    assert [one.status_code for one in answers] == [422] * len(said)
    assert await mailing.sql("SELECT count(*) FROM confidence_report") == [(0,)]


async def test_no_secret_is_kept_and_none_is_logged(
    mailing: Street, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads a backup or a log must not answer for anybody."""
    await passes(mailing, mailbox)
    token = link_in(mailbox, mailing).rpartition("/")[2]

    kept = await mailing.sql("SELECT encode(token_sha256, 'escape') FROM confidence_mail")

    assert len(token) >= 22
    assert token not in str(kept)
    assert token not in caplog.text
    assert _MAILBOX not in caplog.text.lower()
