"""Texts in the report, with the words marked that an answer hangs on."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

_LONGEST = 700  # characters shown of one text
_FAINT = 0.12  # of the largest contribution; below, nothing is marked


@dataclass(frozen=True)
class MarkedText:
    """A text with an answer, and what each of its parts had to do with it.

    Args:
        text: the text; untrusted like every other.
        spans: begin, end and contribution of each part, in order; positive: it speaks for the answer.
        answer: the class that was answered.
        probability: the probability it was given.
        truth: the true class, if it is known.
        where: where the text stands, in words.
    """

    text: str
    spans: Sequence[tuple[int, int, float]] = field(repr=False)
    answer: str = ""
    probability: float = math.nan
    truth: str | None = None
    where: str = ""


def marked_texts(texts: Sequence[MarkedText]) -> str:
    """The texts as HTML, every character of them escaped, wrong answers before right ones; empty without texts.

    Example:
        >>> page = marked_texts([MarkedText("no <b>", [(0, 2, 0.5), (3, 6, -0.01)], "bad", 0.9, "good", "line 7")])
        >>> '<mark class="for"' in page, "no</mark> &lt;b&gt;" in page
        (True, True)
    """
    if not texts:
        return ""
    wrong = [text for text in texts if text.truth is not None and text.truth != text.answer]
    others = [text for text in texts if text not in wrong]
    return (
        '<p class="soft">In the texts below: without a word <mark class="for" style="--part:70%">marked so</mark> the '
        'answer would be less sure; without one <mark class="against" style="--part:70%">marked so</mark>, surer. The '
        "stronger the colour, the larger the change.</p>\n"
        + _group("Most wrong answers", wrong)
        + _group("Surest right answers" if all(text.truth for text in others) else "Answers", others)
    )


def marked(text: MarkedText) -> str:
    """One text as escaped HTML with its marks."""
    strength = max((abs(value) for *_, value in text.spans if math.isfinite(value)), default=0.0)
    parts, at = [], 0
    for begin, end, value in text.spans:
        if begin >= _LONGEST:
            break
        parts.append(_plain(text.text[at:begin]))
        word = _plain(text.text[begin:end])
        part = abs(value) / strength if strength and math.isfinite(value) else 0.0
        if part < _FAINT:
            parts.append(word)
        else:
            kind = "for" if value > 0 else "against"
            parts.append(
                f'<mark class="{kind}" style="--part:{10 + 70 * part:.0f}%" title="{value:+.2f}">{word}</mark>'
            )
        at = end
    rest = text.text[at:]
    parts.append(_plain(rest[: max(_LONGEST - at, 0)]) + (" …" if len(rest) > max(_LONGEST - at, 0) else ""))
    return "".join(parts)


def _group(heading: str, texts: Sequence[MarkedText]) -> str:
    if not texts:
        return ""
    return f"<h3>{heading}</h3>\n" + '<ul class="texts">\n' + "\n".join(map(_item, texts)) + "\n</ul>\n"


def _item(text: MarkedText) -> str:
    sure = f" ({text.probability:.0%})" if math.isfinite(text.probability) else ""
    truth = "" if text.truth is None else f", truly <b>{_plain(text.truth)}</b>"
    where = f'<span class="soft"> · {_plain(text.where)}</span>' if text.where else ""
    return f"<li><p>{marked(text)}</p>\n<p>answered <b>{_plain(text.answer)}</b>{sure}{truth}{where}</p></li>"


def _plain(text: str) -> str:
    """Escaped, with a sign in place of characters that cannot be seen and might turn the line round."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "\u25a1" for c in text)
    return html.escape(shown, quote=True)
