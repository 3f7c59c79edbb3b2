"""Who may say what: the words in the brokers' files."""

import base64
import hashlib
import json
from typing import Any

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.broker.permissions import (
    LANES,
    SAID_BY_HUB,
    HubAccess,
    Login,
    hub_access,
    login,
    mosquitto_acl,
    mosquitto_passwords,
    nats_home,
    nats_platform,
)
from ingest.hub_secret import hash_mosquitto, hash_nats

_SECRET = "s" * 43
_ONE = login("any", _SECRET)
_INGEST = Login("ingest", _ONE.nats_hash, _ONE.mosquitto_hash)

_HUB_IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True).filter(lambda hub: hub != "ingest")
_HUBS = st.lists(
    st.builds(HubAccess, _HUB_IDS, st.integers(0, LANES - 1), st.just(_ONE.nats_hash), st.just(_ONE.mosquitto_hash)),
    max_size=8,
    unique_by=lambda one: one.hub,
)


def _nats_users(block: str) -> dict[str, Any]:
    lines = [line.strip() for line in block.splitlines() if line.strip().startswith('{"user"')]
    return {user["user"]: user for user in map(json.loads, lines)}


def _acl(text: str) -> dict[str, set[tuple[str, str]]]:
    """Read Mosquitto's own words: user -> {(read or write, topic)}."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in filter(None, text.splitlines()):
        word, rest = line.split(" ", 1)
        if word == "user":
            topics = found.setdefault(rest, set())
        else:
            way, topic = rest.split(" ")
            topics.add((way, topic))
    return found


@given(_HUBS)
def test_both_brokers_are_told_the_same(hubs: list[HubAccess]) -> None:
    """A site that changes its broker must not change who may read whose home."""
    nats = {
        user: {("write", subject) for subject in said["permissions"]["publish"]["allow"]}
        | {("read", subject) for subject in said["permissions"]["subscribe"]["allow"]}
        for user, said in _nats_users(nats_platform(hubs, _INGEST)).items()
    }

    mosquitto = {
        user: {(way, topic.replace("/", ".").replace("+", "*")) for way, topic in said}
        for user, said in _acl(mosquitto_acl(hubs, _INGEST)).items()
    }

    assert nats == mosquitto


@given(_HUBS)
def test_a_hub_is_given_its_own_six_topics_and_no_wildcard(hubs: list[HubAccess]) -> None:
    """One star too many is every home."""
    acl = _acl(mosquitto_acl(hubs, _INGEST))

    for hub in hubs:
        own = f"telecare/v1/{hub.lane:02d}/{hub.hub}"
        assert acl[hub.hub] == {*(("write", f"{own}/{word}") for word in SAID_BY_HUB), ("read", f"{own}/stored")}


@given(_HUBS)
def test_every_user_has_a_password_and_every_password_a_user(hubs: list[HubAccess]) -> None:
    """A user in one file and not in the other is a hub that is let in and never heard."""
    passwords = [line.split(":", 1)[0] for line in mosquitto_passwords(hubs, _INGEST).splitlines()]

    assert sorted(passwords) == sorted(_acl(mosquitto_acl(hubs, _INGEST)))
    assert sorted(passwords) == sorted(_nats_users(nats_platform(hubs, _INGEST)))


def test_nobody_may_use_the_brokers_own_subjects_or_protocol() -> None:
    """`$MQTT.>` would let one hub speak as another; the NATS protocol can name what MQTT cannot."""
    block = nats_platform([hub_access("hub-a", 7, _SECRET)], _INGEST)

    assert "$MQTT" not in block
    assert all(user["allowed_connection_types"] == ["MQTT"] for user in _nats_users(block).values())


def test_a_home_s_own_broker_has_one_user() -> None:
    """Equipment is not ours to name topics for; but a visitor's phone on the home's network is not equipment."""
    users = _nats_users(nats_home(login("equipment", _SECRET)))

    assert list(users) == ["equipment"]
    assert users["equipment"]["permissions"]["publish"] == {"allow": [">"]}


@pytest.mark.parametrize("name", ["", "A", "hub a", "hub\nuser x", "hub.a", "*", ">", "+", "#", "-a", "a" * 33, "ü"])
def test_a_name_that_would_change_the_files_meaning_is_refused(name: str) -> None:
    """A line feed in a hub's name would be a second user."""
    with pytest.raises(ValueError, match="broker's user"):
        HubAccess(name, 0, _ONE.nats_hash, _ONE.mosquitto_hash)


@pytest.mark.parametrize("lane", [-1, LANES, 100])
def test_a_lane_that_does_not_exist_is_refused(lane: int) -> None:
    """`telecare/v1/100/...` would be heard by no worker."""
    with pytest.raises(ValueError, match="lane"):
        HubAccess("hub-a", lane, _ONE.nats_hash, _ONE.mosquitto_hash)


@pytest.mark.parametrize("wrong", ["", "secret", "a hash and more", "$7$101$$"])
def test_what_is_not_a_hash_is_refused(wrong: str) -> None:
    """A plain secret in the file would work on NATS, and be read by whoever reads the file."""
    wrong = wrong.replace("a hash and more", f"{_ONE.nats_hash}\nuser x")
    with pytest.raises(ValueError, match="hash"):
        Login("hub-a", wrong, _ONE.mosquitto_hash)
    with pytest.raises(ValueError, match="hash"):
        Login("hub-a", _ONE.nats_hash, wrong)


def test_two_users_of_one_name_are_refused() -> None:
    """Both brokers take the last one, and so give one hub the topics of another."""
    twins = [hub_access("hub-a", lane, _SECRET) for lane in (1, 2)]

    for render in (nats_platform, mosquitto_acl, mosquitto_passwords):
        with pytest.raises(ValueError, match="same name"):
            render(twins, _INGEST)
        with pytest.raises(ValueError, match="same name"):
            render([hub_access("ingest", 1, _SECRET)], _INGEST)


@given(st.text(max_size=18))
def test_a_nats_hash_knows_its_secret(secret: str) -> None:
    """Text is bytes to a hash: what the hub sends must meet what was kept."""
    if "\0" not in secret:
        assert bcrypt.checkpw(secret.encode(), hash_nats(secret).encode())


def test_a_secret_that_bcrypt_would_cut_is_refused() -> None:
    """What is beyond 72 bytes would not be asked for."""
    with pytest.raises(ValueError, match="72"):
        hash_nats("s" * 73)


@given(st.text())
def test_a_mosquitto_hash_is_pbkdf2_of_its_secret(secret: str) -> None:
    """Source: Mosquitto's password_mosq.c, hash type 7; the salt and the hash are base64."""
    _, kind, iterations, salt, kept = hash_mosquitto(secret).split("$")

    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), base64.b64decode(salt), int(iterations))
    assert kind == "7"
    assert base64.b64decode(kept) == digest


def test_the_same_secret_is_never_kept_twice_alike() -> None:
    """Two hubs with one hash would show that someone copied a card."""
    assert hash_mosquitto(_SECRET) != hash_mosquitto(_SECRET)
    assert hash_nats(_SECRET) != hash_nats(_SECRET)
