"""Measure scores and times and write them to ``docs/results.md``.

    python scripts/results.py --data DIR [--only heart breast_cancer] [--seeds N]     scores and times
    python scripts/results.py --times                                                 times alone
    python scripts/results.py --data DIR --images [--only fashion_mnist] [--seeds N]  images: scores and minutes
    python scripts/results.py --data DIR --texts [--only rotten_tomatoes] [--seeds N] texts: scores and seconds

Each data set is split, trained and judged once per seed; a seed decides the split, the weights and the order of rows.
The baselines are scored on the same test rows. ``DIR`` holds the tables that the package does not ship:
``california_housing/housing.csv``, ``mammography/mammography.csv`` and ``titanic/titanic3.csv``; a set whose file is
not there is left out, and said so. For ``--images`` they are the folders ``fashion_mnist`` (four IDX files) and
``cifar10_small`` (``train.zip`` and ``test.zip`` of class folders), whose test images are those of their makers. For
``--texts`` they are ``rotten_tomatoes`` (a plain file of one text a line for each class) and ``sst2`` (``train.tsv``
and ``test.tsv``).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.datasets import load_breast_cancer

from chainrule import datasets
from chainrule.cli.cache import enable_cache
from chainrule.tasks import fit_images, fit_table, fit_text

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
REPEATS = 5


@dataclass(frozen=True)
class Case:
    """A data set, what is asked of it, and the figure to reach."""

    name: str
    target: str
    metric: str
    goal: float
    seeds: int
    file: str | None = None
    drop: tuple[str, ...] = ()

    @property
    def sign(self) -> str:
        """How the goal reads."""
        return "≤" if self.metric == "rmse" else "≥"


CASES = (
    Case("heart", "disease", "roc_auc", 0.89, 10),
    Case("breast_cancer", "target", "roc_auc", 0.985, 10),
    Case("titanic", "survived", "roc_auc", 0.84, 5, "titanic/titanic3.csv", ("boat", "body")),
    Case("mammography", "class", "average_precision", 0.65, 5, "mammography/mammography.csv"),
    Case("california_housing", "median_house_value", "rmse", 52_000, 3, "california_housing/housing.csv"),
)


@dataclass(frozen=True)
class ImageCase:
    """A set of images, the accuracy to reach and the minutes to reach it in."""

    name: str
    goal: float
    minutes: float
    seeds: int = 1


@dataclass(frozen=True)
class TextCase:
    """A set of texts and the accuracy to reach, if there is one."""

    name: str
    goal: float | None
    seeds: int = 3
    train: str = ""
    test: str | None = None
    columns: tuple[str, str] | None = None


TEXT_CASES = (
    TextCase("rotten_tomatoes", 0.77),
    TextCase("sst2", None, train="train.tsv", test="test.tsv", columns=("c1", "c2")),
)
IMAGE_CASES = (ImageCase("fashion_mnist", 0.92, 10), ImageCase("cifar10_small", 0.68, 20))


def source(case: Case, folder: Path, scratch: Path) -> Path | None:
    """The file of a case, or ``None`` if it is not there."""
    if case.name == "heart":
        return datasets.path("heart.csv")
    if case.name == "breast_cancer":
        data = load_breast_cancer()
        columns = {str(name): data.data[:, i] for i, name in enumerate(data.feature_names)}
        pl.DataFrame({**columns, "target": data.target}).write_csv(scratch / "breast_cancer.csv")
        return scratch / "breast_cancer.csv"
    path = folder / str(case.file)
    return path if path.exists() else None


def measure(case: Case, path: Path, seeds: int, scratch: Path) -> str:
    """One row of the table."""
    ours, linear, seconds = [], [], []
    for seed in range(seeds):
        began = time.perf_counter()
        run = fit_table(
            path, case.target, run=scratch / f"{case.name}-{seed}", seed=seed, drop=case.drop, verbose=0, report=False
        )
        seconds.append(time.perf_counter() - began)
        ours.append(run.metrics[case.metric])
        linear.append(run.baselines["linear"][case.metric])
        print(f"{case.name} seed {seed}: {ours[-1]:.4f}, linear {linear[-1]:.4f}, {seconds[-1]:.1f} s", flush=True)
    reached = np.mean(ours) <= case.goal if case.metric == "rmse" else np.mean(ours) >= case.goal
    cells = [
        case.name, case.metric, str(seeds), spread(ours), f"{case.sign} {shown(case.goal)}", "yes" if reached else "no",
        spread(linear), f"{np.median(seconds):.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def measure_images(case: ImageCase, path: Path, seeds: int, scratch: Path) -> str:
    """One row of the table of images."""
    ours, linear, minutes = [], [], []
    for seed in range(seeds):
        began = time.perf_counter()
        run = fit_images(path, run=scratch / f"{case.name}-{seed}", seed=seed, verbose=0, report=False)
        minutes.append((time.perf_counter() - began) / 60)
        ours.append(run.metrics["accuracy"])
        linear.append(run.baselines["linear"]["accuracy"])
        print(f"{case.name} seed {seed}: {ours[-1]:.4f}, {minutes[-1]:.1f} minutes", flush=True)
    reached = np.mean(ours) >= case.goal and max(minutes) <= case.minutes
    cells = [
        case.name, str(seeds), spread(ours), f"≥ {case.goal} within {case.minutes:g} minutes",
        "yes" if reached else "no", spread(linear), f"{np.median(minutes):.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def measure_texts(case: TextCase, folder: Path, seeds: int, scratch: Path) -> str:
    """One row of the table of texts: a tenth of the texts is held back to choose the epoch, another one to judge."""
    ours, linear, seconds = [], [], []
    text, target = case.columns or (None, None)
    for seed in range(seeds):
        began = time.perf_counter()
        run = fit_text(
            folder / case.train, text=text, target=target, run=scratch / f"{case.name}-{seed}", seed=seed,
            validation=0.1, test=0.1, verbose=0, report=False,
        )  # fmt: skip
        seconds.append(time.perf_counter() - began)
        judged = run.metrics if case.test is None else run.evaluate(folder / case.test)
        ours.append(judged["accuracy"])
        linear.append(run.baselines["linear"]["accuracy"])
        print(f"{case.name} seed {seed}: {ours[-1]:.4f}, linear {linear[-1]:.4f}, {seconds[-1]:.0f} s", flush=True)
    goal = "" if case.goal is None else f"≥ {case.goal}"
    reached = "" if case.goal is None else "yes" if np.mean(ours) >= case.goal else "no"
    judged_on = "a tenth, 90/10" if case.test is None else f"`{case.test}`"
    beside = spread(linear) if case.test is None else ""
    cells = [case.name, judged_on, str(seeds), spread(ours), goal, reached, beside, f"{np.median(seconds):.0f}"]
    return "| " + " | ".join(cells) + " |"


def spread(values: list[float]) -> str:
    """Mean ± standard deviation, or the one value."""
    spread = f" ± {shown(float(np.std(values)))}" if len(values) > 1 else ""
    return shown(float(np.mean(values))) + spread


def shown(value: float) -> str:
    """Four decimals, or whole numbers for large ones."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def process_seconds(scratch: Path) -> list[str]:
    """Wall times of whole processes: ``chainrule fit`` on the heart table, and the import."""
    fits = []
    for number in range(REPEATS + 1):
        command = [sys.executable, "-m", "chainrule.cli", "fit", str(datasets.path("heart.csv")), "-t", "disease", "-q"]
        began = time.perf_counter()
        subprocess.run([*command, "--run", str(scratch / f"timed-{number}")], check=True, stdout=subprocess.DEVNULL)
        fits.append(time.perf_counter() - began)
    code = "import time, jax; began = time.perf_counter(); import chainrule; print(time.perf_counter() - began)"
    imports = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
        for _ in range(REPEATS)
    ]
    first, rest = fits[0], sorted(fits[1:])
    return [
        f"| `chainrule fit heart.csv --target disease`, whole process, report included | {rest[0]:.1f} s | "
        f"{rest[len(rest) // 2]:.1f} s | {rest[-1]:.1f} s | {first:.1f} s |",
        f"| `import chainrule`, over `import jax` | {min(imports):.2f} s | {sorted(imports)[REPEATS // 2]:.2f} s | "
        f"{max(imports):.2f} s | |",
    ]


def table_section(rows: list[str]) -> list[str]:
    """The scores, as lines of the page."""
    return [
        "## Tables, default settings",
        "",
        "Mean ± standard deviation over seeds; a seed decides the split (60/20/20), the weights and the order of "
        "rows. Default settings, nothing tuned per data set. Baseline: linear or logistic regression on the same "
        "test rows. The default rule was chosen by validation scores on these five tables, never by test scores.",
        "",
        "| data set | metric on test rows | seeds | chainrule | goal | reached | linear baseline | seconds a run |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Made by `python scripts/results.py --data DIR`.",
    ]


def time_section(rows: list[str]) -> list[str]:
    """The times, as lines of the page."""
    return [
        f"## Times on {os.cpu_count()} CPU cores",
        "",
        f"Over {REPEATS} repeats; the first `fit` of a machine compiles and fills the compilation cache.",
        "",
        "| | best | median | worst | first |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "Made by `python scripts/results.py --times`.",
    ]


def image_section(rows: list[str]) -> list[str]:
    """The scores on images, as lines of the page."""
    return [
        f"## Images, default settings, {os.cpu_count()} CPU cores",
        "",
        "Accuracy (mean ± standard deviation over several seeds) on the makers' own test images, which are opened "
        "once; a tenth of the training images is held back to choose the epoch. Minutes count "
        "everything: reading, training, baselines, judging. Baseline: logistic regression on the pixels.",
        "",
        "| data set | seeds | test accuracy | goal | reached | linear baseline | minutes a run |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Made by `python scripts/results.py --data DIR --images`.",
    ]


def text_section(rows: list[str]) -> list[str]:
    """The scores on texts, as lines of the page."""
    return [
        f"## Texts, default settings, {os.cpu_count()} CPU cores",
        "",
        "Accuracy, mean ± standard deviation over seeds; a seed decides the split (80/10/10: the validation tenth only "
        "chooses the epoch), the weights and the order of texts. No vectors from elsewhere. Settings were chosen by "
        "validation scores on rotten_tomatoes; sst2 was not looked at before, but most of its sentences are the same. "
        "Baseline: logistic regression on TF-IDF of words and pairs, on the same test texts.",
        "",
        "| data set | judged on | seeds | test accuracy | goal | reached | linear baseline | seconds a run |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Made by `python scripts/results.py --data DIR --texts`.",
    ]


def merged(name: str, rows: list[str], cases: Sequence[Any]) -> list[str]:
    """The new rows and, for sets not measured this time, those that stand on the page, in the order of the cases."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"<!-- begin: {name} -->")
    standing = section.partition(f"<!-- end: {name} -->")[0].splitlines()
    by_set = {line.split("|")[1].strip(): line for line in (*standing, *rows) if line.startswith("| ")}
    return [by_set[case.name] for case in cases if case.name in by_set]


def write(name: str, lines: list[str]) -> None:
    """Put a section between its marks in ``docs/results.md``; the rest of the page stays."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    text = "\n".join([begin, *lines, end])
    page = PAGE.read_text(encoding="utf-8")
    if begin in page and end in page:
        page = page[: page.index(begin)] + text + page[page.index(end) + len(end) :]
    else:
        page = page.rstrip() + "\n\n" + text + "\n"
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the tables not shipped")
    every = [case.name for case in (*CASES, *IMAGE_CASES, *TEXT_CASES)]
    parser.add_argument("--only", nargs="*", default=every, help="names of data sets")
    parser.add_argument("--images", action="store_true", help="measure the sets of images")
    parser.add_argument("--texts", action="store_true", help="measure the sets of texts")
    parser.add_argument("--seeds", type=int, help="seeds of every data set instead of its own number")
    parser.add_argument("--times", action="store_true", help="measure the times alone")
    arguments = parser.parse_args()
    enable_cache()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if arguments.images:
            write("images", image_section(merged("images", all_images(arguments, scratch), IMAGE_CASES)))
            return
        if arguments.texts:
            write("texts", text_section(merged("texts", all_texts(arguments, scratch), TEXT_CASES)))
            return
        rows = [] if arguments.times else measure_all(arguments, scratch)
        if rows:
            write("scores", table_section(merged("scores", rows, CASES)))
        times = process_seconds(scratch)
        write("times", time_section(times))
    print("\n".join([*rows, *times]))


def measure_all(arguments: argparse.Namespace, scratch: Path) -> list[str]:
    """A row for each data set that is asked for and there."""
    rows = []
    for case in CASES:
        path = source(case, arguments.data, scratch) if case.name in arguments.only else None
        if path is None:
            print(f"{case.name}: left out", flush=True)
            continue
        rows.append(measure(case, path, arguments.seeds or case.seeds, scratch))
    return rows


def all_images(arguments: argparse.Namespace, scratch: Path) -> list[str]:
    """A row for each set of images that is asked for and there."""
    rows = []
    for case in IMAGE_CASES:
        path = arguments.data / case.name
        if case.name not in arguments.only or not path.is_dir():
            print(f"{case.name}: left out", flush=True)
            continue
        rows.append(measure_images(case, path, arguments.seeds or case.seeds, scratch))
    return rows


def all_texts(arguments: argparse.Namespace, scratch: Path) -> list[str]:
    """A row for each set of texts that is asked for and there."""
    rows = []
    for case in TEXT_CASES:
        folder = arguments.data / case.name
        if case.name not in arguments.only or not folder.is_dir():
            print(f"{case.name}: left out", flush=True)
            continue
        rows.append(measure_texts(case, folder, arguments.seeds or case.seeds, scratch))
    return rows


if __name__ == "__main__":
    main()
