"""Whether a contestant learned what it should have; only then its times count."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.peers import Contestant
from benchmarks.workloads import AnyWorkload, NetWorkload, Workload, definitions, reference

# Relative difference of the mean loss after one epoch to that of NumPy in float64. Keras and scikit-learn put epsilon
# outside of Adam's bias correction; some thousand float32 steps differ by less than 2e-3.
TOLERANCE = 2e-3
TOLERANCE_OUTPUTS = 1e-4


class Judging(Protocol):
    """Says how far an answer is from the truth."""

    def difference(self, answer: Path, contestant: Contestant, /) -> tuple[float, bool]:
        """The difference and whether it is allowed."""
        ...


def judge_of(workload: AnyWorkload, data: Path, run_reference: Callable[[], Path]) -> Judging:
    """The judge of this kind of workload; ``run_reference`` trains the float64 network and says where its answer is."""
    return NetJudge(workload, run_reference()) if isinstance(workload, NetWorkload) else Judge(workload, data)


class NetJudge:
    """Compares the losses before each step of the first epoch, or the probabilities, with plain JAX in float64."""

    def __init__(self, workload: NetWorkload, answer: Path) -> None:
        with np.load(answer) as arrays:
            self.truth = {name: arrays[name] for name in arrays}
        self.tolerance = workload.tolerance if workload.kind == "step" else TOLERANCE_OUTPUTS
        if workload.kind == "step":
            moved = self._distance(self.truth["untrained"])
            if moved < 5 * self.tolerance:  # weights never trained must not pass the check
                raise AssertionError(f"{workload.name}: training must change the losses more than {moved:.1e}")

    def difference(self, answer: Path, _contestant: Contestant) -> tuple[float, bool]:
        """The largest difference of a probability, or relative difference of a loss."""
        with np.load(answer) as arrays:
            if "outputs" in self.truth:
                pair = (reference.softmax(given["outputs"]) for given in (arrays, self.truth))
                found = float(np.abs(np.subtract(*pair)).max())
            else:
                found = self._distance(arrays["losses"])
        return found, found <= self.tolerance

    def _distance(self, losses: np.ndarray) -> float:
        return float(np.abs(losses / self.truth["losses"] - 1).max())


class Judge:
    """Compares what a contestant learned in its first epoch with the same epoch in NumPy and float64."""

    def __init__(self, workload: Workload, path: Path) -> None:
        self.workload = workload
        self.x, self.labels, self.weights = definitions.load(path)
        self._losses: dict[tuple[bytes, bool], float] = {}

    def difference(self, answer: Path, contestant: Contestant) -> tuple[float, bool]:
        """The difference and whether it is allowed."""
        with np.load(answer) as arrays:
            if "outputs" in arrays:
                wide = [np.asarray(weight, np.float64) for weight in self.weights]
                expected = reference.softmax(reference.logits(wide, self.x.astype(np.float64)))
                found = float(np.abs(reference.softmax(arrays["outputs"]) - expected).max())
                return found, found <= TOLERANCE_OUTPUTS
            learned = definitions.weights_in(arrays)
            order = arrays["order"] if "order" in arrays else np.arange(len(self.x))
        if not (np.sort(order) == np.arange(len(self.x))).all():
            return float("nan"), False
        expected_loss = self._loss_after(order, contestant.peer == "scikit-learn" and self.workload.sizes[-1] == 2)
        found = abs(reference.mean_loss(learned, self.x, self.labels) - expected_loss) / expected_loss
        return found, found <= TOLERANCE

    def _loss_after(self, order: np.ndarray, one_output: bool) -> float:  # noqa: FBT001 - private
        key = (np.asarray(order, np.int64).tobytes(), one_output)
        if key not in self._losses:
            start = reference.one_logit(self.weights) if one_output else self.weights
            rows = self.x[order], self.labels[order]
            learned = reference.trained(start, *rows, self.workload.batch, fixed_first=one_output)
            self._losses[key] = reference.mean_loss(learned, self.x, self.labels)
            before = reference.mean_loss(start, self.x, self.labels)
            if before < (1 + 5 * TOLERANCE) * self._losses[key]:  # weights never trained must not pass the check
                raise AssertionError(f"{self.workload.name}: an epoch must lower the loss {before:.4f} by over 1 %")
        return self._losses[key]
