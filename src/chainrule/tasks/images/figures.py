"""The figures of an image run: examples of each class, augmentation, and the most wrong answers."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from chainrule import figures, report
from chainrule.core import Context, Layer, Variables
from chainrule.layers import (
    GaussianNoise,
    RandomBrightness,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from chainrule.tasks.images.network import augmentation
from chainrule.tasks.images.occlusion import Occlusion, occlusion
from chainrule.tasks.images.settings import ImageConfig
from chainrule.tasks.labelled import Job, Judgement, LabelledPredictor
from chainrule.tasks.watched import Trained

_EXAMPLES = 5  # of each class
_CLASSES = 12
_WRONG = 18
_LOOKS = 9
_SMALLEST_FALL = 0.01  # of a probability, from which a spot counts as one the answer hangs on
_DRAWS = 8  # ways in which a training changes one image, in the sheet
# the seven kinds of change, each by a fixed amount, so that the sheet shows what it is
KINDS: dict[str, Layer] = {
    "scaled": RandomZoom((-0.3, -0.3)),
    "translated": RandomTranslation((0.15, 0.15), (0.15, 0.15)),
    "rotated": RandomRotation((0.06, 0.06)),
    "mirrored": RandomFlip("horizontal"),
    "brighter": RandomBrightness((0.25, 0.25)),
    "less contrast": RandomContrast((0.6, 0.0)),
    "noise": GaussianNoise(25.0),
}


def report_figures(job: Job, judgement: Judgement, trained: Trained) -> list[report.ReportFigure]:  # noqa: ARG001 - the hook's signature
    """What an image run adds to the report."""
    made = [report.ReportFigure("image_examples", _examples(job))]
    original = job.inputs[job.split.train[0]]
    made.append(report.ReportFigure("augmentation", figures.augmentation_sheet(original, seven_changes(original))))
    if isinstance(job.settings, ImageConfig) and job.settings.augment != "none":
        made.append(_as_trained(original, job.settings))
    made.append(report.ReportFigure("occlusion", _looks(job, judgement)))
    if judgement.most_wrong(1).size:
        made.append(report.ReportFigure("mistakes", _mistakes(job, judgement)))
    return made


def seven_changes(image: np.ndarray) -> dict[str, np.ndarray]:
    """C141: one image scaled, translated, rotated, mirrored, brighter, with less contrast, and with noise.

    Example:
        >>> list(seven_changes(np.zeros((4, 5, 1), np.uint8)))
        ['scaled', 'translated', 'rotated', 'mirrored', 'brighter', 'less contrast', 'noise']
    """
    return {name: _changed([layer], image, draws=1)[0] for name, layer in KINDS.items()}


def _as_trained(image: np.ndarray, config: ImageConfig) -> report.ReportFigure:
    drawn = _changed(augmentation(config.augment, image.shape), image, draws=_DRAWS)
    sheet = figures.image_grid(list(drawn), title="As in this training", columns=4)
    reading = "The same image as eight steps of this training might have seen it: each step changes it anew."
    return report.ReportFigure("augmentation", sheet, reading)


def _changed(layers: list[Layer], image: np.ndarray, *, draws: int) -> np.ndarray:
    """``draws`` copies of an image through ``layers``, as in training; a flip is drawn until it is one."""
    flips = any(isinstance(layer, RandomFlip) for layer in layers) and draws == 1
    x = jnp.asarray(np.repeat(image[None].astype(np.float32), 16 if flips else draws, axis=0))
    for number, layer in enumerate(layers):
        context = Context(training=True, key=jax.random.key(number))
        x, _ = layer.apply(Variables({}, {}), x, context=context)
    found = np.asarray(x)
    if flips:
        found = found[[index for index, copy in enumerate(found) if not np.array_equal(copy, image)][:1] or [0]]
    return found


def _examples(job: Job) -> Figure:
    rows = job.split.train
    labels = job.labels[rows]
    shown = {
        name: [job.inputs[row] for row in rows[labels == number][:_EXAMPLES]] for number, name in enumerate(job.classes)
    }
    return figures.class_examples(shown, most=_CLASSES)


def _looks(job: Job, judgement: Judgement) -> Figure:
    """Test images of different classes, right answers first, each beside its occlusion map."""
    predictor = LabelledPredictor(job.model, job.preparation, job.classes, job.target, job.kind)
    order = np.argsort(judgement.answers != judgement.labels, kind="stable")
    _, first = np.unique(judgement.labels[order], return_index=True)
    return occlusion_sheet(
        [occlusion(predictor, job.inputs[judgement.rows[place]]) for place in order[np.sort(first)][:_LOOKS]],
        job.classes,
    )


def occlusion_sheet(found: Sequence[Occlusion], classes: Sequence[str]) -> Figure:
    """Images side by side with what :func:`chainrule.tasks.images.occlusion.occlusion` found of them."""
    images, captions = [], []
    for one in found:
        fall = one.heat.max()
        matters = fall >= _SMALLEST_FALL  # else the scaled map would show noise in full colour
        images += [one.image, figures.heat_over(one.image, one.heat if matters else np.zeros_like(one.heat))]
        captions += [
            f"{classes[one.answer]}\n{one.probability:.0%}",
            f"at most −{fall:.0%}" if matters else "no one spot\nmatters",
        ]
    return figures.image_grid(images, captions, title="Where it looks", columns=min(6, len(images)))


def _mistakes(job: Job, judgement: Judgement) -> Figure:
    wrong = judgement.most_wrong(_WRONG)
    chances = judgement.probabilities["network"][wrong].max(axis=1)
    answers, truth = judgement.answers[wrong], judgement.labels[wrong]
    captions = [
        f"{job.classes[answer]} {chance:.0%}\nis {job.classes[label]}"
        for answer, chance, label in zip(answers, chances, truth, strict=True)
    ]
    images = [job.inputs[judgement.rows[place]] for place in wrong]
    return figures.image_grid(images, captions, title="Most wrong answers", columns=6)
