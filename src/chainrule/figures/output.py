"""Figures to files and to inline SVG: small, deterministic, and safe to put beside others in one page."""

from __future__ import annotations

import contextlib
import html
import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from chainrule._base.checks import check_choice

DOTS_PER_INCH = 180
FONTS = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` as PNG (180 dots an inch), SVG or PDF, chosen by the file name, and return the path.

    Raises:
        ArgumentError: the file name ends in none of these.

    Example:
        >>> import tempfile
        >>> from chainrule import figures
        >>> figure = figures.class_counts(["cat", "dog"], [5, 2])
        >>> figures.save(figure, Path(tempfile.mkdtemp()) / "counts.svg").name
        'counts.svg'
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    check_choice("the ending of the file name", kind, ("png", "svg", "pdf"), "figures.save")
    buffer = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}[kind]
    with _settings():
        figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    path.write_bytes(buffer.getvalue())
    return path


def svg(figure: Figure, *, prefix: str = "figure", title: str = "") -> str:
    """Return ``figure`` as one ``<svg>`` element to stand inside an HTML page.

    The same figure gives the same text in every process. Identifiers begin with ``prefix``, since they share one
    name space with the rest of the page; the style sheet that Matplotlib writes (which would reach the whole page)
    becomes attributes; words stay words, so they can be searched and read aloud.

    Args:
        figure: what a function of this package returned.
        prefix: letters, digits and hyphens; different for each figure of a page.
        title: what a screen reader says; plain text, escaped here.

    Example:
        >>> from chainrule import figures
        >>> figures.svg(figures.class_counts(["cat", "dog"], [5, 2]), title="Counts")[:25]
        '<svg role="img" aria-labe'
    """
    buffer = io.StringIO()
    with _settings():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r"<style\b.*?</style>", "", text, count=1, flags=re.DOTALL)
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)[0]
    head = (
        f'<svg role="img" aria-label="{html.escape(title)}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONTS}" stroke-linejoin="round" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return head + _compact(text[text.index(">") + 1 :], prefix)


def _compact(body: str, prefix: str) -> str:
    """Drop what only costs bytes; give the identifiers that are referred to the page-wide prefix."""
    used = set(re.findall(r'<[^>]*(?:url\(#|href="#)([^)"]+)', body))

    def shorten(tag: re.Match[str]) -> str:
        text = re.sub(r" ?font-family: [^;\"]*;?", "", tag[0])
        text = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", text)
        text = re.sub(r' id="([^"]*)"', lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", text)
        text = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", text)
        return re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", text)

    # Only tags are touched: between them stands the user's own text. XML escapes ">" inside attributes.
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<[^>]*>", shorten, body)).strip()


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Settings that Matplotlib reads only from its global table, set while rendering and put back."""
    wanted = {"svg.fonttype": "none", "svg.hashsalt": "chainrule", "pdf.fonttype": 42, "path.simplify": True}
    with mpl.rc_context(wanted), warnings.catch_warnings():  # type: ignore[arg-type]  # stub lists the keys
        # A class name in a script that the font lacks is drawn by the browser's own font.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield
