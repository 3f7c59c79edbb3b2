"""How is a NATS server our MQTT broker: the platform's, and a home's own?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy import child
from deploy.broker import permissions
from deploy.broker.permissions import HubAccess, Login
from deploy.embedded import machine, runtime
from deploy.embedded.broker import CERTIFICATE, KEY, PAYLOAD_BYTES_MAX, Broker, Outside

_CONFIG: Final = "nats.conf"
_PERMISSIONS: Final = "permissions.conf"

# What waits in the broker is held by the hubs too, so a full store costs time and not readings.
_STORE: Final = "max_memory_store: 64MB, max_file_store: 1GB"
# How long an unacknowledged message waits before it is handed out again, also after a reconnect: nats-server's own
# 30 s would make what a killed gateway had not taken in half a minute late.
_ACK_WAIT: Final = "10s"
_CONNECTIONS_MAX: Final = 30_000
# What waits for somebody who has been away for so long is let go.  An ingest that died together with the broker comes
# back under another name, and nats-server keeps every message for the old one: once the store was full no alarm came
# through any more (2.15.1, 2026-11-22).
_LET_GO_AFTER: Final = "1m"
# How long whoever connects may have to wait for their password to be looked at, in seconds.  nats-server's own 2 s ran
# out while thousands came at once, after the work and before its fruit, and all came again.
_WELCOME_WITHIN_S: Final = 20


class Nats(Broker):
    """A NATS server that speaks MQTT 3.1.1.

    As a home's own broker it is for the demo.  What a client did not acknowledge in `_ACK_WAIT` comes again, other
    messages before it, under a packet number that another message may have had.  Of 400 messages at once some were
    lost once when their gateway was killed three times on a busy machine; that a late acknowledgement was taken for
    another message's is likely by its source, and not proved.  (`max_ack_pending: 1` does not help: messages stood
    still for a minute and more; 2.15.1, 2026-11-22.)
    """

    def __init__(
        self,
        folder: Path,
        *,
        program: Path,
        port: int,
        log: Path,
        outside: Outside | None = None,
        is_homes_own: bool = False,
    ) -> None:
        """Describe a broker; nothing is touched yet.

        Args:
            folder: as `Broker`, and so are the next four.
            program: the server's absolute path.
            port: for MQTT 3.1.1.
            log: the file that its own messages are appended to.
            outside: who is not on this machine.
            is_homes_own: keep what a gateway could not take in, however long it is away; it is nowhere else.
        """
        super().__init__(folder, program=program, port=port, log=log, outside=outside)
        self._is_homes_own = is_homes_own

    @property
    def command(self) -> child.Command:
        return child.Command(
            (str(self._program), "-c", str(self.folder / _CONFIG)), account=machine.account_for(self.folder)
        )

    def permit(self, hubs: Sequence[HubAccess], ingest: Login) -> None:
        self._write_and_reload({_PERMISSIONS: permissions.nats_platform(hubs, ingest)})

    def open_to(self, equipment: Login) -> None:
        """Make it a home's own broker: one user, which may say and hear everything."""
        self._write_and_reload({_PERMISSIONS: permissions.nats_home(equipment)})

    def _settings(self) -> Mapping[str, str]:
        # Its own protocol cannot be switched off: on any free port of this machine, and no user may use it.
        return {
            _CONFIG: (
                f'server_name: "telecare-{self.port}"\n'
                'host: "127.0.0.1"\n'
                "port: -1\n"
                f"max_payload: {PAYLOAD_BYTES_MAX}\n"
                f"max_connections: {_CONNECTIONS_MAX}\n"
                f'jetstream {{ store_dir: "{self.folder / "store"}", {_STORE} }}\n'
                f"mqtt {{ {self._mqtt()} }}\n"
                f'include "{_PERMISSIONS}"\n'
            )
        }

    def _mqtt(self) -> str:
        settings = [
            f'listen: "{self.address}:{self.port}"',
            f'ack_wait: "{_ACK_WAIT}"',
            f"authorization {{ timeout: {_WELCOME_WITHIN_S} }}",
        ]
        if not self._is_homes_own:
            settings.append(f'consumer_inactive_threshold: "{_LET_GO_AFTER}"')
        if self.outside is not None:
            files = f'cert_file: "{self.folder / CERTIFICATE}", key_file: "{self.folder / KEY}"'
            settings.append(f"tls {{ {files}, timeout: {_WELCOME_WITHIN_S} }}")
        return ", ".join(settings)


def nats(
    folder: Path,
    *,
    port: int,
    log: Path,
    environment: Mapping[str, str],
    outside: Outside | None = None,
    is_homes_own: bool = False,
) -> Nats:
    """Return a NATS server in a folder, the platform's or a home's, its program laid where every account can run it.

    Raises:
        Missing: the environment does not bring the program.
    """
    program = runtime.nats_program(machine.default_runtime(environment))
    return Nats(folder, program=program, port=port, log=log, outside=outside, is_homes_own=is_homes_own)
