"""Keras 3 on JAX: ``fit`` with compiled steps, one or several for each call."""

import numpy as np

from benchmarks.peers.worker import Outcome, Runner, Task, main, timed_calls
from benchmarks.workloads import ADAM


def network(task: Task):
    """The network with the task's weights."""
    import keras

    first, *hidden, classes = task.workload.sizes
    layers = [keras.layers.Dense(width, activation="relu") for width in hidden]
    model = keras.Sequential([keras.Input((first,)), *layers, keras.layers.Dense(classes)])
    model.set_weights(task.weights)
    return model


def version() -> str:
    """Keras and what it runs on."""
    import jax
    import keras

    return f"Keras {keras.__version__} on {keras.backend.backend()} {jax.__version__}"


class Learning:
    """``model.fit``."""

    def __init__(self, task: Task) -> None:
        import keras

        self.version = version()
        self.task = task
        self.model = network(task)
        self.model.compile(
            optimizer=keras.optimizers.Adam(
                ADAM["rate"], beta_1=ADAM["beta_1"], beta_2=ADAM["beta_2"], epsilon=ADAM["epsilon"]
            ),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
            steps_per_execution=int(task.variant.split()[0]),
        )

    def first(self) -> Outcome:
        """One epoch over the rows as they stand."""
        self._fit(1, shuffle=False)
        return Outcome(self.model.get_weights())

    def repeat(self) -> float:
        """Seconds of a step or a fit."""
        workload = self.task.workload
        seconds = timed_calls(lambda: self._fit(workload.epochs, shuffle=True), 1)
        return seconds / (workload.epochs * workload.steps) if workload.kind == "train" else seconds

    def _fit(self, epochs: int, *, shuffle: bool) -> None:
        task = self.task
        self.model.fit(task.x, task.labels, epochs=epochs, batch_size=task.workload.batch, verbose=0, shuffle=shuffle)


class Predicting:
    """``predict_on_batch``, which is several times faster than ``predict`` for few rows."""

    def __init__(self, task: Task) -> None:
        self.version = version()
        self.task = task
        self.model = network(task)
        self.model.compile(jit_compile=True)

    def first(self) -> Outcome:
        """The logits of all rows."""
        return Outcome(outputs=np.asarray(self.model.predict_on_batch(self.task.x)))

    def repeat(self) -> float:
        """Seconds of a call."""
        return timed_calls(lambda: np.asarray(self.model.predict_on_batch(self.task.x)), self.task.workload.calls)


def prepare(task: Task) -> Runner:
    """The runner of the task's kind."""
    return Predicting(task) if task.workload.kind == "predict" else Learning(task)


if __name__ == "__main__":
    main(prepare)
