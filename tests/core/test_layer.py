"""The layer protocol: declared weights, weighted input, calls on symbols, keys by path."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_layers import Affine, Noise, Plus

from chainrule._base.errors import ArgumentTypeError, GraphError, ShapeError
from chainrule._base.spec import Weight
from chainrule.core import Block, Context, Graph, Input, Layer

KEY = jax.random.key(1)


def test_layer_of_ones_own_with_weights_and_formula():
    """C49: a layer holds W and b and has its own forward, activate(x·W + b)."""
    x = Input(3)
    variables = Graph((x,), (Affine(2, "tanh")(x),)).init(KEY)
    data = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    own = variables.params["affine"]
    np.testing.assert_allclose(
        Affine(2, "tanh").call(own, data), np.tanh(data @ own["kernel"] + own["bias"]), rtol=1e-6, atol=1e-6
    )


def test_pre_activation_is_the_weighted_input():
    """C18: z = x·W + b can be asked of a layer that has an activation, and has the shape of its output."""
    own = {"kernel": jnp.arange(6.0).reshape(3, 2), "bias": jnp.array([1.0, -1.0])}
    data = np.array([[0.5, -1.0, 2.0]], np.float32)
    z = Affine(2, "tanh").pre_activation(own, data)
    np.testing.assert_allclose(z, data @ np.arange(6.0).reshape(3, 2) + [1.0, -1.0])
    np.testing.assert_allclose(Affine(2, "tanh").call(own, data), np.tanh(z), rtol=1e-6)
    with pytest.raises(GraphError, match="Plus: has no activation"):
        Plus().pre_activation({}, data, data)


def test_layer_called_on_an_array_says_what_to_do():
    with pytest.raises(ArgumentTypeError, match=r"called on symbols.*shape \(2, 3\).*Wrap it in a Model"):
        Affine(2, name="head")(np.zeros((2, 3)))
    with pytest.raises(ArgumentTypeError, match="Affine: called without an input"):
        Affine(2)()


def test_a_number_taken_from_a_traced_array_keeps_jax_own_words():
    @dataclass(frozen=True, eq=False)
    class Branching(Layer):
        name: str | None = None

        def call(self, params, x):
            return x * float(x.sum())

    with pytest.raises(jax.errors.ConcretizationTypeError) as error:
        Branching(name="branch")(Input(3))
    assert "in layer branch (Branching)" in error.value.__notes__[-1]


def test_initializer_of_wrong_shape_is_refused():
    @dataclass(frozen=True, eq=False)
    class Wrong(Layer):
        name: str | None = None

        def weights(self, x):
            return {"kernel": Weight((2, 3), lambda _key, _shape, dtype: jnp.zeros((3, 2), dtype))}

        def call(self, params, x):
            return x + params["kernel"].sum()

    x = Input(3)
    with pytest.raises(ShapeError, match=r"wrong/kernel: its initializer must return shape \(2, 3\)"):
        Graph((x,), (Wrong()(x),)).init(KEY)


def test_layer_without_call_says_so():
    @dataclass(frozen=True, eq=False)
    class Empty(Layer):
        name: str | None = None

    with pytest.raises(ShapeError, match=r"Empty: cannot be applied.*define call"):
        Empty()(Input(3))


def test_context_path_and_key_follow_the_name_and_the_call():
    context = Context(key=KEY)
    first, second = context.child("block").child("noise"), context.child("block").child("noise", 1)
    assert (first.path, second.path) == ("block/noise", "block/noise#1")
    assert not bool((first.key == second.key).all())
    assert bool((first.key == Context(key=KEY).child("block").child("noise").key).all())
    with pytest.raises(GraphError, match="head: needs a random key"):
        Context().need_key("head")


def test_infer_needs_no_arrays_and_no_key():
    assert str(Noise().infer(Input((7, 2)).spec).shape) == "(b, 7, 2)"


def test_block_must_return_symbols():
    @dataclass(frozen=True, eq=False)
    class Bad(Block):
        name: str | None = None

        def build(self, x):
            return 3

    with pytest.raises(GraphError, match=r"Bad: build must return a symbol.*received int"):
        Bad()(Input(3))


def test_block_with_two_outputs_and_inputs():
    """C50: blocks, too, take and give several tensors."""

    @dataclass(frozen=True, eq=False)
    class Cross(Block):
        name: str | None = None

        def build(self, left, right):
            return Plus()(left, right), Affine(4)(left)

    a, b = Input(3), Input(3)
    total, mapped = Cross()(a, b)
    graph = Graph((a, b), (total, mapped))
    ones = np.ones((2, 3), np.float32)
    (first, second), _ = graph.apply(graph.init(KEY), ones, ones, context=Context())
    np.testing.assert_array_equal(first, 2 * ones)
    assert second.shape == (2, 4)


def test_input_shapes_and_their_errors():
    assert str(Input((None, 8)).shape) == "(b, t, 8)"
    assert repr(Input(3)) == "<Symbol (b, 3) float32>"
    assert repr(Affine(2)(Input(3))) == "<Symbol (b, 2) float32 from Affine>"
    with pytest.raises(ValueError, match="Input: shape must be an integer of at least 1; received 0"):
        Input(0)
    with pytest.raises(ArgumentTypeError, match=r"the other side must be a symbol too; received 2 \(int\)"):
        Input(3) + 2


class _Faulty(Layer):
    """A layer whose mathematics is given."""

    name = None

    def __init__(self, function):
        self.function = function

    def weights(self, x):
        return {"kernel": Weight((3, 2), lambda key, shape, dtype: jnp.ones(shape, dtype))}

    def call(self, params, x):
        return self.function(params, x)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda params, x: x @ params["kernal"], "reads the weight 'kernal', .* declared: kernel"),
        (lambda params, x: None, "must give an array or a tuple of arrays; received None"),
        (lambda params, x: x if x.sum() > 0 else -x, r"decides by `if`.*\(b, 3\).*jnp\.where"),
    ],
)
def test_a_faulty_layer_is_told_by_what_is_wrong(function, text):
    with pytest.raises(GraphError, match=text):
        _Faulty(function)(Input(3))


def test_symbols_have_no_values():
    for question in (lambda x: bool(x), lambda x: x > 0, lambda x: x <= 0):
        with pytest.raises(GraphError, match=r"no value while a graph is made.*jnp\.where"):
            question(Input(3))
    for sum_or_product in (lambda x: 2 * x, lambda x: 1 + x, lambda x: x * 2):
        with pytest.raises(ArgumentTypeError, match="Rescaling"):
            sum_or_product(Input(3))


@pytest.mark.parametrize(
    ("inputs", "named", "message"),
    [
        ((1,), {"left": 1}, "each input must be given once; received 'left' by position and by name"),
        ((1,), {"rigth": 1}, r"must name inputs of the layer \(left, right\); received 'rigth'. Did you mean 'right'"),
        ((1,), {"training": 1}, r"received 'training'. Leave it out: fit\(\) runs layers in training mode"),
        ((1,), {"name": 1}, r"It is an argument of the layer, not of the call: Pair\(\.\.\., name=\.\.\.\)\(x\)"),
        ((1, 1, 1), {}, r"on at most 2 input\(s\) \(left, right\); received 3"),
        ((), {}, "called without an input"),
    ],
)
def test_calls_with_strange_inputs(inputs, named, message):
    @dataclass(frozen=True, eq=False)
    class Pair(Layer):
        name: str | None = None

        def call(self, params, left, right=None):
            return left if right is None else left - right

    x = Input(3)
    with pytest.raises(ArgumentTypeError, match=message):
        Pair()(*(x for _ in inputs), **dict.fromkeys(named, x))


@dataclass(frozen=True, eq=False)
class _Three(Layer):
    name: str | None = None

    def call(self, params, first, second, third=None):
        return first - second


@dataclass(frozen=True, eq=False)
class _Rest(Layer):
    name: str | None = None

    def call(self, params, first, second, *others):
        return first - second


@pytest.mark.parametrize(
    ("layer", "inputs", "named", "message"),
    [
        (Plus("sum"), 1, [], r"sum \(Plus\): .* on 2 input\(s\) \(left, right\); received 1, without right\."),
        (Plus(), 0, ["right"], r"\(left, right\); received 1, without left\. Type Plus\(\.\.\.\)\(left, right\)\."),
        (_Three(), 1, ["third"], r"on at least 2 input\(s\) \(first, second\); received 2, without second"),
        (_Three(), 0, ["third"], r"\(first, second\); received 1, without first, second"),
        (_Rest(), 1, [], r"on at least 2 input\(s\) \(first, second\); received 1, without second"),
    ],
)
def test_calls_without_an_input_that_the_layer_needs(layer, inputs, named, message):
    x = Input(3)
    with pytest.raises(ArgumentTypeError, match=message):
        layer(*[x] * inputs, **dict.fromkeys(named, x))


def test_calls_on_the_inputs_that_are_needed():
    x = Input(3)
    for layer in (Plus(), _Three(), _Rest()):
        assert layer(x, x).shape == layer([x, x]).shape == x.shape
    assert _Rest()(x, x, x, x).shape == x.shape


def test_inputs_by_name_in_any_order():
    @dataclass(frozen=True, eq=False)
    class Ends(Layer):
        name: str | None = None

        def call(self, params, first, middle=None, last=None):
            assert middle is None
            return first - 2 * last

    a, b = Input(3), Input(3)
    made = Ends()(last=b, first=a)
    assert made.node.inputs == (a, None, b)
    assert Ends()(first=a, last=b, middle=None).node.inputs == (a, None, b)
