"""How to read each kind of figure, in one or two sentences for someone who has not met it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Reading(NamedTuple):
    """Where a kind of figure stands, what it is called, and how to read it."""

    section: Literal["data", "training", "results", "columns"]
    title: str
    text: str


READINGS: Mapping[str, Reading] = {
    "class_counts": Reading(
        "data",
        "Classes",
        "Longer bars are more frequent answers. If one class is rare, a model can be right most of the time "
        "and still never find it, so do not judge by accuracy alone.",
    ),
    "histogram": Reading(
        "data",
        "Distribution",
        "The height shows how many rows have a value in that range.",
    ),
    "image_examples": Reading(
        "data",
        "Examples",
        "Images of each class as the network sees them: after scaling to one size. If you cannot tell two classes "
        "apart here, neither can it.",
    ),
    "augmentation": Reading(
        "training",
        "Augmentation",
        "What each kind of change does to one image. A change may be used where the picture still shows its class: "
        "mirroring, for one, makes other digits and letters.",
    ),
    "learning_curves": Reading(
        "training",
        "Learning curves",
        "Lower is better. Where training begins at a linear model's solution, the lines start low and move "
        "little. If the dashed line (rows not learned from) turns up while the solid one falls, the model has "
        "begun to memorise. The green line marks the epoch that was kept.",
    ),
    "schedule": Reading(
        "training",
        "Learning rate",
        "The size of the steps the training took, over time.",
    ),
    "rate_finder": Reading(
        "training",
        "Range test",
        "A good learning rate lies where the loss falls fastest, well before it shoots up.",
    ),
    "gradient_norms": Reading(
        "training",
        "Gradients",
        "Each dot is the size of the learning signal in one layer. A line that falls steeply to the left "
        "means that the first layers hardly learn.",
    ),
    "baseline_comparison": Reading(
        "results",
        "Against simpler models",
        "The blue bar is this model. If a simpler model's bar is as good, prefer the simpler one; where the "
        "thin lines (uncertainty) overlap widely, the difference may be luck.",
    ),
    "roc_curve": Reading(
        "results",
        "ROC curve",
        "Each point is a threshold: how many true cases are found (up) against how many healthy ones are "
        "alarmed (right). The nearer the curve comes to the upper left corner, the better; the dotted line is "
        "guessing.",
    ),
    "precision_recall_curve": Reading(
        "results",
        "Precision and recall",
        "To the right more true cases are found; upwards more of the alarms are right. With rare cases this "
        "figure says more than the ROC curve.",
    ),
    "calibration_curve": Reading(
        "results",
        "Calibration",
        "Of the rows to which the model gives 70 %, about 70 % should be positive: dots on the dotted line "
        "mean that its probabilities can be taken at their word. Grey numbers are rows; few rows, little "
        "proof.",
    ),
    "confusion_matrix": Reading(
        "results",
        "Confusion matrix",
        "Each row is a true class, each column an answer. The diagonal holds the right answers; every other "
        "cell is one kind of mistake.",
    ),
    "occlusion": Reading(
        "columns",
        "Where it looks",
        "Beside each image, orange marks the spots without which the network is less sure of its answer. They should "
        "lie on the thing itself; where they lie on the ground or in a corner, it may have learned a habit of the "
        "photographer.",
    ),
    "mistakes": Reading(
        "results",
        "Most wrong",
        "Test images that were answered wrongly with the greatest confidence: the answer with its probability, and "
        "below it the true class. Look for wrong labels, cut-off objects, and classes that overlap.",
    ),
    "prediction_histogram": Reading(
        "results",
        "Predicted probabilities",
        "The two classes should lie at opposite ends. Where they overlap the model cannot tell them apart, "
        "whatever the threshold.",
    ),
    "predicted_vs_actual": Reading(
        "results",
        "Predicted against true",
        "Each dot is a row. On the dotted line the prediction is exact; above it the model says too much, "
        "below too little.",
    ),
    "residuals": Reading(
        "results",
        "Errors",
        "Each dot is the error of one row. They should scatter evenly about zero; a bend or a funnel is "
        "something the model has not understood.",
    ),
    "telling_words": Reading(
        "columns",
        "Telling words",
        "Each bar is how much surer the answer is with the word than without it (log-odds, averaged over its places in "
        "validation texts). It says what this model relies on, not what the word means.",
    ),
    "permutation_importance": Reading(
        "columns",
        "Which columns matter",
        "Each bar is how much worse the answers get when that column's values are shuffled. It says what this "
        "model relies on, not what causes the outcome; two columns that say the same share their bar.",
    ),
}
