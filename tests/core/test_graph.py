"""Execution, names, sharing and errors of graphs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_layers import AddConstant, Affine, CallCounter, Noise, Plus, Scaled, Skip, SplitAt

from chainrule._base.errors import ArgumentTypeError, GraphError, ShapeError
from chainrule._base.tree import flatten, matcher
from chainrule.core import Context, Graph, Input, Variables

KEY = jax.random.key(3)


def rows(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def run(graph, *inputs, variables=None, **context):
    return graph.apply(variables or graph.init(KEY), *inputs, context=Context(**context))


def test_chain_equals_the_nested_formula():
    """C53 C47: y = layer3(layer2(layer1(x))), and every intermediate output can be had by name."""
    x = Input(3)
    graph = Graph((x,), (Affine(2)(Affine(5, "tanh", "second")(Affine(4, "tanh")(x))),))
    variables = graph.init(KEY)
    tap, data = {}, rows(6, 3)
    y, _ = run(graph, data, variables=variables, record=tap)
    p = {path: np.asarray(leaf, np.float64) for path, leaf in flatten(variables.params).items()}
    first = np.tanh(data @ p["affine/kernel"] + p["affine/bias"])
    second = np.tanh(first @ p["second/kernel"] + p["second/bias"])
    third = second @ p["affine_1/kernel"] + p["affine_1/bias"]
    assert list(tap) == ["affine", "second", "affine_1"]
    for path, expected in {"affine": first, "second": second, "affine_1": third}.items():
        np.testing.assert_allclose(tap[path], expected, rtol=1e-5, atol=1e-6)  # float32, three products of <= 5 terms
    np.testing.assert_array_equal(y, tap["affine_1"])


def test_several_inputs_and_outputs():
    """C50: a layer and a model take one or more tensors and give one or more tensors."""
    left, right = Input(3, name="left"), Input(2, name="right")
    a, b = SplitAt(1)(left)
    graph = Graph((left, right), (Plus()(b, right), a))
    (total, first), _ = run(graph, rows(4, 3), rows(4, 2, seed=1))
    np.testing.assert_allclose(total, rows(4, 3)[:, 1:] + rows(4, 2, seed=1))
    np.testing.assert_array_equal(first, rows(4, 3)[:, :1])
    assert graph.input_names == ("left", "right")
    assert graph.output_names == ("plus", "split_at")


def test_branches_and_merges():
    """C52: a directed acyclic graph with a branch and a merge; a diamond is computed once per call."""
    x = Input(3)
    stem = AddConstant(10.0)(x)
    graph = Graph((x,), (Plus()(AddConstant(1.0)(stem), Plus()(stem, AddConstant(2.0)(stem))),))
    y, _ = run(graph, np.zeros((2, 3), np.float32))
    np.testing.assert_array_equal(y, np.full((2, 3), 33.0))
    assert len(graph.nodes) == 5


def test_wide_and_deep_diamonds_take_linear_time():
    """C52: forty diamonds in a row have 2^40 paths but only forty merges."""
    symbol = x = Input(2)
    for _ in range(40):
        symbol = Plus()(symbol, symbol)
    assert len(Graph((x,), (symbol,)).nodes) == 40


def test_shared_layer_has_one_set_of_weights_and_its_gradients_add_up():
    """C125: the gradient of a shared weight is the sum of the gradients of its uses."""
    left, right = Input(3), Input(3)
    shared = Affine(2, "tanh")
    graph = Graph((left, right), (Plus()(shared(left), shared(right)),))
    variables = graph.init(KEY)
    assert list(flatten(variables.params)) == ["affine/kernel", "affine/bias"]
    a, b = rows(4, 3), rows(4, 3, seed=1)

    def loss(params):
        return jnp.sum(run(graph, a, b, variables=Variables(params, {}))[0] ** 2)

    grads = jax.grad(loss)(variables.params)["affine"]
    kernel, bias = (np.asarray(variables.params["affine"][k], np.float64) for k in ("kernel", "bias"))
    ha, hb = np.tanh(a @ kernel + bias), np.tanh(b @ kernel + bias)
    outer = 2 * (ha + hb)
    by_hand = a.T @ (outer * (1 - ha**2)) + b.T @ (outer * (1 - hb**2))
    np.testing.assert_allclose(grads["kernel"], by_hand, rtol=1e-4, atol=1e-5)  # float32 sums of eight terms
    np.testing.assert_allclose(grads["bias"], (outer * (2 - ha**2 - hb**2)).sum(0), rtol=1e-4, atol=1e-5)


def test_shared_layer_called_on_other_width_is_refused():
    wide, narrow, shared = Input(3), Input(2), Affine(4)
    graph = Graph((wide, narrow), (Plus()(shared(wide), shared(narrow)),))
    with pytest.raises(ShapeError, match=r"affine \(Affine\).*kernel is \(3, 4\).*need \(2, 4\).*second layer"):
        graph.init(KEY)


def test_calls_of_a_shared_layer_draw_different_noise():
    x, noise = Input(3), Noise()
    graph = Graph((x,), (noise(x), noise(x)))
    (first, second), _ = run(graph, rows(4, 3), training=True, key=KEY)
    assert not np.allclose(first, second)
    (again, _), _ = run(graph, rows(4, 3), training=True, key=KEY)
    np.testing.assert_array_equal(first, again)


def test_random_layer_without_a_key_says_what_to_pass():
    x = Input(3)
    with pytest.raises(GraphError, match=r"Noise: needs a random key in training.*jax\.random\.key\(seed\)"):
        run(Graph((x,), (Noise()(x),)), rows(2, 3), training=True)


def test_state_of_a_shared_layer_passes_from_call_to_call():
    x, counter = Input(3), CallCounter()
    graph = Graph((x,), (counter(counter(x)),))
    _, state = run(graph, rows(2, 3))
    assert float(state["call_counter"]["calls"]) == 2.0


def test_inserting_a_layer_leaves_other_initial_weights_as_they_were():
    x = Input(3)
    before = Graph((x,), (Affine(2, name="head")(Affine(4, name="stem")(x)),)).init(KEY)
    after = Graph((x,), (Affine(2, name="head")(Affine(4, name="new")(Affine(4, name="stem")(x))),)).init(KEY)
    for path, leaf in flatten(before.params).items():
        np.testing.assert_array_equal(leaf, flatten(after.params)[path])
    assert not np.allclose(after.params["stem"]["bias"], after.params["new"]["bias"])


def test_names_are_counted_within_one_graph_and_avoid_given_names():
    x = Input(3)
    graph = Graph((x,), (Affine(2)(Affine(3)(Affine(4, name="affine_1")(Affine(5)(x)))),))
    assert list(graph.layers) == ["affine", "affine_1", "affine_2", "affine_3"]
    assert list(Graph((x,), (Affine(2)(x),)).layers) == ["affine"]


@pytest.mark.parametrize("name", ["a/b", "a#1", "", "same"])
def test_unusable_or_repeated_names_are_refused(name):
    x = Input(3)
    with pytest.raises(GraphError, match="name of its own"):
        Graph((x,), (Affine(2, name=name)(Affine(3, name="same")(x)),))


def test_nested_graph_and_block_give_paths():
    x, inner = Input(3), Input(3)
    body = Graph((inner,), (Skip(3)(inner),), name="body")
    graph = Graph((x,), (Affine(2)(body(x)),))
    variables = graph.init(KEY)
    assert list(flatten(variables.params))[:2] == ["body/skip/affine/kernel", "body/skip/affine/bias"]
    tap, data = {}, rows(4, 3)
    run(graph, data, variables=variables, record=tap)
    assert list(tap) == ["body/skip/affine", "body/skip/plus", "body/skip", "body", "affine"]
    own = variables.params["body"]["skip"]["affine"]
    np.testing.assert_allclose(tap["body"], data + data @ own["kernel"] + own["bias"], rtol=1e-5, atol=1e-6)
    assert isinstance(graph.layer("body/skip/affine"), Affine)


def test_perturb_gives_gradients_at_any_point():
    """C85: the derivative with respect to an intermediate output, by adding zeros there."""
    x = Input(3)
    graph = Graph((x,), (Affine(2, name="head")(Affine(4, "tanh", "stem")(x)),))
    variables, data = graph.init(KEY), rows(5, 3)

    def total(zeros):
        return jnp.sum(run(graph, data, variables=variables, perturb={"stem": zeros})[0])

    gradient = jax.grad(total)(jnp.zeros((5, 4)))
    by_hand = np.tile(np.asarray(variables.params["head"]["kernel"]).sum(1), (5, 1))
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-6)


def test_perturb_of_a_layer_with_two_outputs():
    x = Input(3)
    graph = Graph((x,), SplitAt(1)(x))
    (a, b), _ = run(graph, np.zeros((2, 3), np.float32), perturb={"split_at": (np.ones((2, 1)), np.full((2, 2), 5.0))})
    np.testing.assert_array_equal(a, np.ones((2, 1)))
    np.testing.assert_array_equal(b, np.full((2, 2), 5.0))


def test_frozen_layers_run_as_in_inference():
    x = Input(3)
    graph = Graph((x,), (Noise(name="kept")(x), Noise(name="stopped")(x)))
    (kept, stopped), _ = run(graph, rows(2, 3), training=True, key=KEY, frozen=matcher("stopped"))
    np.testing.assert_array_equal(stopped, rows(2, 3))
    assert not np.allclose(kept, rows(2, 3))


def test_frozen_part_of_a_shared_graph_is_frozen_at_every_call():
    x, inner = Input(3), Input(3)
    shared = Graph((inner,), (Noise(name="noise")(inner),), name="shared")
    graph = Graph((x,), (shared(x), shared(x)))
    (first, second), _ = run(graph, rows(2, 3), training=True, key=KEY, frozen=matcher("shared/noise"))
    np.testing.assert_array_equal(first, rows(2, 3))
    np.testing.assert_array_equal(second, rows(2, 3))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_symbolic_batch_stands_for_any_batch(batch):
    x = Input(3)
    graph = Graph((x,), (Affine(2)(x),))
    assert str(graph.outputs[0].shape) == "(b, 2)"
    assert run(graph, rows(batch, 3))[0].shape == (batch, 2)


def test_optional_inputs_may_be_left_out():
    x, shift = Input(2), Input(2)
    data, offset = rows(3, 2), rows(3, 2, seed=1)
    bare = Graph((x,), (Scaled()(x),))
    np.testing.assert_array_equal(run(bare, data)[0], data)
    shifted = Graph((x, shift), (Scaled()(x, shift=shift),))
    np.testing.assert_allclose(run(shifted, data, offset)[0], data + offset)
    with pytest.raises(ArgumentTypeError, match=r"\(x, scale, shift\); received 'sfift'. Did you mean 'shift'\?"):
        Scaled()(x, sfift=shift)


def test_wrong_input_shape_names_what_expected_received_and_the_way_out():
    """C52: a wrong shape is told in four parts."""
    x = Input(3, name="age")
    graph = Graph((x,), (Affine(2)(x),))
    with pytest.raises(ShapeError, match=r"model: age must have shape \(b, 3\)") as error:
        run(graph, rows(4, 5))
    assert "received (4, 5)" in str(error.value)
    assert "Pass examples of that shape" in str(error.value)
    with pytest.raises(ShapeError, match=r"expects 1 input\(s\) \(age\); received 2"):
        run(graph, rows(4, 3), rows(4, 3))


def test_wrong_shape_between_layers_is_refused_when_the_model_is_written():
    """C52: the message names the layer and both shapes, before any array exists."""
    with pytest.raises(ShapeError, match=r"merge \(Plus\): cannot be applied to inputs of shape \(b, 3\), \(b, 4\)"):
        Plus(name="merge")(Input(3), Input(4))


def test_error_inside_a_nested_layer_bears_its_path():
    x, inner = Input(3), Input(3)
    graph = Graph((x,), (Graph((inner,), (Affine(2, name="deep")(inner),), name="body")(x),))
    broken = Variables({"body": {"deep": {"kernel": np.zeros((3, 2)), "bias": np.zeros(5)}}}, {})
    with pytest.raises(ShapeError, match=r"deep \(Affine\): cannot be applied") as error:
        run(graph, rows(4, 3), variables=broken)
    assert "in layer body/deep" in error.value.__notes__
    with pytest.raises(GraphError, match=r"body/deep \(Affine\): the weight 'bias' is missing.*received kernel"):
        run(graph, rows(4, 3), variables=Variables({"body": {"deep": {"kernel": np.zeros((3, 2))}}}, {}))


def test_unlisted_and_unused_inputs_are_refused():
    """C52: disconnected graphs are refused, and the input is named."""
    a, b = Input(3, name="a"), Input(3, name="b")
    with pytest.raises(GraphError, match=r"input \(b\) that is not among the model's inputs"):
        Graph((a,), (Plus()(a, b),))
    with pytest.raises(GraphError, match="input 'b' does not reach any output"):
        Graph((a, b), (AddConstant()(a),))


def test_inputs_and_outputs_that_are_no_inputs_or_outputs_are_refused():
    x = Input(3)
    middle = AddConstant()(x)
    for inputs in ((middle,), (x, x)):
        with pytest.raises(GraphError, match="different symbols made by Input"):
            Graph(inputs, (AddConstant()(middle),))
    with pytest.raises(ArgumentTypeError, match=r"outputs must be symbols; received an array of shape \(2, 3\)"):
        Graph((x,), (rows(2, 3),))
    with pytest.raises(GraphError, match="outputs must hold at least one"):
        Graph((x,), ())


def test_unknown_layer_path_suggests_the_nearest():
    x = Input(3)
    graph = Graph((x,), (Affine(2, name="hidden")(x),))
    with pytest.raises(GraphError, match="Did you mean 'hidden'"):
        graph.layer("hiden")
    with pytest.raises(GraphError, match="hidden: is a single layer; it has no part 'kernel'"):
        graph.layer("hidden/kernel")


def test_three_thousand_layers_need_no_recursion():
    """C47: any depth."""
    symbol = x = Input(1)
    for _ in range(3000):
        symbol = AddConstant()(symbol)
    graph = Graph((x,), (symbol,))
    y, _ = run(graph, np.zeros((2, 1), np.float32), variables=Variables({}, {}))
    np.testing.assert_array_equal(y, np.full((2, 1), 3000.0))
    assert list(graph.layers)[-1] == "add_constant_2999"


def test_graph_called_with_another_spec_is_inferred_again():
    """A nested graph whose length may vary takes the length of the graph around it."""
    inner, outer = Input((None, 2)), Input((4, 2))
    body = Graph((inner,), (AddConstant()(inner),), name="body")
    assert str(body(outer).shape) == "(b, 4, 2)"
    with pytest.raises(ShapeError, match=r"body: input must have shape \(b, t, 2\); received \(b, 4, 3\)"):
        body(Input((4, 3)))


def test_compiled_equals_eager():
    x = Input(3)
    graph = Graph((x,), (Skip(3)(Affine(3, "tanh")(x)),))
    variables, data = graph.init(KEY), rows(4, 3)
    compiled = jax.jit(lambda v, a: graph.apply(v, a, context=Context())[0])
    np.testing.assert_allclose(
        compiled(variables, data), run(graph, data, variables=variables)[0], rtol=1e-6, atol=1e-6
    )
