"""The sentences of a verdict, and what each of its numbers means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# With fewer rows than this, one row moves the accuracy by more than one point.
FEW_ROWS = 100

MEANINGS: Mapping[str, str] = {
    "train_loss": "loss on the training rows, at the epoch whose weights were kept",
    "validation_loss": "loss on the validation rows, at the same epoch",
    "baseline_loss": "loss of always guessing: the classes' shares, or the mean",
    "train_skill": "share of the guessing loss that is gone on the training rows; 1 is perfect",
    "validation_skill": "the same on the validation rows",
    "gap": "validation loss minus training loss",
    "linear_loss": "loss of the linear model on the training rows",
    "carried": "validation skill beside the better of the two skills",
    "train_share": "training skill beside the better of the two skills",
    "epoch": "epoch whose weights were kept",
    "epochs": "epochs trained",
    "peak_loss": "largest loss on the training rows in any epoch",
    "peak_epoch": "epoch of that loss",
}


def reason(
    name: str, numbers: Mapping[str, float], flags: Sequence[str], *, leaks: Sequence[str], is_beaten: bool
) -> str:
    """Why ``name`` is the verdict, in sentences with the numbers."""
    guessing = "the first epoch" if "no baseline" in flags else "always guessing"
    losses = (
        f" ({_number(numbers['train_loss'])} and {_number(numbers['validation_loss'])}; "
        f"{guessing.removeprefix('always ')}: {_number(numbers['baseline_loss'])})."
    )
    train, validation = _change(numbers["train_skill"]), _change(numbers["validation_skill"])
    if name == "diverged":
        text = f"The loss is not finite or far above that of {guessing}: the steps were too large{losses}"
    else:
        joint = {"over-fit": "but", "unlikely": "but"}.get(name, "and")
        joint += " only" if name == "over-fit" and numbers["validation_skill"] >= 0 else ""
        text = (
            f"Compared with {guessing}, the loss is {train} on the training rows {joint} {validation} on the "
            f"validation rows{losses}"
        )
    if name == "under-fit" and is_beaten:
        text += (
            f" A linear model reaches {_number(numbers['linear_loss'])} on the training rows, the network only "
            f"{_number(numbers['train_loss'])}: it has not learned what a line shows."
        )
    if name == "unlikely":
        text += " Rows it never learned from hardly ever come out better than those it did."
    if "exploded" in flags:
        text += (
            f" In epoch {numbers['peak_epoch']:.0f} the training loss stood at {_number(numbers['peak_loss'])}: steps "
            "were too large for a while, so a lower learning rate would train more steadily."
        )
    return text + _flag_words(flags, leaks)


def _flag_words(flags: Sequence[str], leaks: Sequence[str]) -> str:
    several = len(leaks) > 1
    words = {
        "possible leak": f"The column{'s' * several} {', '.join(map(repr, leaks))} give{'s' * (not several)} the "
        f"target away: unless {'they are' if several else 'it is'} known before the outcome, the scores mean nothing.",
        "not converged": "The loss was still falling when the epochs ran out.",
        "noisy validation": "The validation loss jumps from epoch to epoch, so small differences mean nothing.",
        "small validation": f"The validation part has fewer than {FEW_ROWS} rows, so its numbers are rough.",
        "diverged": "The loss became infinite or rose far above its start during the training.",
    }
    return "".join(f" {words[flag]}" for flag in flags if flag in words)


def _change(skill: float) -> str:
    """A skill in words: ``53 % lower``."""
    if not math.isfinite(skill):
        return "not a number"
    return f"{100 * abs(skill):.0f} % {'lower' if skill >= 0 else 'higher'}"


def _number(loss: float) -> str:
    return f"{loss:.3f}" if 0.0005 <= abs(loss) < 1000 else f"{loss:.3g}"
