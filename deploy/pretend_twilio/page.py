"""What is on the phones of the street?  One page for the demo: the texts of each phone, and a box to answer."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from deploy.pretend_twilio import answers
from deploy.pretend_twilio.ledger import Direction, Status, Text

_LOCAL: Final = ZoneInfo("Europe/London")
_SHOWN_MAX: Final = 30

_BECAME: Final = {
    Status.ACCEPTED: "on its way",
    Status.QUEUED: "on its way",
    Status.SENT: "on its way",
    Status.DELIVERED: "arrived",
    Status.UNDELIVERED: "did not arrive",
    Status.FAILED: "could not be sent",
    Status.RECEIVED: "sent",
}

# Ink on its ground is 4.5:1 or better in both schemes; what is pressed is 48 px high.
_STYLE: Final = """
:root { color-scheme: light dark; --paper: #faf6ef; --surface: #fffdf9; --ink: #20292c; --soft: #535b5c;
  --line: #dcd1c0; --edge: #7d7467; --brand: #14545c; --on-brand: #fff; --out: #e2eaf5; --bad: #86270f; }
@media (prefers-color-scheme: dark) { :root { --paper: #151b1d; --surface: #1d2527; --ink: #f0ebe2;
  --soft: #b9bab4; --line: #3b4547; --edge: #8d948f; --brand: #86cdd0; --on-brand: #10292c; --out: #1c2c42;
  --bad: #ffc9b5; } }
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
header, main { max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.375rem; margin: 0; } h2 { font-size: 1.125rem; margin: 0; }
.pretend { border-left: 6px solid var(--brand); padding-left: 0.75rem; }
.soft { color: var(--soft); font-size: 0.9375rem; } p { margin: 0.25rem 0; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 0.625rem; padding: 1rem;
  display: flex; flex-direction: column; }
ol { list-style: none; margin: 0.75rem 0; padding: 0; flex: 1; }
li { border-radius: 0.625rem; padding: 0.5rem 0.75rem; margin: 0 0 0.5rem; max-width: 90%; width: fit-content;
  border: 1px solid var(--line); overflow-wrap: anywhere; white-space: pre-wrap; }
li.out { background: var(--out); margin-left: auto; }
li span { display: block; color: var(--soft); font-size: 0.9375rem; } li.bad span { color: var(--bad); }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; } label { width: 100%; font-weight: 600; }
input { flex: 1; min-width: 8rem; min-height: 3rem; font: inherit; padding: 0.5rem 0.75rem; color: inherit;
  background: var(--paper); border: 1px solid var(--edge); border-radius: 0.5rem; }
button { min-height: 3rem; font: inherit; font-weight: 650; padding: 0.5rem 1.25rem; border: 0;
  border-radius: 0.5rem; background: var(--brand); color: var(--on-brand); cursor: pointer; }
:focus-visible { outline: 3px solid #ffbf3d; outline-offset: 2px; box-shadow: 0 0 0 5px #20292c; }
a { color: var(--brand); }
"""

# Only the lists are renewed, so that nobody loses what they are writing.
_SCRIPT: Final = """
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", {cache: "no-store"});
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("ol")) {
      const old = document.getElementById(fresh.id);
      if (!old) { location.reload(); return; }
      if (old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
    }
  } catch (ignored) { /* The demo is stopping or starting again; the next look will tell. */ }
}, 2000);
"""


def anchor(phone: str) -> str:
    """Return the name of a phone's part of the page."""
    return "phone-" + "".join(letter for letter in phone if letter.isascii() and letter.isalnum())


def phones(named: Mapping[str, str], texts: Sequence[Text]) -> str:
    """Return the whole page: those named first, then any other number that was texted.

    Args:
        named: who has which number.
        texts: all of them, oldest first.
    """
    others = dict.fromkeys(text.sender if text.direction is Direction.IN else text.to for text in texts)
    known = {**named, **{phone: "Someone else" for phone in others if phone not in named}}
    parts = "\n".join(
        _phone(phone, who, [text for text in texts if phone in {text.sender, text.to}]) for phone, who in known.items()
    )
    return f"""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The street's phones (pretend)</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>The street's phones</h1>
<p class="pretend"><strong>All of this is pretend.</strong> No text leaves this computer, and nobody here is real.</p>
<p class="soft">New texts appear by themselves. If they do not, <a href="/">look again</a>.</p>
</header>
<main>
{parts or "<p>No phone has been texted yet.</p>"}
</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _phone(phone: str, who: str, texts: list[Text]) -> str:
    name = anchor(phone)
    shown = texts[-_SHOWN_MAX:]
    return f"""<section id="{name}" aria-labelledby="{name}-who">
<h2 id="{name}-who">{escape(who)}</h2>
<p class="soft">{escape(phone)}</p>
<ol id="{name}-texts" aria-live="polite">{"".join(_lines(shown))}</ol>
<form method="post" action="/phones/{quote(phone, safe="")}/answer">
<label for="{name}-body">Text from this phone</label>
<input id="{name}-body" name="body" maxlength="1600" autocomplete="off" placeholder="1 mine" required>
<button aria-label="Send from the phone of {escape(who)}">Send</button>
</form>
</section>"""


def _lines(texts: Iterable[Text]) -> Iterable[str]:
    for text in texts:
        at = text.created_at.astimezone(_LOCAL)
        is_out = text.direction is Direction.IN
        is_bad = bool(text.trouble) or text.status in {Status.UNDELIVERED, Status.FAILED}
        kind = " ".join(word for word, applies in (("out", is_out), ("bad", is_bad)) if applies)
        parts = answers.segments(text.body)
        became = text.trouble or _BECAME[text.status]
        code = f" ({text.error_code})" if text.error_code else ""
        size = "" if is_out else f", {parts} segment{'' if parts == 1 else 's'}"
        yield (
            f'<li class="{kind}">{escape(text.body)}'
            f'<span><time datetime="{at.isoformat()}">{at:%a %d %b %H:%M}</time>: '
            f"{escape(became)}{code}{size}</span></li>"
        )
