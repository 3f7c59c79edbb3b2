"""A hub that is set up wrongly says which key is wrong, in one sentence."""

from pathlib import Path

import pytest

from gateway.config import BadConfig, Config
from gateway.health import Address

ENOUGH = {
    "TELECARE_HUB_ID": "hub-1",
    "TELECARE_HUB_LANE": "7",
    "TELECARE_HUB_SECRET": "s3cret",
    "TELECARE_PLATFORM_HOST": "broker.example",
    "TELECARE_RADIO_HOST": "127.0.0.1",
    "TELECARE_OUTBOX_PATH": "/var/lib/telecare/outbox.db",
}

FILE = """
health = "127.0.0.1:9101"
[hub]
id = "hub-2"
lane = 63
secret_file = "{secret}"
[platform]
host = "broker.example"
port = 1883
tls = false
[radio]
host = "10.0.0.2"
user = "telecare"
password = "p"
pendants = ["Anna's button"]
[outbox]
path = "outbox.db"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    path = tmp_path / "gateway.toml"
    path.write_text(FILE.format(secret=secret))
    return path


def test_the_environment_alone_will_do() -> None:
    """A container has no file."""
    config = Config.from_env(ENOUGH)

    assert (config.hub, config.lane, config.secret) == ("hub-1", 7, "s3cret")
    assert (config.platform.port, config.platform.tls) == (8883, True)
    assert config.radio is not None
    assert config.recording is None
    assert config.outbox.stored_days == 30


def test_the_file_that_the_platform_writes_for_a_hub_is_understood(file: Path) -> None:
    """`telecare hub add` hands over one file; nothing else should be needed."""
    config = Config.from_env({"TELECARE_GATEWAY_CONFIG": str(file)})

    assert (config.hub, config.lane, config.secret) == ("hub-2", 63, "from the file")
    assert config.health == Address("127.0.0.1", 9101)
    assert config.radio is not None
    assert config.radio.pendants == ("Anna's button",)


def test_the_outbox_lies_beside_the_file_wherever_the_hub_is_started_from(
    file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started once from another folder, a hub would begin another outbox, and what the first holds would stay there."""
    found = []
    for _ in range(2):
        monkeypatch.chdir(tmp_path_factory.mktemp("anywhere"))
        found.append(Config.from_env({"TELECARE_GATEWAY_CONFIG": str(file)}).outbox.path)
    monkeypatch.chdir(file.parent)
    found.append(Config.from_env({"TELECARE_GATEWAY_CONFIG": file.name}).outbox.path)

    assert found == [str(file.parent / "outbox.db")] * 3


def test_an_outbox_of_the_release_before_that_stayed_elsewhere_is_asked_for(
    file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub started by hand from another folder would begin anew, and what it had not sent would never be sent."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    (elsewhere / "outbox.db").write_bytes(b"unsent")
    of_the_file = {"TELECARE_GATEWAY_CONFIG": str(file)}

    with pytest.raises(BadConfig, match=f"move {elsewhere}/outbox.db and whatever begins .* to {file.parent}, then"):
        Config.from_env(of_the_file)

    assert Config.from_env({**of_the_file, "TELECARE_OUTBOX_PATH": "/srv/a.db"}).outbox.path == "/srv/a.db"
    (elsewhere / "outbox.db").rename(file.parent / "outbox.db")
    assert Config.from_env(of_the_file).outbox.path == str(file.parent / "outbox.db")
    # Another hub's, perhaps; ours is where it belongs.
    (elsewhere / "outbox.db").write_bytes(b"another")
    assert Config.from_env(of_the_file).outbox.path == str(file.parent / "outbox.db")


def test_an_outbox_with_a_folder_of_its_own_stays_there(file: Path) -> None:
    """A unit or a container keeps the file in a place that cannot be written, and says where the outbox is."""
    file.write_text(file.read_text().replace('"outbox.db"', '"/srv/hub/outbox.db"'))
    of_the_file = {"TELECARE_GATEWAY_CONFIG": str(file)}

    assert Config.from_env(of_the_file).outbox.path == "/srv/hub/outbox.db"
    assert Config.from_env({**of_the_file, "TELECARE_OUTBOX_PATH": "/srv/a.db"}).outbox.path == "/srv/a.db"


def test_a_hub_that_nobody_told_anything_asks_for_its_file() -> None:
    """Whoever types `telecare gateway` to see what it does learns what it wants."""
    with pytest.raises(BadConfig, match="TELECARE_GATEWAY_CONFIG names the file that `telecare hub add` wrote"):
        Config.from_env({})


def test_the_environment_overrides_the_file(file: Path) -> None:
    """One hub may need another port than its file says, without editing it."""
    config = Config.from_env(
        {
            "TELECARE_GATEWAY_CONFIG": str(file),
            "TELECARE_PLATFORM_PORT": "2883",
            "TELECARE_PLATFORM_TLS": "true",
            "TELECARE_RADIO_PENDANTS": "a,b c",
        }
    )

    assert (config.platform.port, config.platform.tls) == (2883, True)
    assert config.radio is not None
    assert config.radio.pendants == ("a", "b c")


def test_an_eager_recording_neither_lingers_nor_dawdles() -> None:
    """A moved clock is to be lived as fast as it can be."""
    said = {k: v for k, v in ENOUGH.items() if "RADIO" not in k}
    config = Config.from_env(
        said | {"TELECARE_RECORDING_FILE": "a.csv", "TELECARE_RECORDING_HOME": "h", "TELECARE_RECORDING_EAGER": "true"}
    )

    assert config.is_eager
    assert config.sending.linger_ms == 0


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"TELECARE_HUB_LANE": "64"}, "hub.lane"),
        ({"TELECARE_HUB_LANE": "seven"}, "hub.lane"),
        ({"TELECARE_HUB_ID": "Hub 1"}, "hub.id"),
        ({"TELECARE_PLATFORM_PORT": "0"}, "platform.port"),
        ({"TELECARE_PLATFORM_TLS": "perhaps"}, "platform.tls"),
        ({"TELECARE_PLATFORM_HOST": ""}, "platform.host"),
        ({"TELECARE_HUB_SECRET": ""}, "hub.secret"),
        ({"TELECARE_HUB_SECRET_FILE": "/nowhere"}, "hub.secret_file"),
        ({"TELECARE_GATEWAY_HEALTH": "9101"}, "health"),
        ({"TELECARE_GATEWAY_CONFIG": "/nowhere/gateway.toml"}, "/nowhere/gateway.toml"),
        ({"TELECARE_RECORDING_FILE": "a", "TELECARE_RECORDING_HOME": "h"}, "radio"),
        ({"TELECARE_SENDING_PACK_RECORDS": "501"}, "sending.pack_records"),
        ({"TELECARE_OUTBOX_STORED_DAYS": "-1"}, "outbox.stored_days"),
    ],
)
def test_each_wrong_value_is_named_in_one_sentence(said: dict[str, str], names: str) -> None:
    """Whoever installs a hub on a Friday has this sentence and nothing else."""
    with pytest.raises(BadConfig) as raised:
        Config.from_env(ENOUGH | said)

    assert names in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("missing", sorted(ENOUGH))
def test_each_missing_value_is_named(missing: str) -> None:
    """An empty place in the file must not be found out by a hub that stays silent."""
    with pytest.raises(BadConfig) as raised:
        Config.from_env({k: v for k, v in ENOUGH.items() if k != missing})

    assert missing.split("_")[1].lower() in str(raised.value)


def test_an_unknown_key_in_the_file_is_an_error(file: Path) -> None:
    """A mistyped `pendant = [...]` would leave someone's button without an alarm."""
    file.write_text(file.read_text().replace("pendants", "pendant"))

    with pytest.raises(BadConfig, match="pendant"):
        Config.from_env({"TELECARE_GATEWAY_CONFIG": str(file)})


def test_a_file_that_is_no_toml_says_so(file: Path) -> None:
    """A half-written file is named, not guessed at."""
    file.write_text("[hub")

    with pytest.raises(BadConfig, match="not TOML"):
        Config.from_env({"TELECARE_GATEWAY_CONFIG": str(file)})


def test_secrets_do_not_show() -> None:
    """A configuration that is logged must not hand the hub's password over."""
    config = Config.from_env(ENOUGH | {"TELECARE_RADIO_PASSWORD": "p4ss"})

    assert "s3cret" not in repr(config)
    assert "p4ss" not in f"{config} {config.radio!r}"
