"""The kernels' table as Markdown."""

from typing import Any

Data = dict[str, Any]  # Any: plain JSON values
_HEAD = """## Single operations

`python -m benchmarks.kernels`, {repeats} times each, frameworks in turn, tuned allocator; {date}. chainrule's time is
that of `chainrule.ops`; the last two columns are the other's time divided by it, above 1 chainrule is faster. PyTorch
runs oneDNN with channels last. GFLOP/s are those of the textbook's algorithm, so that Winograd's can exceed the peak
(multiply-adds in registers), which is measured before and after each time. Before a time counts, sums over the results
are compared.

| operation | pass | chainrule | GFLOP/s | peak share | PyTorch | lax |
|---|---|---|---|---|---|---|
"""


def as_text(kernels: Data) -> str:
    """Heading and table."""
    head = _HEAD.format(repeats=kernels["repeats"], date=kernels["date"])
    return head + "\n".join(map(line, kernels["rows"])) + "\n"


def line(row: Data) -> str:
    """One pass of one operation.

    Example:
        >>> row = {"title": "LSTM", "pass": "forward", "flops": 4e9, "share": 0.5, "seconds": {"chainrule": 0.02}}
        >>> line(row)
        '| LSTM | forward | 20.00 ms | 200 | 50% | – | – |'
    """
    seconds = row["seconds"]
    ours = seconds["chainrule"]
    speed = row["flops"] / ours
    others = [f"{seconds[name] / ours:.2f}" if name in seconds else "–" for name in ("PyTorch", "lax")]
    share = f"{row['share']:.0%}" if speed else "–"
    cells = [row["title"], row["pass"], f"{ours * 1e3:.2f} ms", f"{speed / 1e9:.0f}" if speed else "–", share, *others]
    return f"| {' | '.join(cells)} |"
