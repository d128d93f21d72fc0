"""The text task: from texts with classes to a trained, judged and saved classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.wording import counted
from chainrule.data import Split, Table, Target, infer_schema, read_target
from chainrule.data.prepare.tokenize import Encoded
from chainrule.data.prepare.tokenize_phrases import LONGEST_PHRASE
from chainrule.data.sources.text import Texts, read_texts
from chainrule.models import Model
from chainrule.tasks.labelled import Job, LabelledRun, Options, divide, fit_labelled
from chainrule.tasks.provenance import source_path
from chainrule.tasks.text.baseline import fit_tf_idf
from chainrule.tasks.text.leaks import copies, deciding_tokens
from chainrule.tasks.text.network import build_network, compile_network, start_bag
from chainrule.tasks.text.page import word_figures, wrong_texts
from chainrule.tasks.text.preparation import TextPreparation, fit_preparation, shown_of
from chainrule.tasks.text.settings import TextSettings, default_settings
from chainrule.tasks.watched import Listener

OWNER = "fit_text"
_FEW_TOKENS = 3  # a text on average; fewer words of many characters are no words
_LONG_TOKENS = 12  # characters of a word on average above which words are not parted by blanks


def fit_text(  # noqa: PLR0913 - the one door of the task: every option has its name here
    source: Any,  # Any: a path, several paths, a Table, or a data frame of any library
    *,
    target: str | None = None,
    text: str | None = None,
    level: str = "word",
    run: str | Path | None = None,
    seed: int = 0,
    epochs: int | None = None,
    batch_size: int | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    balance: str = "none",
    early_stop: bool = True,
    settings: Mapping[str, Any] | None = None,  # Any: values of TextSettings's fields
    report: bool = True,
    verbose: int = 1,
    callbacks: Sequence[Listener] = (),
    command: str | None = None,
    encoding: str = "utf-8",
) -> LabelledRun:
    """Read texts with classes, train a network that tells the classes apart, judge it, and save everything.

    Texts are divided first; equal ones (but for case, blanks and punctuation) stay on one side. Words, their numbers,
    the padded length and the phrases are learned from the training texts alone and saved with the model.

    Args:
        source: a table with a column of texts and one of classes; a folder with a plain file of one text a line, or a
            folder of ``.txt`` files, for each class; see :func:`chainrule.data.sources.text.read_texts`.
        target: the column of classes of a table, or a comparison (``"stars>3"``).
        text: the column of texts, if it is not the only one with running text.
        level: ``"word"`` or ``"char"``.
        run: folder to write; default ``runs/<data>-<time>``.
        seed: decides the split, the initial weights, the order of texts and dropout.
        epochs: passes over the training texts, at most.
        batch_size: texts of one step.
        validation: share of the texts that decides when to stop.
        test: share of the texts that judges, once.
        balance: ``"none"``, ``"weights"``, ``"undersample"`` or ``"oversample"``.
        early_stop: stop when the validation loss no longer falls.
        settings: other hyperparameters than those of :func:`chainrule.tasks.text.default_settings`.
        report: whether to write ``report.html``.
        verbose: 0 is silent.
        callbacks: further listeners of the training.
        command: how the run was started, for the report.
        encoding: of plain files.

    Raises:
        DataError: the source cannot be used; names the file and the line.
        ArgumentError: an option has a value it must not have.

    Example:
        >>> import tempfile
        >>> rows = {"text": ["so fine", "so dull", "fine film", "dull film"] * 10, "label": ["good", "bad"] * 20}
        >>> rows["text"] = [f"{text} number {place}" for place, text in enumerate(rows["text"])]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = fit_text(rows, target="label", run=folder, epochs=9, settings={"model": "bag"}, verbose=0)
        ...     run.metrics["accuracy"], run.predict(["so fine", "dull film"])["predicted label"].to_list()
        (1.0, ['good', 'bad'])
    """
    chosen = dict(settings or {}) | {"level": (settings or {}).get("level", level)}
    chosen |= {name: value for name, value in (("epochs", epochs), ("batch_size", batch_size)) if value is not None}
    config = default_settings(str(chosen["level"])).replaced(chosen)
    options = Options(
        OWNER, run, seed, validation, test, balance, early_stop, report, verbose, tuple(callbacks), command
    )
    texts = read_texts(source, text=text, target=target, encoding=encoding).without_empty()
    return fit_labelled(make_job(texts, target, config, options, path=source_path(source), encoding=encoding), options)


def make_job(
    texts: Texts, target: str | None, settings: TextSettings, options: Options, *, path: Path | None, encoding: str
) -> Job:
    """Texts made ready to be learned from; everything fitted here has seen training texts only."""
    wanted = _target(texts, target)
    texts = texts.take(wanted.rows)
    labels, classes = wanted.values.astype(np.int32), wanted.classes
    source, values = texts.table.source, texts.values
    parts, findings = divide(labels, classes, options, source=source, units=copies(values), given=texts.parts)
    is_table = target is not None
    place = _place(texts, wanted) if is_table else {}
    preparation, inputs, encoded = _fitted(values, parts, settings, encoding=encoding, **place)
    model = _network(settings, preparation, len(classes), seed=options.seed)
    if settings.has_bag:
        start_bag(model, inputs[parts.train], labels[parts.train])
    findings += deciding_tokens(inputs[parts.train, 0], labels[parts.train], classes, preparation.tokenizer)
    return Job(
        kind="text",
        unit=("text", "texts"),
        source=source,
        path=path,
        target=wanted.encoder.expression or wanted.encoder.columns[0],
        classes=classes,
        inputs=inputs,
        labels=labels,
        shown=shown_of(texts, preparation.identifiers),
        split=parts,
        model=model,
        settings=settings,
        preparation=preparation,
        baseline=_baseline(inputs, labels, preparation.phrases.size, len(classes)),
        baseline_is=f"logistic regression on TF-IDF of {preparation.unit} and phrases",
        notes=(*texts.notes, *wanted.notes, *_words(texts, preparation, encoded.lengths, parts, settings)),
        findings=findings,
        figures=lambda _judgement, _trained: word_figures(values, parts, classes, preparation, model),
        texts=lambda judgement: wrong_texts(judgement, texts, classes, preparation, model),
        bigger=f"--set embedding={2 * settings.embedding} --set phrases={min(settings.phrases + 1, LONGEST_PHRASE)}",
        smaller=f"--set embedding={max(4, settings.embedding // 4)} --set dropout={max(settings.dropout, 0.7):g}",
        example="new.csv" if is_table else "new.txt",
        options=("--task", "text", *(("--target", str(target)) if is_table else ())),
    )


def _target(texts: Texts, target: str | None) -> Target:
    if target is None and texts.target is None:
        raise ArgumentError(
            f"{OWNER}: target must name the column of classes; received none, and {texts.table.source!r} is no folder "
            "whose files say them. Add target='label' (--target label)."
        )
    wanted = read_target(texts.table, str(target or texts.target), num_left_out=texts.num_left_out)
    if wanted.task in ("binary", "multiclass"):
        return wanted
    raise DataError(
        f"{texts.table.source}: the target {target!r} must hold classes for the text task; {wanted.reason}. Choose "
        f"another target, or make classes of it with a comparison such as '{target}>0'."
    )


def _place(texts: Texts, wanted: Target) -> dict[str, Any]:  # Any: fields of TextPreparation
    """Where in a table texts and classes stand, and which columns name its rows."""
    encoder = wanted.encoder
    others = texts.table.frame.drop(texts.text, encoder.columns[0])
    identifiers = infer_schema(Table(others, texts.table.source)).of_kind("identifier") if others.width else ()
    return {
        "text": texts.text,
        "target": encoder.columns[0],
        "expression": encoder.expression,
        "identifiers": identifiers,
    }


def _fitted(
    values: pl.Series,
    parts: Split,
    settings: TextSettings,
    **place: Any,  # Any: fields of TextPreparation
) -> tuple[TextPreparation, np.ndarray, Encoded]:
    """The preparation learned from the training texts, with all texts as the network takes them."""
    preparation = fit_preparation(values[parts.train], settings, **place)
    inputs, encoded = preparation.encode(values)
    held = parts.validation
    unknown = float(encoded.unknown[held].sum() / max(int(encoded.lengths[held].sum()), 1))
    return replace(preparation, unknown=unknown), inputs, encoded


def _network(settings: TextSettings, preparation: TextPreparation, num_classes: int, *, seed: int) -> Model:
    num_tokens, size = preparation.tokenizer.size, preparation.phrases.size
    model = build_network(settings, num_tokens, size - num_tokens, num_classes, seed=seed)
    compile_network(model, settings)
    return model


def _baseline(
    inputs: np.ndarray, labels: np.ndarray, size: int, num_classes: int
) -> Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        answer = fit_tf_idf(inputs[rows], labels[rows], size, num_classes)
        return lambda asked: answer(inputs[asked])

    return fit


def _words(
    texts: Texts, preparation: TextPreparation, lengths: np.ndarray, parts: Split, settings: TextSettings
) -> list[str]:
    """What was found, and what will be done."""
    unit, tokenizer = preparation.unit, preparation.tokenizer
    num_cut = int((lengths > tokenizer.length).sum())
    cut = f" {counted(num_cut, 'longer text is', 'longer texts are')} cut (--set max_length=N)." if num_cut else ""
    covered = float((lengths[parts.train] <= tokenizer.length).mean())
    beside = ", beside a bag of words and phrases" if settings.has_bag and settings.model != "bag" else ""
    read = {"cnn": f"windows of {settings.windows} {unit}", "lstm": "an LSTM both ways", "average": "averaged vectors"}
    lines = [
        f"{texts.table.source}: {counted(len(texts), 'text', 'texts')}, {np.median(lengths):,.0f} {unit} each in the "
        f"middle, {lengths.max():,} at most.",
        f"Vocabulary: {len(tokenizer.vocabulary):,} {unit} and {preparation.phrases.size - tokenizer.size:,} phrases "
        f"of the training texts; {preparation.unknown:.1%} of the {unit} of the validation texts are not among them.",
        f"Every text is padded to {tokenizer.length} {unit}, enough for {_percent(covered)} of the training texts, so "
        f"that one length is compiled.{cut}",
        f"Network: {read.get(settings.model, 'a bag of words and phrases')}{beside}.",
        "Loss: cross_entropy (classes that exclude each other); judged by accuracy.",
    ]
    if settings.level == "word":
        characters = float(texts.values[parts.train].str.len_chars().mean() or 0)  # type: ignore[arg-type]  # a number
        tokens = max(float(lengths[parts.train].mean()), 1e-9)
        if characters / tokens > _LONG_TOKENS or (tokens < _FEW_TOKENS and preparation.unknown > 0.5):
            lines.append("Words are not parted by blanks here, it seems: try --set level=char.")
    return lines


def _percent(share: float) -> str:
    """A share in whole percents, rounded down, so that only all are 100 %."""
    return f"{int(100 * share)} %"
