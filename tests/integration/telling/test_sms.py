"""Our one door, with Twilio's real client, against a server that answers and fails as Twilio does."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.telling.deliver import AccountRefused, GiveUp, TryAgain, Unsure
from alerts.telling.sms import Config, NotConfigured, Sms
from deploy.pretend_twilio import Account, Calls, PretendTwilio, Status
from gateway.clock import Clock
from tests.integration.telling.conftest import Posted, Webhooks
from tests.world.phones import Carer, until

ANNE = "+447700900123"
JIM = "+447700900224"


async def test_a_text_arrives_and_each_state_is_reported_under_its_key(
    sms: Sms, twilio: PretendTwilio, webhooks: Webhooks
) -> None:
    """What became of a text is understood even if we died before writing down Twilio's name for it."""
    receipt = await sms.send(ANNE, "Margaret pressed the pendant, 02:10.", "k1")

    until(lambda: webhooks.states_of("k1") == ["sent", "delivered"])
    assert Carer(twilio, ANNE).received_exactly_one_text(saying="pressed the pendant").sid == receipt.sid
    assert webhooks.posted[-1].form["MessageSid"] == receipt.sid


async def test_every_callback_is_signed_for_our_public_address(sms: Sms, webhooks: Webhooks) -> None:
    """A forged "delivered" would keep the next person from being told."""
    await sms.send(ANNE, "Hello.", "k1")
    until(lambda: len(webhooks.posted) == 2)

    for posted in webhooks.posted:
        assert sms.signature_is_right(posted.path, posted.form, posted.signature)
        forged = {**posted.form, "MessageStatus": "delivered by me"}
        assert not sms.signature_is_right(posted.path, forged, posted.signature)
        assert not sms.signature_is_right("/twilio/status/another", posted.form, posted.signature)
        assert not sms.signature_is_right(posted.path, posted.form, "")
        assert not sms.signature_is_right(posted.path, posted.form, "\u00e9" * 28)


async def test_a_signature_is_checked_against_the_configured_address_whatever_a_proxy_did(
    twilio: PretendTwilio, webhooks: Webhooks, sms: Sms
) -> None:
    """Behind a TLS proxy the address of the request is another one; services have answered 403 to everything."""
    await sms.send(ANNE, "Hello.", "k1")
    posted = until(lambda: webhooks.posted)[0]
    ours = twilio.account
    elsewhere = Sms(Config(ours.sid, ours.token, ours.sender, "https://telecare.example", twilio.base_url))

    assert sms.signature_is_right(posted.path, posted.form, posted.signature)
    assert not elsewhere.signature_is_right(posted.path, posted.form, posted.signature)


@pytest.mark.parametrize(
    ("status", "code", "passes"), [(401, None, False), (None, 20003, False), (429, None, True), (403, 20006, False)]
)
async def test_a_refusal_of_our_account_is_no_refusal_of_a_phone(
    sms: Sms, twilio: PretendTwilio, status: int | None, code: int | None, passes: bool
) -> None:
    """A token that was changed must not make every carer one who cannot be reached."""
    twilio.fail_create(ANNE, status=status, code=code)

    with pytest.raises(AccountRefused) as why:
        await sms.send(ANNE, "Hello.", "k1")

    assert why.value.passes == passes
    assert (await sms.send(ANNE, "Hello.", "k2")).sid


async def test_another_token_is_refused_to_look_as_well_as_to_send(twilio: PretendTwilio) -> None:
    """The look-up says it in other words than the sending."""
    ours = twilio.account
    stale = Sms(Config(ours.sid, "f" * 32, ours.sender, "https://care.example", twilio.base_url))

    with pytest.raises(AccountRefused, match="401"):
        await stale.send(ANNE, "Hello.", "k1")
    with pytest.raises(AccountRefused, match="401"):
        await stale.find(ANNE, "Hello.", datetime.now(UTC))  # noqa: TID251 - Twilio's own clock
    with pytest.raises(AccountRefused, match="401"):
        await stale.state("SM" + "0" * 32)


async def test_who_is_let_in_hears_that_there_is_no_such_text(sms: Sms) -> None:
    """So it is found out, while no text waits, that a refusal of our account is over."""
    with pytest.raises(GiveUp, match="404"):
        await sms.state("SM" + "0" * 32)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_twilio_that_is_busy_is_tried_again(sms: Sms, twilio: PretendTwilio, status: int) -> None:
    """It says that it did not take the text."""
    twilio.fail_create(ANNE, status=status)

    with pytest.raises(TryAgain) as why:
        await sms.send(ANNE, "Hello.", "k1")

    assert not isinstance(why.value, Unsure)
    await sms.send(ANNE, "Hello.", "k1")


async def test_an_error_of_twilios_own_leaves_us_unsure(sms: Sms, twilio: PretendTwilio) -> None:
    """It may have failed after having taken the text."""
    twilio.fail_create(ANNE, status=500)

    with pytest.raises(Unsure):
        await sms.send(ANNE, "Hello.", "k1")


@pytest.mark.parametrize("code", [21211, 21408, 21610, 21614, 21617])
async def test_what_twilio_refuses_is_given_up_with_its_code(sms: Sms, twilio: PretendTwilio, code: int) -> None:
    """The operator must hear whether it is the number, the account, or a STOP."""
    twilio.fail_create(ANNE, code=code)

    with pytest.raises(GiveUp) as why:
        await sms.send(ANNE, "Hello.", "k1")

    assert why.value.code == code


@pytest.mark.parametrize(
    ("to", "body", "code"),
    [("not a number", "Hello.", 21211), ("+15005550006", "Hello.", 21408), (ANNE, "x" * 1601, 21617)],
)
async def test_the_pretend_twilio_refuses_by_itself_what_twilio_would(sms: Sms, to: str, body: str, code: int) -> None:
    """A demo that takes anything would hide our mistakes until the first real night."""
    with pytest.raises(GiveUp) as why:
        await sms.send(to, body, "k1")

    assert why.value.code == code


async def test_a_dropped_connection_leaves_us_unsure_and_a_look_finds_the_text(sms: Sms, twilio: PretendTwilio) -> None:
    """The crash that doubles texts: taken, but the answer never heard."""
    twilio.drop_after_taking(ANNE)

    with pytest.raises(Unsure):
        await sms.send(ANNE, "Margaret pressed the pendant, 02:10. Reply 1 MINE.", "k1")
    now = Clock().now()
    found = await sms.find(ANNE, "Margaret pressed the pendant, 02:10. Reply 1 MINE.", now)

    assert found is not None
    assert found.sid == Carer(twilio, ANNE).received_exactly_one_text().sid


async def test_a_look_finds_neither_another_text_nor_another_phone_nor_an_old_one(
    sms: Sms, twilio: PretendTwilio
) -> None:
    """A text taken for the one that was lost would be a press that nobody hears of."""
    await sms.send(ANNE, "Margaret pressed the pendant, 02:10. Reply 1 MINE.", "k1")
    now = Clock().now()

    assert await sms.find(ANNE, "Margaret pressed the pendant, 02:11. Reply 2 MINE.", now) is None
    assert await sms.find(JIM, "Margaret pressed the pendant, 02:10. Reply 1 MINE.", now) is None
    later = now + timedelta(minutes=10)
    assert await sms.find(ANNE, "Margaret pressed the pendant, 02:10. Reply 1 MINE.", later) is None


async def test_a_look_reads_on_to_the_next_page(sms: Sms, twilio: PretendTwilio) -> None:
    """On a bad night the text is not on Twilio's first page."""
    await sms.send(ANNE, "The one.", "k0")
    for number in range(105):
        await sms.send(ANNE, f"Another {number}.", f"k{number}")

    assert await sms.find(ANNE, "The one.", Clock().now()) is not None


async def test_a_look_that_does_not_work_says_so(sms: Sms, twilio: PretendTwilio) -> None:
    """'Not found' and 'could not look' lead to different things."""
    twilio.stop()

    with pytest.raises(TryAgain):
        await sms.find(ANNE, "Hello.", Clock().now())


async def test_nobody_listening_is_surely_not_sent(sms: Sms, twilio: PretendTwilio) -> None:
    """Nothing has left this machine, so nothing has to be looked for."""
    twilio.stop()

    with pytest.raises(TryAgain) as why:
        await sms.send(ANNE, "Hello.", "k1")

    assert not isinstance(why.value, Unsure)


async def test_an_answer_that_is_not_twilios_leaves_us_unsure(webhooks: Webhooks) -> None:
    """A hotel's log-in page says 200 to everything."""
    webhooks.twiml, webhooks.status = "<html>Welcome to our Wi-Fi</html>", 201
    lost = Sms(Config(f"AC{'0' * 32}", "token", "+447700900000", "https://telecare.example", webhooks.url))

    with pytest.raises(Unsure):
        await lost.send(ANNE, "Hello.", "k1")


async def test_a_slow_twilio_is_waited_for_and_then_looked_for(
    sms: Sms, twilio: PretendTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds in production; here a moment, so that the test does not take them."""
    monkeypatch.setattr(sms._client.http_client, "timeout", 0.2)
    twilio.slow(ANNE, 9.0)

    with pytest.raises(Unsure):
        await sms.send(ANNE, "Hello.", "k1")

    assert await sms.find(ANNE, "Hello.", Clock().now()) is not None


@pytest.mark.parametrize("code", [30003, 30005, 30006, 30007])
async def test_a_text_that_does_not_arrive_is_reported_with_its_code(
    sms: Sms, twilio: PretendTwilio, webhooks: Webhooks, code: int
) -> None:
    """The next person is told because of this report, not after five minutes."""
    twilio.undelivered(ANNE, code)

    receipt = await sms.send(ANNE, "Hello.", "k1")

    until(lambda: webhooks.states_of("k1") == ["sent", "undelivered"])
    assert webhooks.posted[-1].form["ErrorCode"] == str(code)
    assert await sms.state(receipt.sid) == ("undelivered", code)
    Carer(twilio, ANNE).received_nothing()


async def test_a_text_whose_report_never_comes_can_be_asked_about(
    sms: Sms, twilio: PretendTwilio, webhooks: Webhooks
) -> None:
    """Callbacks get lost; the state does not."""
    twilio.never_call_back(ANNE)
    receipt = await sms.send(ANNE, "Hello.", "k1")
    until(lambda: twilio.texts_to(ANNE)[0].status is Status.DELIVERED)

    assert await sms.state(receipt.sid) == ("delivered", None)
    assert webhooks.posted == []


@pytest.mark.parametrize(
    ("calls", "late_s", "states"),
    [
        (Calls.TWICE, 0.0, ["sent", "sent", "delivered", "delivered"]),
        (Calls.OUT_OF_ORDER, 0.0, ["delivered", "sent"]),
        (Calls.IN_ORDER, 0.2, ["sent", "delivered"]),
    ],
)
async def test_reports_come_twice_late_and_out_of_order(
    sms: Sms, twilio: PretendTwilio, webhooks: Webhooks, calls: Calls, late_s: float, states: list[str]
) -> None:
    """Twilio promises none of it, so the platform is tested with all of it."""
    twilio.report(ANNE, calls, late_s=late_s)

    await sms.send(ANNE, "Hello.", "k1")

    until(lambda: webhooks.states_of("k1") == states)


async def test_an_answer_reaches_the_webhook_signed_and_its_reply_comes_back(
    sms: Sms, twilio: PretendTwilio, webhooks: Webhooks
) -> None:
    """'1 mine' stops the texts to others, so nobody else may say it."""
    await sms.send(ANNE, "Margaret pressed the pendant, 02:10. Reply 1 MINE.", "k1")
    webhooks.twiml = "<Response><Message>It is yours.</Message></Response>"

    reply = Carer(twilio, ANNE).answers("1 mine")

    inbound: Posted = next(one for one in webhooks.posted if one.path == "/twilio/inbound")
    assert (inbound.form["From"], inbound.form["Body"]) == (ANNE, "1 mine")
    assert inbound.form["To"] == twilio.account.sender
    assert sms.signature_is_right(inbound.path, inbound.form, inbound.signature)
    assert reply == "It is yours."


async def test_a_platform_that_does_not_take_an_answer_is_seen(
    twilio: PretendTwilio, webhooks: Webhooks, sms: Sms
) -> None:
    """On the page a carer's answer must not look as if it had been heard."""
    webhooks.status = 403

    assert twilio.answer(ANNE, "1 mine").trouble == "11200: the platform answered 403"
    webhooks.status, webhooks.twiml = 200, "It is yours."
    assert "not TwiML" in twilio.answer(ANNE, "1 mine").trouble


async def test_after_stop_nothing_is_taken_for_that_phone_until_start(sms: Sms, twilio: PretendTwilio) -> None:
    """Twilio does this by itself; a rota on which everybody has said STOP reaches nobody."""
    twilio.answer(ANNE, "STOP")
    with pytest.raises(GiveUp) as why:
        await sms.send(ANNE, "Hello.", "k1")
    assert why.value.code == 21610

    twilio.answer(ANNE, "Start")
    await sms.send(ANNE, "Hello.", "k2")


async def test_a_messaging_service_may_be_the_sender(twilio: PretendTwilio, webhooks: Webhooks) -> None:
    """Many councils' accounts send through one."""
    ours = twilio.account
    through = Sms(Config(ours.sid, ours.token, f"MG{'0' * 32}", webhooks.url, twilio.base_url))

    receipt = await through.send(ANNE, "Hello.", "k1", worth=timedelta(minutes=15))

    until(lambda: webhooks.states_of("k1") == ["sent", "delivered"])
    assert webhooks.posted[0].form["MessagingServiceSid"] == f"MG{'0' * 32}"
    assert (await through.state(receipt.sid))[0] == "delivered"


async def test_no_number_and_no_text_is_logged_or_in_an_error(
    sms: Sms, twilio: PretendTwilio, caplog: pytest.LogCaptureFixture
) -> None:
    """Twilio's own client logs the numbers that it looks up, and its errors quote them."""
    caplog.set_level(logging.DEBUG)
    await sms.send(ANNE, "Margaret pressed the pendant.", "k1")
    await sms.find(ANNE, "Margaret pressed the pendant.", Clock().now())
    twilio.fail_create(ANNE, code=21211)
    with pytest.raises(GiveUp) as why:
        await sms.send(ANNE, "Margaret pressed the pendant.", "k1")

    digits = ANNE.removeprefix("+")
    assert digits not in caplog.text
    assert "Margaret" not in caplog.text
    assert digits not in str(why.value)
    assert why.value.__suppress_context__


async def test_a_second_start_keeps_the_texts(tmp_path: Path, webhooks: Webhooks) -> None:
    """Whoever starts the demo again finds the phones as they were."""
    state, account = tmp_path / "texts.json", Account()
    with PretendTwilio(now=Clock().now, account=account, state=state) as first:
        door = Sms(Config(account.sid, account.token, account.sender, webhooks.url, first.base_url))
        receipt = await door.send(ANNE, "Hello.", "k1")
        until(lambda: first.texts_to(ANNE)[0].status is Status.DELIVERED)
        first.ledger.stop(JIM)

    second = PretendTwilio(now=Clock().now, account=account, state=state)
    second.start()
    second.stop()

    assert [text.sid for text in second.texts_to(ANNE)] == [receipt.sid]
    assert second.texts_to(ANNE)[0].created_at.tzinfo == UTC
    assert second.ledger.has_stopped(JIM)


def test_without_any_twilio_in_the_environment_there_is_none() -> None:
    """A supported state, in which it is said loudly that nobody can be texted."""
    assert Config.from_env({"TELECARE_PUBLIC_URL": "https://telecare.example"}) is None


WHOLE = {
    "TELECARE_TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
    "TELECARE_TWILIO_AUTH_TOKEN": "hush",
    "TELECARE_TWILIO_FROM": "+441234567890",
    "TELECARE_PUBLIC_URL": "https://telecare.example/",
}


def test_a_whole_configuration_is_taken() -> None:
    """What the demo and a council's deployment say."""
    config = Config.from_env(WHOLE)

    assert config is not None
    assert Sms(config).callback_url("k1") == "https://telecare.example/twilio/status/k1"
    assert config.base_url == "https://api.twilio.com"


@pytest.mark.parametrize("name", WHOLE)
def test_half_a_configuration_is_refused(name: str) -> None:
    """A forgotten token must not be found out by the first alarm."""
    with pytest.raises(NotConfigured, match=name):
        Config.from_env({**WHOLE, name: ""})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TELECARE_TWILIO_ACCOUNT_SID", "AC12"),
        ("TELECARE_TWILIO_FROM", "TELECARE"),
        ("TELECARE_TWILIO_FROM", "01234 567890"),
        ("TELECARE_PUBLIC_URL", "telecare.example"),
    ],
)
def test_what_twilio_could_not_use_is_refused_at_the_start(name: str, said: str) -> None:
    """A sender that is a name cannot be answered, and nobody could say "mine"."""
    with pytest.raises(NotConfigured, match=name):
        Config.from_env({**WHOLE, name: said})


async def test_while_some_requests_hang_an_alarm_still_goes(sms: Sms, twilio: PretendTwilio) -> None:
    """One phone's network that is stuck must not hold up the street."""
    twilio.slow(JIM, 9.0, times=7)
    hanging = [asyncio.create_task(sms.send(JIM, f"Number {n}.", f"j{n}")) for n in range(7)]
    await asyncio.to_thread(until, lambda: len(twilio.texts_to(JIM)) == len(hanging))

    await sms.send(ANNE, "Margaret pressed the pendant.", "k1")

    assert not any(request.done() for request in hanging)
    twilio.stop()
    await asyncio.gather(*hanging, return_exceptions=True)


def test_the_token_is_not_in_what_the_configuration_says_of_itself() -> None:
    """Configurations end up in logs."""
    assert "hush" not in repr(Config("AC1", "hush", "+44", "https://telecare.example"))
