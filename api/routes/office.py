"""What do the operator's pages about people, homes and the rota share?

A form that cannot be taken comes back as it was written, with a sentence at each field that is wrong, and status 422.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from api.office.said import Mistakes

# The longest form has a dozen fields; more is not one of ours.
_FIELDS_MAX: Final = 40
_LETTERS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not taken.

    Attributes:
        part: which form of the page.
        at: what is wrong, for each field; the empty name is about all of it.
        wrote: what was written.
    """

    part: str = ""
    at: Mapping[str, str] = field(default_factory=dict)
    wrote: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, why: Mistakes, part: str, wrote: Mapping[str, str]) -> "Refused":
        return cls(part, why.at(), wrote)


NOTHING_REFUSED: Final = Refused()


async def written(request: Request) -> dict[str, str]:
    """Return the fields of a form; several boxes of one name stand together with commas between them."""
    async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
        fields: dict[str, str] = {}
        for name, value in form.multi_items():
            said = str(value)[:_LETTERS_MAX]
            fields[name] = f"{fields[name]},{said}" if name in fields else said
    return fields


Written = Annotated[dict[str, str], Depends(written)]


def number(said: str) -> int:
    """Return the number of a row that a form names; 0, which no row has, for anything else."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0


def facts(refused: Refused) -> dict[str, Any]:
    """Return what the macros of a form need."""
    return {"refused": refused}
