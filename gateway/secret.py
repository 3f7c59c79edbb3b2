"""Where does a secret stand: in a variable, or in a file that a variable names?  The one door for every process.

`NAME_FILE` names a file that only its reader may open: a systemd credential, a container's secret.  A secret in a file
is not in the environment, which every child and every crash report inherits.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

SECRETS: Final = frozenset(
    {
        "TELECARE_INGEST_DATABASE_PASSWORD",
        "TELECARE_BACKUP_DATABASE_PASSWORD",
        "TELECARE_API_DATABASE_PASSWORD",
        "TELECARE_ALERTS_DATABASE_PASSWORD",
        "TELECARE_BROKER_PASSWORD",
        "TELECARE_DATABASE_URL",
        "TELECARE_FACTOR_KEY",
        "TELECARE_OIDC_CLIENT_SECRET",
        "TELECARE_SMTP_PASSWORD",
        "TELECARE_TWILIO_AUTH_TOKEN",
        "TELECARE_WATCHER_PING",
    }
)
"""Every variable that holds a secret; each may stand in a file instead, named by the variable with `_FILE`."""

# Ours: a password or an address; a file that is larger was named by mistake.
_BYTES_MAX: Final = 4096


class Unreadable(ValueError):
    """A file that should hold a secret cannot be used; whoever runs this must see to it.  Never holds the secret."""


def opened(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which every secret that stands in a file stands in its variable.

    The file goes before the variable, and its own variable is left out: whoever is started with the result cannot read
    another secret from it.

    Raises:
        Unreadable: a file is not there, may not be read, or holds no secret.
    """
    plain = dict(env)
    for name in sorted(SECRETS):
        file = plain.pop(f"{name}_FILE", "")
        if file:
            plain[name] = _read(f"{name}_FILE", Path(file))
    return plain


def _read(name: str, file: Path) -> str:
    try:
        with file.open("rb") as held:
            said = held.read(_BYTES_MAX + 1).decode().strip()
    except OSError as why:
        raise Unreadable(f"{name} cannot be read: {why.strerror}") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{name} cannot be read: it is not text") from None
    if not said or "\n" in said or len(said) > _BYTES_MAX:
        raise Unreadable(f"{name} must name a file with one line, the secret")
    return said
