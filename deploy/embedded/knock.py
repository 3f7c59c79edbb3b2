"""Does a broker let this user in?

One MQTT 3.1.1 CONNECT and its answer, by hand: the MQTT clients have their doors in gateway and ingest.
"""

import contextlib
import socket
import ssl
import struct
from typing import Final

# MQTT 3.1.1, section 3.1: user name, password and clean session; keep alive 10 s.
_CONNECT: Final = 0x10
_FLAGS: Final = 0b1100_0010
_CONNACK_ACCEPTED: Final = b"\x20\x02\x00\x00"
_DISCONNECT: Final = b"\xe0\x00"
_PATIENCE_S: Final = 3.0


def lets_in(port: int, user: str, secret: str, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> bool:
    """Return whether a broker listens there and accepts this user.

    Args:
        port: of MQTT.
        user: at most 100 characters, like the secret, so that the packet's length is one byte or two.
        secret: as the hub would send it.
        host: an address or a name.
        tls: whom to trust; None speaks plainly.

    Raises:
        ValueError: the user or the secret is longer.
    """
    if max(len(user), len(secret)) > 100:
        raise ValueError("a broker's user and secret have at most 100 characters")
    with contextlib.suppress(OSError), _connected(host, port, tls) as line:
        line.sendall(_connect(user, secret))
        answer = line.recv(4)
        if answer == _CONNACK_ACCEPTED:
            line.sendall(_DISCONNECT)
            return True
    return False


def _connected(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    line = socket.create_connection((host, port), timeout=_PATIENCE_S)
    if tls is None:
        return line
    try:
        return tls.wrap_socket(line, server_hostname=host)
    except OSError:
        line.close()
        raise


def _connect(user: str, secret: str) -> bytes:
    body = _text("MQTT") + bytes([4, _FLAGS]) + struct.pack(">H", 10) + _text(f"knock-{user}"[:23])
    body += _text(user) + _text(secret)
    return bytes([_CONNECT]) + _length(len(body)) + body


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def _length(size: int) -> bytes:
    # Section 2.2.3: seven bits a byte, the eighth says that there are more.
    return bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
