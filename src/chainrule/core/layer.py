"""The layer protocol: a frozen configuration that declares weights and does pure mathematics.

A layer holds no arrays. It says which weights it needs for given input specs (:meth:`Layer.weights`) and maps
weights and inputs to outputs (:meth:`Layer.call`). Arrays live apart, in :class:`Variables`.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from chainrule._base import tree as trees
from chainrule._base.arguments import what_to_type
from chainrule._base.checks import describe, owner_name
from chainrule._base.errors import ArgumentTypeError, ChainruleError, GraphError, ShapeError, with_note
from chainrule._base.rng import Key, key_for
from chainrule._base.spec import Array, Spec, Weight, shape_text
from chainrule._base.tree import Tree
from chainrule.core.symbol import Node, Symbol

_CALL_NUMBER = re.compile(r"#\d+")

Weights = Mapping[str, Any]  # Any: a Weight, or the Weights of a nested layer


class Variables(NamedTuple):
    """The arrays of a layer or graph: ``params`` are trained, ``state`` is carried along."""

    params: Tree
    state: Tree


@dataclass(frozen=True)
class Context:
    """What one application of a graph knows besides weights and inputs.

    Args:
        training: whether dropout drops and normalisation uses the batch's own statistics.
        key: source of randomness; ``None`` where nothing random may happen.
        weight: ``[batch]`` weights of the examples; rows of weight 0 are padding.
        path: where in the graph this is, as ``block/dense``.
        record: when given, every layer's output is stored in it by path.
        perturb: arrays by path, added to the output of the layer there (gradients at any point).
        frozen: says of a path whether it is frozen; frozen layers run as in inference.
    """

    training: bool = False
    key: Key | None = None
    weight: Array | None = None
    path: str = ""
    record: dict[str, Any] | None = None  # Any: an array, or a tuple of arrays for layers with several outputs
    perturb: Mapping[str, Array] | None = None
    frozen: Callable[[str], bool] | None = None

    def child(self, name: str, call: int = 0) -> Context:
        """The context of the layer called ``name``; ``call`` tells several calls of a shared layer apart."""
        label = name if call == 0 else f"{name}#{call}"
        path = f"{self.path}/{name}" if self.path else name
        # weights bear no call numbers, so neither does the path that a freezing pattern sees
        frozen = self.frozen is not None and self.frozen(_CALL_NUMBER.sub("", path))
        return dataclasses.replace(
            self,
            key=None if self.key is None else key_for(self.key, label),
            path=f"{self.path}/{label}" if self.path else label,
            training=self.training and not frozen,
        )

    def need_key(self, owner: object) -> Key:
        """The key, or an error that says how to pass one."""
        if self.key is None:
            raise GraphError(
                f"{owner_name(owner)}: needs a random key in training; received none. "
                "Pass key=jax.random.key(seed) to apply()."
            )
        return self.key


class Layer:
    """Base of all layers. Subclasses are ``@dataclass(frozen=True, eq=False)`` with a field ``name``.

    Most layers override :meth:`weights` and :meth:`call`. Layers with randomness, a training mode or state
    override :meth:`apply` instead of ``call``. Calling the same layer twice shares its weights.

    Example:
        >>> import jax.numpy as jnp
        >>> from dataclasses import dataclass
        >>> from chainrule.core import Input, Layer
        >>> @dataclass(frozen=True, eq=False)
        ... class Double(Layer):
        ...     name: str | None = None
        ...     def call(self, params, x):
        ...         return 2 * x
        >>> Double()(Input(3)).shape
        (b, 3)
    """

    name: str | None = None

    def weights(self, *inputs: Spec) -> Weights:  # noqa: ARG002 - the default ignores its inputs
        """The weights wanted for inputs of these specs, by name."""
        return {}

    def call(self, params: Tree, *inputs: Array) -> Any:  # Any: an array or a tuple of arrays
        """The mathematics: weights and inputs to output."""
        raise NotImplementedError(
            f"{type(self).__name__}: define call(self, params, *inputs), or apply() for layers with state."
        )

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:  # noqa: ARG002
        """Output and new state; the one method that graphs call."""
        return self.call(variables.params, *inputs), variables.state

    def check_values(self, name: str, values: Any, position: int = 0) -> None:
        """Refuse values of input number ``position`` with which this layer has no meaning, naming the first bad row.

        Called on the host (``Any``: a NumPy array) before a compiled step, in which nothing can be raised, for the
        inputs of a model that this layer sees directly; ``name`` is what they are called in the message. By default all
        values are welcome.
        """

    def pre_activation(self, params: Tree, *inputs: Array) -> Array:
        """The weighted input ``z`` of a layer that has an ``activation`` (its output without it)."""
        if not any(field.name == "activation" for field in dataclasses.fields(self)):  # type: ignore[arg-type]
            raise GraphError(f"{owner_name(self)}: has no activation, so its output is its weighted input.")
        linear = dataclasses.replace(self, activation="linear")  # type: ignore[type-var]
        output: Array = linear.call(params, *inputs)
        return output

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Record a call of this layer on symbols; returns the symbol(s) of its output(s).

        ``Any``: symbols or a list of symbols in, a symbol or a tuple of symbols out.
        """
        symbols = self._bind(inputs, named)
        specs = [None if symbol is None else symbol.spec for symbol in symbols]
        outputs = self.infer(*specs)  # type: ignore[arg-type]  # None stands for an optional input left out
        several = isinstance(outputs, tuple)
        node = Node(self, tuple(symbols), tuple(outputs) if several else (outputs,))
        made = tuple(Symbol(spec, node, index) for index, spec in enumerate(node.specs))
        return made if several else made[0]

    @property
    def input_names(self) -> tuple[str, ...]:
        """What the inputs of a call are named; none where they go by position alone."""
        plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = inspect.signature(self.call).parameters.values()
        return tuple(p.name for p in parameters if p.kind is plain)[1:]  # the first are the weights

    def _bind(self, inputs: tuple[Any, ...], named: Mapping[str, Any]) -> list[Symbol | None]:
        if len(inputs) == 1 and isinstance(inputs[0], list | tuple):
            inputs = tuple(inputs[0])
        symbols = list(inputs)
        for position, value in sorted((self._position(name, len(inputs)), value) for name, value in named.items()):
            symbols += [None] * (position - len(symbols))
            symbols.append(value)
        while symbols and symbols[-1] is None:  # optional inputs left out
            symbols.pop()
        for symbol in symbols:
            if symbol is not None and not isinstance(symbol, Symbol):
                raise ArgumentTypeError(_CALLED_ON_ARRAY.format(owner=owner_name(self), got=describe(symbol)))
        if not symbols:
            raise ArgumentTypeError(f"{owner_name(self)}: called without an input. Pass the symbol it follows.")
        _check_number(self, symbols)
        return symbols

    def _position(self, name: str, given: int) -> int:
        """Where the input called ``name`` stands; it must exist and not be among the ``given`` ones already."""
        names = self.input_names
        if name in names[:given]:
            raise ArgumentTypeError(
                f"{owner_name(self)}: each input must be given once; received {name!r} by position and by name. "
                f"Leave out {name}=."
            )
        if name in names:
            return names.index(name)
        if name in getattr(type(self), "__dataclass_fields__", {}):
            kind = type(self).__name__
            advice = f"It is an argument of the layer, not of the call: {kind}(..., {name}=...)(x)."
        else:
            advice = what_to_type(name, names) or "Leave it out."
        raise ArgumentTypeError(
            f"{owner_name(self)}: a call must name inputs of the layer ({', '.join(names) or 'all by position'}); "
            f"received {name!r}. {advice}"
        )

    def infer(self, *inputs: Spec) -> Any:
        """The spec(s) of the output, from JAX's own shape inference on :meth:`apply`.

        ``Any``: one spec, or a tuple of specs.
        """
        try:
            variables = abstract_variables(self.weights(*inputs))
            present = [spec for spec in inputs if spec is not None]

            def run(variables: Variables, *arrays: Array) -> Any:  # Any: as apply returns
                given = iter(arrays)
                filled = [None if spec is None else next(given) for spec in inputs]
                return self.apply(variables, *filled, context=Context())[0]

            output = jax.eval_shape(run, variables, *present)
        except ChainruleError:
            raise
        except KeyError as error:
            raise GraphError(
                f"{owner_name(self)}: reads the weight {error}, which weights() does not declare; declared: "
                f"{', '.join(trees.flatten(self.weights(*inputs))) or 'none'}. Declare it, or correct its name."
            ) from error
        except Exception as error:
            raise shape_error(self, inputs, error) from error
        several = isinstance(output, tuple | list)
        if not all(isinstance(spec, Spec) for spec in (output if several else [output])):
            raise GraphError(
                f"{owner_name(self)}: must give an array or a tuple of arrays; received {describe(output)}. "
                "Return the output from call()."
            )
        return tuple(output) if several else output


_CALLED_ON_ARRAY = (
    "{owner}: a layer is called on symbols and holds no weights; received {got}. "
    "Wrap it in a Model and call model.predict(x), or use layer.apply(variables, x, context=Context())."
)


def _check_number(layer: Layer, symbols: list[Symbol | None]) -> None:
    """Refuse more inputs than ``call`` takes, and fewer than it needs."""
    parameters = inspect.signature(layer.call).parameters.values()
    names = layer.input_names
    takes_any = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    if not takes_any and len(symbols) > len(names):
        raise ArgumentTypeError(
            f"{owner_name(layer)}: must be called on at most {len(names)} input(s) ({', '.join(names)}); received "
            f"{len(symbols)}. Join several by Concatenate() or Add() first."
        )
    plain = [parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD][1:]
    needed = [parameter.name for parameter in plain if parameter.default is parameter.empty]
    given = [symbol is not None for symbol in symbols]
    missing = [name for name, is_given in itertools.zip_longest(needed, given[: len(needed)]) if not is_given]
    if missing:
        count = len(needed) if len(needed) == len(names) and not takes_any else f"at least {len(needed)}"
        raise ArgumentTypeError(
            f"{owner_name(layer)}: must be called on {count} input(s) ({', '.join(needed)}); received {sum(given)}, "
            f"without {', '.join(missing)}. Type {type(layer).__name__}(...)({', '.join(needed)})."
        )


def shape_error(layer: Layer, inputs: tuple[Any, ...], error: Exception) -> Exception:
    """The error of a layer's mathematics, told with the layer's name and its input shapes."""
    shapes = ", ".join("none" if spec is None else shape_text(spec) for spec in inputs)
    if isinstance(error, jax.errors.TracerBoolConversionError):
        return GraphError(
            f"{owner_name(layer)}: decides by `if`, `while`, `and` or `or` on the values of arrays (its inputs: "
            f"{shapes}), which are not known while a graph is made. Use jnp.where or jax.lax.cond."
        )
    if isinstance(error, jax.errors.JAXTypeError):  # a NumPy function on a traced array, ...: JAX's text says it best
        with_note(error, f"in layer {owner_name(layer)}, inputs of shape {shapes}")
        return error
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ShapeError(
        f"{owner_name(layer)}: cannot be applied to inputs of shape {shapes}: {first} "
        "Check the layer before it, or the shape given to Input."
    )


def abstract_variables(weights: Weights, dtype: Any = jnp.float32) -> Variables:  # Any: a dtype
    """Specs of the arrays that ``weights`` declare, as params and state."""
    leaves = trees.flatten(weights)

    def specs(kind: str) -> Tree:
        return trees.unflatten(
            {
                path: Spec(weight.shape, jnp.dtype(weight.dtype or dtype))
                for path, weight in leaves.items()
                if weight.kind == kind
            }
        )

    return Variables(specs("param"), specs("state"))


def make_variables(weights: Weights, key: Key, dtype: Any = jnp.float32) -> Variables:  # Any: a dtype
    """Initial arrays; each weight's key comes from its path, so other layers do not change it."""

    def arrays(kind: str) -> Tree:
        made = {}
        for path, weight in trees.flatten(weights).items():
            if weight.kind == kind:
                made[path] = _initial(path, weight, key, dtype)
        return trees.unflatten(made)

    return Variables(arrays("param"), arrays("state"))


def _initial(path: str, weight: Weight, key: Key, dtype: Any) -> Array:  # Any: a dtype
    wanted = jnp.dtype(weight.dtype or dtype)
    array = weight.init(key_for(key, path), weight.shape, wanted)
    if array.shape != weight.shape:
        raise ShapeError(
            f"{path}: its initializer must return shape {weight.shape}; received {array.shape}. "
            "An initializer is called as initializer(key, shape, dtype)."
        )
    return array.astype(wanted)
