"""``fit_images``: from a folder, file or array of labelled images to a trained, judged and saved classifier."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule._base.wording import counted
from chainrule.data import Images, equal_images, read_images
from chainrule.losses import CrossEntropy
from chainrule.tasks.images.baseline import PixelBaseline
from chainrule.tasks.images.figures import report_figures
from chainrule.tasks.images.network import build_network, make_optimizer, reach
from chainrule.tasks.images.preparation import ImagePreparation, prepared
from chainrule.tasks.images.settings import ImageConfig, default_images_config
from chainrule.tasks.labelled import LEAST, Job, LabelledRun, Options, divide, fit_labelled
from chainrule.tasks.provenance import source_path
from chainrule.tasks.run_folder import check_free
from chainrule.tasks.watched import Listener

UNIT = ("image", "images")
_NAMED_CLASSES = 20


def fit_images(  # noqa: PLR0913 - the one door of the task: every option has its name here
    source: Any,  # Any: a path, or arrays in memory
    *,
    target: str | None = None,
    run: str | Path | None = None,
    seed: int = 0,
    size: tuple[int, int] | int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    validation: float = 0.1,
    test: float = 0.2,
    augment: str = "auto",
    balance: str = "none",
    early_stop: bool = True,
    on_bad: str = "error",
    cache: Path | None = None,
    settings: Mapping[str, Any] | None = None,  # Any: values of ImageConfig's fields
    report: bool = True,
    verbose: int = 1,
    callbacks: Sequence[Listener] = (),
    command: str | None = None,
) -> LabelledRun:
    """Read images, train a network on them, judge it beside simpler models, and save everything.

    Images stay bytes on the device; scaling and augmentation are layers of the network. Parts that the source gives
    (``train`` and ``test``) are kept; otherwise classes are dealt in equal shares, equal images to one side. The test
    images are opened once, at the end.

    Args:
        source: a folder with a subfolder for each class, a zip file of one, IDX files, ``.npz``, Parquet, or arrays;
            see :func:`chainrule.data.read_images`.
        target: for Parquet files, the column of the classes.
        run: folder to write, which must not hold anything; default ``runs/<data>-<time>``.
        seed: the one seed.
        size: height and width in pixels, or one number for both; see :func:`chainrule.data.read_images`.
        epochs: most passes over the training images.
        batch_size: images of one step.
        validation: share of the images that decides which epoch is kept.
        test: share of the images that judges, where the source gives no test images.
        augment: ``"auto"``, ``"none"``, ``"shift"``, ``"flip"`` or ``"strong"``; see :class:`ImageConfig`.
        balance: ``"none"``, ``"weights"``, ``"undersample"`` or ``"oversample"``.
        early_stop: stop when the validation loss no longer falls.
        on_bad: ``"skip"`` leaves out files that cannot be read and says how many.
        cache: folder for decoded images; see :func:`chainrule.data.read_images`.
        settings: hyperparameters that differ from the default rule; see :class:`ImageConfig`.
        report: whether to write ``report.html``.
        verbose: 0 is silent; 1 tells on stderr what is found and shows progress.
        callbacks: further listeners of the training.
        command: how the run was started, for the report.

    Returns:
        The run. If Ctrl-C ended the training, its status is ``interrupted``; the model of the best epoch so far is
        judged and saved like any other.

    Raises:
        DataError: an image cannot be read, or there are too few of a class; nothing has been written then.
        ArgumentError: an option has a value it must not have.
        NonFiniteError: training met NaN or Inf; the folder then says ``failed`` and keeps the events.

    Example:
        >>> import tempfile
        >>> rng = np.random.default_rng(0)
        >>> labels = np.arange(60) % 2
        >>> x = (rng.integers(0, 100, (60, 8, 8)) + 100 * labels[:, None, None]).astype(np.uint8)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = fit_images((x, labels), run=folder, epochs=8, report=False, verbose=0, settings={"width": 4})
        ...     sorted(file.name for file in run.folder.iterdir())
        ['config.json', 'events.jsonl', 'metrics.json', 'model.chainrule', 'model_card.md', 'predictions_test.csv']
    """
    options = Options(
        "fit_images",
        run=run,
        seed=seed,
        validation=validation,
        test=test,
        balance=balance,
        early_stop=early_stop,
        report=report,
        verbose=verbose,
        callbacks=callbacks,
        command=command,
    )
    check_free(run)
    images = read_images(
        source,
        target=target,
        size=size,
        on_bad=on_bad,  # type: ignore[arg-type]  # checked there
        cache=cache,
        least=LEAST,
    )
    chosen = dict(settings or {})
    given = (("epochs", epochs), ("batch_size", batch_size), ("augment", None if augment == "auto" else augment))
    chosen |= {name: value for name, value in given if value is not None}
    return fit_labelled(make_job(images, chosen, options, path=source_path(source)), options)


def make_job(images: Images, chosen: Mapping[str, Any], options: Options, *, path: Path | None) -> Job:
    """What :func:`fit_labelled` needs for ``images``; ``chosen`` are settings that differ from the default rule."""
    labels = np.asarray(images.labels)
    units = equal_images(images.pixels)
    parts, findings = divide(labels, images.classes, options, source=images.source, units=units, given=images.parts)
    height, width, channels = images.pixels.shape[1:]
    shape = (height, width, channels)
    config = default_images_config(parts.train.size, shape).replaced(chosen)
    model = build_network(config, shape, len(images.classes), seed=options.seed)
    optimizer = make_optimizer(config, parts.train.size)
    model.compile(optimizer, loss=CrossEntropy(), metrics=["accuracy"], mixup=config.mixup)
    baseline = PixelBaseline(images.pixels, labels, len(images.classes))
    job = Job(
        kind="images",
        unit=UNIT,
        source=images.source,
        path=path,
        target=images.target,
        classes=images.classes,
        inputs=images.pixels,
        labels=labels,
        shown=prepared(images).shown,
        split=parts,
        model=model,
        settings=config,
        preparation=ImagePreparation(height, width, channels, images.target),
        baseline=baseline,
        baseline_is=baseline.words,
        notes=tuple(_words(images, config)),
        findings=findings,
        bigger=f"--set width={2 * config.width}",
        smaller=f"--augment strong --set weight_decay={2 * config.weight_decay:g}",
        example="new_images",
        options=("--target", images.target) if images.target != "label" else (),
    )
    return dataclasses.replace(job, figures=functools.partial(report_figures, job))


def _words(images: Images, config: ImageConfig) -> list[str]:
    height, width, channels = images.pixels.shape[1:]
    colours = "greys" if channels == 1 else "colours"
    named = ", ".join(images.classes[:_NAMED_CLASSES]) + (", ..." if len(images.classes) > _NAMED_CLASSES else "")
    changed = _AUGMENTED[config.augment].format(reach((height, width, channels)))
    lines = [
        f"{images.source}: {counted(len(images), *UNIT)} of {height} x {width} pixels in {colours}, "
        f"{len(images.classes)} classes: {named}.",
        *images.notes,
        f"Network: {_NETWORKS[config.network]}, trained for at most {counted(config.epochs, 'epoch', 'epochs')}. Loss: "
        "cross_entropy (several classes that exclude each other); output: one logit for each class through a softmax.",
        f"Augmentation ({config.augment}), in training only: {changed}"
        + (f"; two images blended each time (mixup {config.mixup:g})." if config.mixup else "."),
    ]
    if config.augment == "shift":
        lines.append(
            "Images are not mirrored, since that changes digits and letters; --augment flip mirrors them, where left "
            "and right do not matter."
        )
    return lines


_NETWORKS = {
    "plain": "convolutions with pooling and a hidden layer",
    "residual": "a residual network",
}
_AUGMENTED = {
    "none": "nothing is changed",
    "shift": "shifted by up to {} pixels",
    "flip": "shifted by up to {} pixels, mirrored left to right",
    "strong": "shifted by up to {} pixels, mirrored left to right, zoomed, turned, brighter or darker, "
    "with more or less contrast, a part erased",
}
