"""What is a Zigbee device called on the wire?"""

import hashlib
import re

from gateway.reading import SensorId


def sensor_id(friendly_name: str) -> SensorId:
    """Return what a device is called on the wire: its friendly name, with what may not be there escaped.

    `Front door` becomes `Front_door`, `Küche` becomes `K:c3bc:che`.  Two names never become one: a space is the
    only thing that becomes an underscore, everything else becomes its UTF-8 bytes in hexadecimal between colons,
    and what is too long keeps its beginning and a hash of the whole.
    """
    if not friendly_name:
        return SensorId("x::")
    safe = "".join(map(_escaped, friendly_name))
    if safe.endswith("/"):
        safe = f"{safe[:-1]}:2f:"
    if not (safe[0].isascii() and safe[0].isalnum()):
        safe = f"x:{safe}"  # A name on the wire begins with a letter or digit.
    if len(safe) > _ID_CHARACTERS_MAX:
        whole = hashlib.sha256(friendly_name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        safe = f"{safe[: _ID_CHARACTERS_MAX - 34]}::{whole}"
    return SensorId(safe)


_ID_CHARACTERS_MAX = 96
_AS_IT_IS = re.compile(r"[A-Za-z0-9.\-/]")


def _escaped(character: str) -> str:
    if _AS_IT_IS.fullmatch(character):
        return character
    if character == " ":
        return "_"
    return f":{character.encode('utf-8', 'surrogatepass').hex()}:"
