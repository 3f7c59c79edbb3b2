"""Has a table of a file the shape that its struct asks for?  Every mistake with where it stands, not only the first.

msgspec stops at the first thing that is wrong; whoever writes a file wants to mend all of it at once.  So a struct is
taken field by field, and a list of structs one by one; what stands in a field is msgspec's to check.
"""

import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class Shapeless(Exception):
    """Something has not the shape that it should have.

    Attributes:
        mistakes: one sentence each, with where it stands.
    """

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


def struct_of(kind: type[T], said: object) -> T:
    """Return a struct made of a table as a file has it.

    Raises:
        Shapeless: with everything that is wrong.
    """
    mistakes = list(_mistakes(kind, said, ""))
    if mistakes:
        raise Shapeless(mistakes)
    return msgspec.convert(said, kind)


def _mistakes(kind: type[msgspec.Struct], said: object, where: str) -> Iterator[str]:
    at = f" - at `{where}`" if where else ""
    if not isinstance(said, Mapping):
        yield f"a table is expected here{at}"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    yield from (f"unknown field `{name}`{at}" for name in said if name not in fields)
    for name, field in fields.items():
        if name in said:
            yield from _mistakes_in(field.type, said[name], f"{where}.{name}" if where else name)
        elif field.required:
            yield f"missing required field `{name}`{at}"


def _mistakes_in(kind: Any, said: object, where: str) -> Iterator[str]:  # noqa: ANN401 - what a field's type may be
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _mistakes(kind, said, where)
        return
    inner = typing.get_args(kind)[:1] if typing.get_origin(kind) is tuple else ()
    if inner and isinstance(inner[0], type) and issubclass(inner[0], msgspec.Struct) and isinstance(said, list):
        for number, one in enumerate(said):
            yield from _mistakes(inner[0], one, f"{where}[{number}]")
        return
    try:
        msgspec.convert(said, kind)
    except msgspec.ValidationError as why:
        sentence, _, deeper = str(why).partition(" - at `$")
        if (words := _described(kind)) and "matching regex" in sentence:
            sentence = f"expected {words}, got {said!r}"
        yield f"{sentence[:1].lower()}{sentence[1:]} - at `{where}{deeper.rstrip('`')}`"


def _described(kind: Any) -> str | None:  # noqa: ANN401 - as above
    """Return in words what a field takes, where its type says it."""
    metas = (meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta))
    return next((meta.description for meta in metas if meta.description), None)
