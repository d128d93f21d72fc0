"""The networks in Keras 3, on the backend that ``KERAS_BACKEND`` names: ``fit`` for training, one batch a prediction.

On JAX everything is compiled by XLA, as Keras does by default. On TensorFlow it is not: its own convolutions (oneDNN)
are faster than XLA's on a CPU.
"""

import os

import keras
import numpy as np

from benchmarks.peers.functional import connect, weights_by_layer
from benchmarks.peers.net_worker import Pace, Predicting
from benchmarks.peers.worker import Outcome, Runner, Task
from benchmarks.workloads import ADAM


def _convolve(layer, x, window, stride, *filters, **options):
    if stride == 1:
        return layer(*filters, window, padding="same", **options)(x)
    if window > 1:  # "same" pads a strided window at its end only, unlike the other frameworks
        x = keras.layers.ZeroPadding2D(window // 2)(x)
    return layer(*filters, window, strides=stride, **options)(x)


def network(task: Task) -> keras.Model:
    """The network with the task's weights."""
    net = task.workload.build()
    model = keras.Model(*connect(net, keras.layers, _convolve))
    for name, own in weights_by_layer(net, task.weights).items():
        model.get_layer(name).set_weights(list(own.values()))
    return model


def version() -> str:
    """Keras and what it runs on."""
    backend = keras.backend.backend()
    return f"Keras {keras.__version__} on {backend} {_backend_version(backend)}"


def _backend_version(backend: str) -> str:
    return __import__(backend).__version__


class Training:
    """``model.fit`` over the batches in their order."""

    def __init__(self, task: Task) -> None:
        self.version, self.task = version(), task
        self.model = network(task)
        # Keras adds epsilon before it corrects the mean of the squares; this makes the first and largest step the same.
        epsilon = ADAM["epsilon"] * (1 - ADAM["beta_2"]) ** 0.5
        rates = {"beta_1": ADAM["beta_1"], "beta_2": ADAM["beta_2"], "epsilon": epsilon}
        self.model.compile(
            optimizer=keras.optimizers.Adam(ADAM["rate"], **rates),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=keras.backend.backend() == "jax",
        )
        self.x = task.x if len(task.x) > 1 else task.x[0]
        self.pace = Pace(task.workload.seconds, lambda: self._fit(1), task.workload.steps)

    def first(self) -> Outcome:
        """One epoch; Keras tells the mean of the losses so far after each batch."""
        means: list[float] = []
        told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _batch, logs: means.append(float(logs["loss"])))
        self._fit(1, told)
        sums = np.array(means) * np.arange(1, len(means) + 1)
        return Outcome(losses=np.diff(sums, prepend=0).tolist())

    def repeat(self) -> float:
        """Seconds of a step."""
        return self.pace.repeat()

    def _fit(self, epochs: int, *callbacks) -> None:
        task = self.task
        options = {"batch_size": task.workload.batch, "verbose": 0, "shuffle": False, "callbacks": list(callbacks)}
        self.model.fit(self.x, task.labels, epochs=epochs, **options)


def prepare(task: Task) -> Runner:
    """The runner of the task's kind."""
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(os.cpu_count() or 1)
    if task.workload.kind == "step":
        return Training(task)
    model = network(task)
    model.compile(jit_compile=keras.backend.backend() == "jax")
    return Predicting(task, version(), lambda *inputs: np.asarray(model.predict_on_batch(*inputs)))
