"""How is Debian's Mosquitto the platform's broker, in tests and where a site prefers it?"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy import child
from deploy.broker import permissions
from deploy.broker.permissions import HubAccess, Login
from deploy.embedded import machine
from deploy.embedded.broker import CERTIFICATE, KEY, PAYLOAD_BYTES_MAX, Broker, Outside
from deploy.embedded.machine import Missing

_CONFIG: Final = "mosquitto.conf"
_PASSWORDS: Final = "passwords"
_ACL: Final = "acl"


class Mosquitto(Broker):
    """A Mosquitto, 2.0 or later."""

    @property
    def command(self) -> child.Command:
        return child.Command(
            (str(self._program), "-c", str(self.folder / _CONFIG)), account=machine.account_for(self.folder)
        )

    def permit(self, hubs: Sequence[HubAccess], ingest: Login) -> None:
        self._write_and_reload(
            {
                _PASSWORDS: permissions.mosquitto_passwords(hubs, ingest),
                _ACL: permissions.mosquitto_acl(hubs, ingest),
            }
        )

    def _settings(self) -> Mapping[str, str]:
        return {
            _CONFIG: (
                f"listener {self.port} {self.address}\n"
                f"{self._tls()}"
                "allow_anonymous false\n"
                f"password_file {self.folder / _PASSWORDS}\n"
                f"acl_file {self.folder / _ACL}\n"
                "persistence true\n"
                f"persistence_location {self.folder}/\n"
                f"message_size_limit {PAYLOAD_BYTES_MAX}\n"
                "max_inflight_messages 1000\n"
                "max_queued_messages 100000\n"
                "max_queued_bytes 268435456\n"
                "memory_limit 536870912\n"
                "log_dest stderr\n"
                "log_type error\nlog_type warning\nlog_type notice\n"
            )
        }

    def _tls(self) -> str:
        if self.outside is None:
            return ""
        return f"certfile {self.folder / CERTIFICATE}\nkeyfile {self.folder / KEY}\n"


def mosquitto(
    folder: Path, *, port: int, log: Path, environment: Mapping[str, str], outside: Outside | None = None
) -> Mosquitto:
    """Return a Mosquitto in a folder.

    Raises:
        Missing: it is not installed.
    """
    # Debian puts it where only root's PATH looks.
    program = shutil.which("mosquitto", path=f"{environment.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Missing("Mosquitto is not installed: apt-get install --no-install-recommends mosquitto.")
    return Mosquitto(folder, program=Path(program), port=port, log=log, outside=outside)
