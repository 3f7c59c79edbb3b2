"""Every answer is counted by its kind, also the one that never came."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.measured import REQUESTS, Measured


async def _asked(status: int | None) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        if status is None:
            raise RuntimeError("a mistake of ours")
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def send(_: Message) -> None: ...

    async def receive() -> Message:
        return {"type": "http.request"}

    await Measured(app)({"type": "http", "path": "/homes/rose-cottage"}, receive, send)


def _counted() -> dict[str, float]:
    samples = [sample for metric in REQUESTS.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return {sample.labels["answer"]: sample.value for sample in samples}


@pytest.mark.parametrize(("status", "answer"), [(200, "2xx"), (303, "3xx"), (404, "4xx"), (503, "5xx")])
async def test_an_answer_is_counted_by_its_kind_alone(status: int, answer: str) -> None:
    """A label with a path would put homes into graphs."""
    before = _counted().get(answer, 0)

    await _asked(status)

    assert _counted()[answer] == before + 1
    assert set(_counted()) <= {"2xx", "3xx", "4xx", "5xx"}


async def test_a_request_that_ends_without_an_answer_is_one_of_ours_to_mend() -> None:
    """A mistake that nobody counts is one that nobody mends."""
    before = _counted().get("5xx", 0)

    with pytest.raises(RuntimeError):
        await _asked(None)

    assert _counted()["5xx"] == before + 1
