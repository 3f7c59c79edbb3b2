"""Is what somebody types, and from where, understood?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.config import Config, NotConfigured
from api.signing_in import mail
from api.signing_in.addresses import network_of
from api.signing_in.reach import Reach, reach
from api.signing_in.sessions import browser_named

_GOOD = {"TELECARE_DATABASE_URL": "postgresql://db/telecare"}
_MAIL = {"TELECARE_SMTP_HOST": "mail.example", "TELECARE_SMTP_FROM": "no-reply@care.example"}


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("07700 900101", Reach("text", "+447700900101")),
        (" Anne@Example.org", Reach("mail", "anne@example.org")),
        ("anne@@example.org", None),
        ("anne", None),
        ("a\0b@example.org", None),
    ],
)
def test_a_phone_and_a_mailbox_are_told_apart(typed: str, where: Reach | None) -> None:
    """People have one field, and type what they have."""
    assert reach(typed) == where


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_phone_a_mailbox_or_neither(typed: str) -> None:
    """A stranger types anything; nothing of it may end in a mistake of ours, or in a database that refuses it."""
    found = reach(typed)

    assert found is None or (found.by == "text") == found.to.startswith("+") or "@" in found.to
    assert found is None or "\0" not in found.to


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_counted_with_all_that_its_owner_has(host: str, network: str) -> None:
    """A household has 2^64 addresses of IPv6, and may not ask 2^64 times."""
    assert network_of(host) == network


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/18.5 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 "
                "Safari/537.36 Edg/137.0.0.0"
            ),
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("<script>alert(1)</script>", "a browser"),
        ("", "a browser"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(said: str, named: str) -> None:
    """Whoever lost a phone must find it in the list; what else a browser sends is not kept."""
    assert browser_named(said) == named


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"TELECARE_SMTP_FROM": ""}, "TELECARE_SMTP_FROM"),
        ({"TELECARE_SMTP_FROM": "nobody"}, "TELECARE_SMTP_FROM"),
        ({"TELECARE_SMTP_FROM": "a@b.example\nBcc: c@d.example"}, "TELECARE_SMTP_FROM"),
        ({"TELECARE_SMTP_TLS": "none"}, "loopback"),
        ({"TELECARE_SMTP_TLS": "ssl"}, "starttls, implicit, none"),
        ({"TELECARE_SMTP_PORT": "0"}, "TELECARE_SMTP_PORT"),
        ({"TELECARE_SMTP_USER": "telecare"}, "TELECARE_SMTP_PASSWORD"),
        ({"TELECARE_OIDC_ISSUER": "https://id.example"}, "TELECARE_OIDC_CLIENT_ID"),
        (
            {f"TELECARE_OIDC_{name}": "http://id.example" for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")},
            "https",
        ),
        ({"TELECARE_API_TRUSTED_PROXIES": "*"}, "TELECARE_API_TRUSTED_PROXIES"),
        ({"TELECARE_API_TRUSTED_PROXIES": "10.0.0.1/8"}, "TELECARE_API_TRUSTED_PROXIES"),
    ],
)
def test_half_a_server_or_a_proxy_that_is_everybody_is_refused(said: dict[str, str], word: str) -> None:
    """What is wrong is found at the start, in a sentence with its variable."""
    with pytest.raises(NotConfigured, match=word):
        Config.from_env({**_GOOD, **_MAIL, **said})


@pytest.mark.parametrize(("tls", "port"), [("", 587), ("starttls", 587), ("implicit", 465)])
def test_a_mail_server_needs_two_variables(tls: str, port: int) -> None:
    """The rest follows from what everybody has."""
    config = Config.from_env({**_GOOD, **_MAIL, "TELECARE_SMTP_TLS": tls}).mails

    assert config == mail.Config("mail.example", port, mail.Tls(tls or "starttls"), "no-reply@care.example")


def test_the_mail_servers_password_is_not_in_what_is_printed() -> None:
    """A configuration ends up in a log sooner or later."""
    config = Config.from_env({**_GOOD, **_MAIL, "TELECARE_SMTP_USER": "u", "TELECARE_SMTP_PASSWORD": "hunter2"})

    assert "hunter2" not in repr(config)
