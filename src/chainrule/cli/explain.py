"""``chainrule explain``: what a run's model relies on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from chainrule import figures
from chainrule._base.errors import ArgumentError
from chainrule.cli.literal import is_literal
from chainrule.cli.on_bad import ON_BAD, bad_option
from chainrule.cli.output import bold, print_json, say, table
from chainrule.models import summarize
from chainrule.tasks import FinishedRun, LabelledPredictor, load_run
from chainrule.tasks.images.figures import occlusion_sheet
from chainrule.tasks.images.occlusion import occlusion
from chainrule.tasks.text import Explained, explain_source
from chainrule.tasks.words import model_names, printable, shown, worsening

_MISTAKES = 10
_WORDS = 20
_IMAGES = 12
_TEXTS = 5
_EXAMPLE = """\b
Example:
  chainrule explain runs/heart-20260101-120000
  chainrule explain runs/reviews-20260101-120000 "a slow start, but worth it"
  chainrule explain runs/reviews-20260101-120000 new.csv
  chainrule explain runs/pets-20260101-120000 cat.jpg -o why.png
"""


@click.command(epilog=_EXAMPLE, short_help="Show what a model relies on.")
@click.argument("run", type=click.Path())
@click.argument("example", required=False)
@click.option("--output", "-o", metavar="OUT", help="Images: PNG, SVG or PDF file that shows where the model looks.")
@ON_BAD
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def explain(run: str, example: str | None, output: str | None, on_bad: str | None, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Show which columns the model of RUN relies on, the linear model's coefficients, and the layers.

    For images and texts, show how well each class is found, which classes are taken for which, and the layers. With
    EXAMPLE, show one answer: for a text (or the first texts of a file or folder), how much each word had to do with it;
    for an image (or a folder of some), how much less sure the model is when a spot is covered, drawn into OUT.

    Importance is how much worse the answers on validation rows get when a column's values are shuffled. It says what
    this model relies on, not what causes the outcome.
    """
    loaded = load_run(run)
    facts = loaded.facts
    if output is not None and (example is None or facts.get("kind") != "images"):
        raise ArgumentError("--output: is for an image of a model of images; name the image. Leave it out otherwise.")
    if example is not None:
        _explain_example(loaded, example, output, as_json=as_json, **bad_option(loaded, on_bad))
        return
    if as_json:
        kept = ("measure", "importance", "coefficients", "classes", "confusion")
        print_json({name: facts[name] for name in kept if name in facts})
        return
    if "classes" in facts:
        click.echo(_classes_text(facts))
    else:
        click.echo(_columns_text(facts))
    click.echo(f"\n{summarize(loaded.predictor.model.graph)}")


def _explain_example(
    loaded: FinishedRun, example: str, output: str | None, *, as_json: bool, on_bad: str = "error"
) -> None:
    predictor = loaded.predictor
    if not isinstance(predictor, LabelledPredictor):
        raise ArgumentError("EXAMPLE: must be left out for a model of tables; received one. Use predict.")
    if predictor.kind == "images":
        _explain_images(predictor, example, output, as_json=as_json, on_bad=on_bad)
    else:
        _explain_texts(predictor, [example] if is_literal(loaded, example) else example, as_json=as_json)


def _explain_images(
    predictor: LabelledPredictor, source: str, output: str | None, *, as_json: bool, on_bad: str
) -> None:
    prepared = predictor.prepare(source, on_bad=on_bad)
    for note in prepared.notes:
        say(f"note: {note}")
    found = [occlusion(predictor, image) for image in prepared.inputs[:_IMAGES]]
    names = prepared.shown["image"].to_list()
    if output is not None:
        figures.save(occlusion_sheet(found, predictor.classes), output)
    rows = [
        {"image": name, "answer": predictor.classes[one.answer], "probability": one.probability, "fall": one.heat.max()}
        for name, one in zip(names, found, strict=False)
    ]
    if as_json:
        print_json(rows)
        return
    shown_rows = [
        [printable(str(row["image"])), printable(str(row["answer"])), shown(row["probability"]), shown(row["fall"])]
        for row in rows
    ]
    click.echo(table(["image", "answer", "probability", "largest fall when a spot is covered"], shown_rows))
    if output is not None:
        click.echo(f"Where the model looks: {output}")


def _explain_texts(predictor: LabelledPredictor, source: str | list[str], *, as_json: bool) -> None:
    found, places = explain_source(predictor, source, most=_TEXTS)
    if len(places) > len(found):
        say(f"note: of {len(places):,} texts the first {len(found)} are shown.")
    entries = [_answered(predictor, one) for one in found]
    if as_json:
        named = [{"text": place, **entry} for place, entry in zip(places, entries, strict=False)]
        print_json(named if isinstance(source, str) else entries[0])
        return
    for place, one, entry in zip(places, found, entries, strict=False):
        listed = ", ".join(f"{printable(name)} {shown(p)}" for name, p in entry["probabilities"].items())
        head = f"{printable(place)}\n" if isinstance(source, str) else ""
        below = "" if one is found[-1] else "\n"
        click.echo(f"{head}Answer: {bold(printable(entry['answer']))} ({listed})\n\n{_words_text(one)}{below}")


def _answered(predictor: LabelledPredictor, explained: Explained) -> dict[str, Any]:  # Any: JSON values
    chances = {name: float(p) for name, p in zip(predictor.classes, explained.probabilities, strict=True)}
    answer = predictor.classes[explained.answer]
    return {"answer": answer, "probabilities": chances, "words": explained.words()}


def _words_text(explained: Explained) -> str:
    words = sorted(explained.words(), key=lambda entry: -abs(entry[1]))[:_WORDS]
    if not words:
        return "The text has no words: the answer says how frequent the classes are."
    rows = [[printable(word), f"{value:+.2f}"] for word, value in words]
    return table(["word", "log-odds of the answer with it, less those without it"], rows)


def _classes_text(facts: Mapping[str, Any]) -> str:  # Any: JSON values
    """How well each class is found, and the mistakes made most often, on the test part."""
    names = [found["class"] for found in facts["classes"]]
    rows = [
        [found["class"], f"{found['examples']:,}", shown(found["recall"]), shown(found["precision"])]
        for found in facts["classes"]
    ]
    mistakes = sorted(
        (
            (count, names[truth], names[answer])
            for truth, line in enumerate(facts["confusion"])
            for answer, count in enumerate(line)
            if truth != answer and count
        ),
        reverse=True,
    )[:_MISTAKES]
    lines = [table(["class", f"test {facts['examples']}", "recall", "precision"], rows)]
    if mistakes:
        lines += ["", "Most frequent mistakes:"]
        lines.append(table(["is", "taken for", facts["examples"]], [[a, b, f"{n:,}"] for n, a, b in mistakes]))
    return "\n".join(lines)


def _columns_text(facts: Mapping[str, Any]) -> str:  # Any: JSON values
    """What shuffling a column costs, and the linear model's coefficients."""
    lines = []
    if facts["importance"]:
        rows = [[name, shown(mean), shown(spread)] for name, mean, spread in facts["importance"]]
        lines.append(table(["column", worsening(facts["task"]), "±"], rows))
    linear = model_names(facts["task"])["linear"]
    if not facts["coefficients"]:
        lines.append(f"\nCoefficients of the {linear} are shown for a single output only; this model has several.")
    else:
        lines.append(f"\nCoefficients of the {linear} (standardised, 95 % interval):")
        lines.append(table(["feature", "coefficient", "from", "to"], [_row(item) for item in facts["coefficients"]]))
    return "\n".join(lines)


def _row(item: dict[str, Any]) -> list[str]:  # Any: JSON values
    return [item["feature"], shown(item["value"]), shown(item["low"]), shown(item["high"])]
