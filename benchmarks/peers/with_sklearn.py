"""scikit-learn's MLPClassifier, in float32.

With two classes it has one logistic output instead of two logits. It then starts as the same function, with the
difference of the two columns, but Adam moves it otherwise; its loss is compared with that of such a network.
"""

import numpy as np

from benchmarks.peers.worker import Outcome, Runner, Task, main, timed_calls, timed_epochs
from benchmarks.workloads import ADAM


def classifier(task: Task):
    """The classifier with the task's weights and a fresh optimizer."""
    from sklearn.neural_network import MLPClassifier

    workload = task.workload
    found = MLPClassifier(
        workload.sizes[1:-1],
        solver="adam",
        alpha=0.0,
        batch_size=min(workload.batch, workload.rows),
        learning_rate_init=ADAM["rate"],
        beta_1=ADAM["beta_1"],
        beta_2=ADAM["beta_2"],
        epsilon=ADAM["epsilon"],
        shuffle=False,
    )
    classes = np.arange(workload.sizes[-1])
    found.partial_fit(task.x[: workload.batch], task.labels[: workload.batch], classes=classes)
    weights = list(task.weights)
    if workload.sizes[-1] == 2:
        weights[-2:] = [array[..., 1:] - array[..., :1] for array in weights[-2:]]
    found.coefs_ = [kernel.copy() for kernel in weights[::2]]
    found.intercepts_ = [bias.copy() for bias in weights[1::2]]
    del found._optimizer  # noqa: SLF001 - the next partial_fit makes a new one, on these weights
    return found


def as_two_logits(weights: list[np.ndarray]) -> list[np.ndarray]:
    """One logistic output as two logits, of which the first is 0."""
    return [*weights[:-2], *(np.concatenate([np.zeros_like(array), array], axis=-1) for array in weights[-2:])]


class Learning:
    """``partial_fit`` is one epoch in batches."""

    def __init__(self, task: Task) -> None:
        import sklearn

        self.version = f"scikit-learn {sklearn.__version__}"
        self.task = task
        self.model = classifier(task)

    def first(self) -> Outcome:
        """One epoch over the rows as they stand."""
        self._epoch()
        weights = [a.copy() for pair in zip(self.model.coefs_, self.model.intercepts_, strict=True) for a in pair]
        self.model.set_params(shuffle=True)
        return Outcome(as_two_logits(weights) if self.task.workload.sizes[-1] == 2 else weights)

    def repeat(self) -> float:
        """Seconds of a step or a fit."""
        return timed_epochs(self._epoch, self.task.workload)

    def _epoch(self) -> None:
        self.model.partial_fit(self.task.x, self.task.labels)


class Predicting:
    """``predict_proba``."""

    def __init__(self, task: Task) -> None:
        import sklearn

        self.version = f"scikit-learn {sklearn.__version__}"
        self.task = task
        self.model = classifier(task)

    def first(self) -> Outcome:
        """The logarithms of the probabilities, whose softmax they are."""
        return Outcome(outputs=np.log(self.model.predict_proba(self.task.x)))

    def repeat(self) -> float:
        """Seconds of a call."""
        return timed_calls(lambda: self.model.predict_proba(self.task.x), self.task.workload.calls)


def prepare(task: Task) -> Runner:
    """The runner of the task's kind."""
    return Predicting(task) if task.workload.kind == "predict" else Learning(task)


if __name__ == "__main__":
    main(prepare)
