"""Does this code come from somebody's authenticator, or from the paper that they printed?

RFC 6238: a code of six digits for each step of 30 s, of which the one before and the one after are taken too, and none
twice.  A recovery code is 80 random bits on paper, and opens once.
"""

import base64
import hmac
import io
import re
import secrets
from datetime import datetime
from typing import Final

import pyotp
import segno
from markupsafe import Markup

# What every authenticator takes: SHA-1, 6 digits, 30 s (RFC 6238, 1.2 and 5.2; Google's key URI format).
_STEP_S: Final = 30
_DIGITS: Final = 6
# A phone's clock may be a step off (RFC 6238, 5.2: at most one is recommended).
_SKEW: Final = 1

RECOVERY_CODES: Final = 10
"""How many are printed.  Ours."""
# 80 bits: who reads their hashes guesses none of them.
_RECOVERY_BYTES: Final = 10


def new_secret() -> str:
    """Return 160 random bits in base32 (RFC 4226, section 4: R6)."""
    return pyotp.random_base32()


def step_at(at: datetime) -> int:
    """Return the number of the step in which a moment lies, since 1970."""
    return int(at.timestamp()) // _STEP_S


def step_of(code: str, secret: str, *, after: int, now: datetime) -> int | None:
    """Return the step whose code this is, or None if it is none of those that count now.

    Args:
        code: six digits.
        secret: in base32.
        after: the newest step that was taken before; it and all before it are used up.
        now: in real time.
    """
    if not is_authenticators(code):
        return None
    made, here = pyotp.HOTP(secret, digits=_DIGITS), step_at(now)
    found = None
    for step in range(max(0, here - _SKEW), here + _SKEW + 1):
        # All are compared, and each in the same time, whichever it is.
        if hmac.compare_digest(made.at(step), code) and step > after:
            found = step
    return found


def plain(typed: str) -> str:
    """Return a code as it was typed, with or without spaces and hyphens: six digits, or a recovery code."""
    return re.sub(r"[\s-]", "", typed).upper()


def is_authenticators(code: str) -> bool:
    """Return whether this has the form of an authenticator's code."""
    return len(code) == _DIGITS and code.isascii() and code.isdecimal()


def uri(secret: str, *, account: str, service: str) -> str:
    """Return the address that an authenticator reads from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.replace(":", " "), issuer_name=service.replace(":", " "))


def picture(said: str) -> Markup:
    """Return a QR code as SVG, drawn here: whoever draws it for us would know the secret."""
    out = io.BytesIO()
    segno.make(said, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=4, dark="#000", light="#fff", nl=False
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - numbers of squares, none of the text itself


def spelled(secret: str) -> str:
    """Return a secret or a code in groups of four, to be typed."""
    return " ".join(re.findall(".{1,4}", secret))


def new_recovery_codes() -> list[str]:
    """Return ten codes as they are printed: `ABCD-EFGH-IJKL-MNOP`."""
    made = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    return ["-".join(re.findall(".{4}", one)) for one in made]
