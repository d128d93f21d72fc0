"""The hyperparameters of a text classifier, and the one rule that fills them in."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule._base.checks import check_choice, check_int, check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule._base.registry import register_class
from chainrule.data.prepare.tokenize import LEAST_LENGTH, LEVELS
from chainrule.data.prepare.tokenize_phrases import LONGEST_PHRASE
from chainrule.tasks.labelled import TrainingSettings

MODELS = ("average", "cnn", "lstm", "bag")


@register_class
@dataclass(frozen=True)
class TextSettings(TrainingSettings):
    """Every hyperparameter of a text run; ``--set name=value`` changes one.

    Args:
        model: what answers beside the bag: ``"average"`` (the mean of the words' vectors), ``"cnn"`` (windows of words,
            the strongest of each kind), ``"lstm"`` (both ways through the text), or ``"bag"``, nothing.
        bag: whether a linear model of the words and phrases that occur answers beside it (see ``network``).
        level: ``"word"`` or ``"char"``.
        phrases: longest run of tokens that the bag and the linear baseline know.
        embedding: length of a token's vector.
        filters: windows of each width (cnn).
        windows: their widths in tokens, joined by commas.
        units: units of each direction (lstm).
        dropout: share of the features left out at random in each step.
        min_count: how often a token or phrase must occur in the training texts; rarer tokens count as unknown.
        max_vocabulary: most different tokens.
        max_length: most tokens of a text; what follows is cut off.

    Example:
        >>> TextSettings().replaced({"model": "lstm", "windows": "2,3"}).widths
        (2, 3)
    """

    epochs: int = 30
    batch_size: int = 64
    patience: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    model: str = "average"
    bag: bool = True
    level: str = "word"
    phrases: int = 2
    embedding: int = 64
    filters: int = 64
    windows: str = "3,4,5"
    units: int = 64
    dropout: float = 0.5
    min_count: int = 2
    max_vocabulary: int = 30_000
    max_length: int = 400

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("model", self.model, MODELS, self)
        check_choice("level", self.level, LEVELS, self)
        for name in ("embedding", "filters", "units", "min_count", "max_vocabulary"):
            check_positive_int(name, getattr(self, name), self)
        check_number("phrases", self.phrases, self, at_least=1, at_most=LONGEST_PHRASE)
        check_int("max_length", self.max_length, self, minimum=LEAST_LENGTH)
        check_number("dropout", self.dropout, self, at_least=0, below=1)
        if not all(part.strip().isdecimal() and 0 < int(part) <= LEAST_LENGTH for part in self.windows.split(",")):
            raise ArgumentError(
                f"TextSettings: windows must be widths between 1 and {LEAST_LENGTH} joined by commas; received "
                f"{self.windows!r}. Write for example windows=3,4,5."
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths of the windows."""
        return tuple(int(part) for part in self.windows.split(","))

    @property
    def has_bag(self) -> bool:
        """Whether there is a bag of words and phrases."""
        return self.bag or self.model == "bag"


def default_settings(level: str = "word") -> TextSettings:
    """The default hyperparameters: one rule for all texts.

    Words: the mean of learned vectors beside a bag of words and pairs. With some thousand sentences and no vectors from
    elsewhere a CNN in its place was no better on validation texts (rotten_tomatoes, one seed: 0.778 against 0.790; the
    mean over three seeds: 0.792), and took several times as long; the LSTM was not measured.

    Characters are read in windows and in longer phrases, since one alone says little.

    Example:
        >>> default_settings("char").phrases
        5
    """
    if level == "char":
        return TextSettings(level="char", model="cnn", phrases=5, windows="3,5,7", max_length=1_000)
    return TextSettings(level=level)
