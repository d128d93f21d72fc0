"""Model: a graph together with the newest state of its weights; compile, fit, evaluate, predict, save."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from chainrule import optimizers
from chainrule._base import tree as trees
from chainrule._base.arguments import check_function
from chainrule._base.checks import check_int, check_positive_int
from chainrule._base.errors import ArgumentError, ShapeError, did_you_mean
from chainrule._base.policy import Policy
from chainrule._base.rng import key_for, root_key
from chainrule._base.tree import Tree
from chainrule.core import Context, Graph, Layer, Symbol, Variables
from chainrule.core.symbol import as_symbols
from chainrule.models.arrays import as_inputs, require
from chainrule.models.fitting import Fitting, judging_feed
from chainrule.models.prediction import outputs_by_path, predict_in_batches
from chainrule.models.recipes import make_recipe
from chainrule.models.saving import named_arrays, save_model
from chainrule.models.summary import in_one_line, summarize
from chainrule.models.weights import check_patterns, replaced, with_trained_parts
from chainrule.train import Engine, History, Recipe, TrainState, initial_state
from chainrule.train.loop import evaluate as evaluate_feed
from chainrule.train.rate_finder import RateSweep, sweep_rates
from chainrule.train.step import forward

# `Any` in signatures below: arrays, nested lists, data frames, or dicts of them by input or output name.


class Model:
    """A network from ``inputs`` to ``outputs`` with its weights.

    Args:
        inputs: symbols made by ``Input``; one, or a list.
        outputs: symbols to compute; one, or a list.
        name: how it is called in messages and inside other models.
        seed: everything random (initial weights, order of examples, dropout) hangs on it.
        policy: ``"float32"``, ``"mixed_bfloat16"``, ``"bfloat16"``, ``"float64"`` or a Policy.

    Example:
        >>> import numpy as np
        >>> import chainrule as cr
        >>> from chainrule.layers import Dense, Input
        >>> inputs = Input(2)
        >>> outputs = Dense(1)(Dense(8, activation="tanh")(inputs))
        >>> model = cr.Model(inputs, outputs, seed=1)
        >>> model.compile(optimizer=cr.optimizers.Adam(0.05), loss="binary_cross_entropy", metrics=["accuracy"])
        >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
        >>> history = model.fit(x, [0, 1, 1, 0], epochs=300, batch_size="full", verbose=0)
        >>> model.evaluate(x, [0, 1, 1, 0])["accuracy"]
        1.0
    """

    extra: dict[str, Any]  # plain JSON values that travel in the saved file (a task's preparation, labels, card)

    def __init__(
        self, inputs: Any, outputs: Any, *, name: str | None = None, seed: int = 0, policy: str | Policy = "float32"
    ) -> None:
        self._setup(name, seed, policy)
        self._graph = Graph(as_symbols("inputs", inputs), as_symbols("outputs", outputs), name, start=self._newest)

    _graph: Graph | None

    def _setup(self, name: str | None, seed: int, policy: str | Policy) -> None:
        check_int("seed", seed, "Model", minimum=0)
        self.name = name
        self.seed = seed
        self.policy = Policy.named(policy)
        self.history = History()
        self.extra = {}
        self.frozen: tuple[str, ...] = ()
        self._graph = None
        self._given: Variables | None = None
        self._state: TrainState | None = None
        self._recipe: Recipe | None = None
        self._engine: Engine | None = None
        self._fitting: Fitting | None = None
        self._compile_later: dict[str, Any] | None = None

    @property
    def graph(self) -> Graph:
        """The graph of layer calls."""
        if self._graph is None:
            raise ShapeError(
                f"{self.name or 'Sequential'}: its input shape is not known yet. Put Input(shape) first, or call fit "
                "or predict with data."
            )
        return self._graph

    def __repr__(self) -> str:
        return in_one_line(type(self).__name__, self.name, self._graph)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order of their first call."""
        return list(self.graph.layers.values())

    def layer(self, path: str) -> Layer:
        """The layer called ``path``; ``block/dense`` looks inside a block."""
        return self.graph.layer(path)

    def summary(self) -> None:
        """Print every layer call with output shape, parameters and multiply-adds, and the totals."""
        print(summarize(self.graph, self._is_frozen()))

    def __call__(self, *inputs: Any) -> Any:
        """On symbols: use this model as a layer. On arrays: inference with the newest weights (differentiable).

        A model around this one starts with a copy of its newest weights and trains that copy; Keras shares them.
        """
        listed = len(inputs) == 1 and isinstance(inputs[0], list | tuple)
        if any(isinstance(item, Symbol) for item in (inputs[0] if listed else inputs)):
            return self.graph(*inputs)
        if listed and len(self.graph.inputs) > 1:
            (inputs,) = inputs
        return self.apply(self.variables, *inputs)[0]

    @property
    def variables(self) -> Variables:
        """The newest weights and layer state, also while training runs."""
        if self._fitting is not None:
            return self._fitting.run.variables
        if self._state is not None:
            return self._state.variables
        if self._given is None:
            self._given = with_trained_parts(self.graph, self.init())
        return self._given

    def _newest(self) -> Variables:
        return self.variables

    def init(self, seed: int | None = None) -> Variables:
        """Fresh initial variables, those of ``seed`` (the model's own by default); the model is not changed."""
        # the same bits after a third of the compilation, which is nearly all of the time
        make = jax.jit(self.graph.init, static_argnums=1, compiler_options={"xla_backend_optimization_level": 1})
        fresh: Variables = make(root_key(self.seed if seed is None else seed), self.policy.param)
        return fresh

    def apply(self, variables: Variables, *inputs: Any, training: bool = False, key: Any = None) -> tuple[Any, Tree]:
        """The pure function behind the model: ``(outputs, new layer state)``."""
        arrays = tuple(jnp.asarray(array) for array in inputs)
        self.graph.check_inputs(arrays)
        outputs, state = forward(self.graph, self.policy, variables, arrays, Context(training=training, key=key))
        return (outputs if len(outputs) > 1 else outputs[0]), state

    def get_weights(self) -> dict[str, np.ndarray]:
        """Every weight by path (``dense/kernel``), running statistics included, as NumPy arrays."""
        named = named_arrays(self.graph, self.variables)
        return {path.partition("/")[2]: np.asarray(leaf) for path, leaf in named.items()}

    def set_weights(self, weights: Mapping[str, Any]) -> None:
        """Replace the weights named; paths and shapes must fit, and either all are set or none."""
        self._replace(replaced(self.variables, weights))

    def freeze(self, *patterns: str) -> None:
        """Do not train the weights at these paths or shell patterns (``"backbone"``, ``"*/bias"``); none: train all.

        Frozen layers run as in inference: no dropout, and normalisation by the running statistics.
        """
        check_patterns(patterns, self.variables)
        variables = self.variables
        self.frozen, self._engine = patterns, None
        self._replace(variables)

    def _is_frozen(self) -> Callable[[str], bool] | None:
        return trees.matcher(self.frozen) if self.frozen else None

    def _replace(self, variables: Variables) -> None:
        self._given = variables
        if self._fitting is not None:
            self._fitting.run.set_variables(variables)
        elif self._state is not None and not self.frozen and not self._state.frozen:
            self._state = self._state._replace(params=variables.params, state=variables.state)
        else:
            self._state = None

    def reset(self) -> None:
        """Start again: initial weights, no history, a fresh optimizer."""
        self._given, self._state, self.history = None, None, History()

    @check_function
    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = (),
        *,
        loss_weights: Any = None,
        accumulate: int = 1,
        on_nonfinite: Literal["stop", "skip", "rollback"] = "stop",
        mixup: float = 0.0,
    ) -> None:
        """Fix how the model is trained and judged.

        Args:
            optimizer: a name, an optimizer of ``chainrule.optimizers``, or any Optax transformation.
            loss: a name, a loss, or a function giving one value per example; a list or dict for several outputs.
                Losses take logits; one given by name takes probabilities where the output's activation is a sigmoid
                or softmax.
            metrics: names or metrics; a dict by output name, or a list of lists, for several outputs.
            loss_weights: one number per output.
            accumulate: micro-batches of ``batch_size`` per update; equal to one batch of their total size.
            on_nonfinite: what to do when a loss or gradient is NaN or Inf: ``"stop"`` with a report, ``"skip"`` the
                step, or ``"rollback"`` to the start of the epoch at half the rate.
            mixup: α of mixup; 0 for none. Each training batch is then mixed with itself in another order, inputs and
                losses alike, with a share drawn from Beta(α, α); see :func:`chainrule.train.mixup.mixed`.
        """
        variables = self.variables if self._graph is not None else None
        engine = self._engine
        self._recipe, self._engine, self._state = None, None, None
        self._given = variables
        self._compile_later = {
            "optimizer": optimizers.get(optimizer),
            "loss": loss,
            "metrics_given": metrics,
            "loss_weights": loss_weights,
            "accumulate": accumulate,
            "on_nonfinite": on_nonfinite,
            "mixup": mixup,
            "policy": self.policy,
        }
        if self._graph is not None:
            self._recipe = make_recipe(self.graph, **self._compile_later)
            if engine is not None and engine.recipe == self._recipe:  # a notebook's cell run again compiles nothing
                self._engine = engine

    @property
    def recipe(self) -> Recipe:
        """What ``compile`` fixed."""
        if self._recipe is None:
            if self._compile_later is None:
                raise ArgumentError(
                    "model: is not compiled, so there is no loss to measure with. "
                    "Type model.compile(optimizer='adam', loss='cross_entropy', metrics=['accuracy']) first."
                )
            self._recipe = make_recipe(self.graph, **self._compile_later)
        return self._recipe

    @property
    def is_compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self._recipe is not None or self._compile_later is not None

    def restore(self, variables: Variables, recipe: Recipe | None, *, frozen: tuple[str, ...] = ()) -> None:
        """Take over variables and recipe, as those read from a file."""
        self._given, self._recipe, self.frozen = variables, recipe, frozen
        self._state = self._engine = None

    @property
    def loss(self) -> Any:  # Any: the Loss protocol
        """The loss of the first output: ``loss(predictions, targets)`` gives one value per example."""
        return self.recipe.losses[0]

    @property
    def optimizer(self) -> Any:  # Any: the Optimizer protocol
        """The optimizer."""
        return self.recipe.optimizer

    @property
    def engine(self) -> Engine:
        """The compiled loops for this graph and recipe."""
        if self._engine is None:
            self._engine = Engine(self.graph, dataclasses.replace(self.recipe, is_frozen=self._is_frozen()))
        return self._engine

    @property
    def state(self) -> TrainState:
        """The newest training state."""
        if self._fitting is not None:
            return self._fitting.run.state
        if self._state is None:
            key = key_for(root_key(self.seed), "train")
            self._state = initial_state(self.variables, self.recipe.optimizer, key, self._is_frozen())
        return self._state

    @check_function
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        epochs: int = 10,
        batch_size: int | Literal["full"] = 32,
        validation: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        callbacks: Sequence[Any] = (),
        until: str | None = None,
        verbose: int = 1,
        steps_per_call: int | None = None,
        train_metrics: Literal["same", "running"] = "same",
    ) -> History:
        """Train; a second call continues where the first ended.

        Args:
            x: examples, batch axis first; a list or dict for several inputs.
            y: targets.
            epochs: passes over the examples.
            batch_size: examples of one step, or ``"full"`` for all of them. The last, smaller batch counts exactly.
                They are dealt anew every epoch; only for stateful layers they stay in order.
            validation: a fraction such as 0.2 (taken at random, stratified by class), or ``(x, y)``, or
                ``(x, y, sample_weight)``.
            sample_weight: ``[examples]``; losses and metrics are means weighted with it.
            class_weight: class -> weight, or ``"balanced"`` for ``n / (k n_c)``.
            callbacks: callbacks, or functions ``(event, run)``.
            until: stop condition such as ``"loss<0.05"`` or ``"val_accuracy>0.9"``.
            verbose: 0 is silent.
            steps_per_call: steps compiled into one call; by default as many as take about 0.25 s.
            train_metrics: ``"same"`` judges the training examples after each epoch on the same weights and in the
                same mode as the validation examples (on 5,000 of them if there are more); ``"running"`` reports the
                mean loss over the epoch's steps instead.

        Returns:
            The history of this and all earlier calls.

        Raises:
            NonFiniteError: a loss or gradient was NaN or Inf (``on_nonfinite="stop"``); the model keeps the weights
                before that step. Ctrl-C likewise leaves the last whole step in the model.
        """
        require(x=x, y=y)
        self._build_for(x)
        weights = {"sample_weight": sample_weight, "class_weight": class_weight}
        fitting = Fitting.prepare(self, x, y, batch_size=batch_size, validation=validation, **weights)
        self._fitting = fitting
        try:
            return fitting.fit(
                epochs=epochs,
                callbacks=callbacks,
                until=until,
                verbose=verbose,
                steps_per_call=steps_per_call,
                train_metrics=train_metrics,
            )
        finally:
            self._state = fitting.run.state
            self._fitting = None

    def _build_for(self, x: Any) -> None:
        """Sequential infers its input shape here; a functional model knows it."""

    def find_rate(
        self, x: Any, y: Any, *, batch_size: int | Literal["full"] = 32, low: float = 1e-6, high: float = 10.0
    ) -> RateSweep:
        """Try 100 learning rates from ``low`` to ``high`` in one short run; the model is not changed.

        Returns:
            The curve of the loss over the rate and a suggestion; ``print`` it, or draw ``figures.rate_finder``.
        """
        require(x=x, y=y)
        self._build_for(x)
        fitting = Fitting.prepare(self, x, y, batch_size=batch_size)
        return sweep_rates(self.engine, self.state, fitting.feeds[0], low=low, high=high)

    @check_function
    def evaluate(self, x: Any, y: Any, *, batch_size: int = 1024, sample_weight: Any = None) -> dict[str, float]:
        """Loss and metrics on these examples, in inference mode, exact over all of them; batches as in ``predict``."""
        check_positive_int("batch_size", batch_size, "evaluate")
        require(x=x, y=y)
        self._build_for(x)
        return evaluate_feed(self.engine, self.variables, judging_feed(self, x, y, sample_weight, batch_size))

    @check_function
    def predict(self, x: Any, *, batch_size: int = 1024) -> Any:
        """The outputs for ``x`` as NumPy arrays (a tuple if there are several); logits where the model gives logits.

        At most ``batch_size`` rows are computed at once, which changes no result. Stateful layers get batches of their
        own ``batch_size`` and carry their state from one to the next; each call starts from the state in the model.
        """
        check_positive_int("batch_size", batch_size, "predict")
        require(x=x)
        self._build_for(x)
        inputs = as_inputs(self.graph, x)
        if self._engine is None and not self.is_compiled:
            self._engine = Engine(self.graph, Recipe(None, (), (), policy=self.policy))
        outputs = predict_in_batches(self.engine, self.variables, inputs, batch_size)
        return outputs if len(outputs) > 1 else outputs[0]

    def intermediate(self, x: Any, path: str | None = None) -> Any:
        """The output of the layer at ``path`` for ``x``; without ``path``, those of all layers by path."""
        self._build_for(x)
        record = outputs_by_path(self.graph, self.policy, self.variables, as_inputs(self.graph, x))
        if path is not None and path not in record:
            raise ArgumentError(f"intermediate: no layer is at {path!r}.{did_you_mean(path, record)}")
        return record if path is None else record[path]

    def save(self, path: str | Path, *, include_optimizer: bool = True) -> None:
        """Write one safe file: weights (safetensors), graph and recipe (JSON by registered names); never code.

        Without optimizer (an Optax one cannot be stored) loss and metrics stay out too: compile after loading.
        """
        save_model(self, path, include_optimizer=include_optimizer)
