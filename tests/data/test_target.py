import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, DataError
from chainrule._base.registry import from_config, to_config
from chainrule.data import read_table, read_target


def target_of(values, target="y", **options):
    return read_target(read_table({"y": values, "x": list(range(len(values)))}), target, **options)


@pytest.mark.parametrize(
    ("values", "task", "classes", "encoded"),
    [
        (["yes", "no", "no"] * 3, "binary", ("no", "yes"), [1, 0, 0] * 3),
        ([-1, 1, -1] * 3, "binary", ("-1", "1"), [0, 1, 0] * 3),
        (["b", "a", "c"] * 3, "multiclass", ("a", "b", "c"), [1, 0, 2] * 3),
        ([10, 2, 0] * 3, "multiclass", ("0", "2", "10"), [2, 1, 0] * 3),
        ([0.5, 1.5, 2.5] * 3, "regression", (), [0.5, 1.5, 2.5] * 3),
        (list(range(30)), "regression", (), list(range(30))),
    ],
)
def test_task_is_found_from_the_values(values, task, classes, encoded):
    """C78: the target's type decides the task, with the reason."""
    target = target_of(values)
    assert (target.task, target.classes) == (task, classes)
    assert target.values.tolist() == encoded
    assert "'y'" in target.reason


def test_missing_targets_are_left_out_and_counted():
    target = target_of([1.5, None, 2.5, None, 3.5])
    assert target.rows.tolist() == [0, 2, 4]
    assert target.notes == ("2 of 5 rows have no target and were left out.",)
    table = read_table({"y": [1.5, None, 2.5, 3.5]})
    assert read_target(table, "y", num_left_out=7).notes == ("1 of 11 rows has no target and was left out.",)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("y>1", [0, 0, 1, 1]),
        ("y >= 1", [0, 1, 1, 1]),
        ("y<1", [1, 0, 0, 0]),
        ("y<=1", [1, 1, 0, 0]),
        ("y==1", [0, 1, 0, 0]),
        ("y!=1", [1, 0, 1, 1]),
    ],
)
def test_comparison(expression, expected):
    target = target_of([0, 1, 2, 3] * 3, expression)
    assert target.values.tolist() == expected * 3
    assert (target.task, target.classes) == ("binary", ("no", "yes"))
    assert target.encoder.encode(read_table({"y": [0, 1, 2, 3]})).tolist() == expected


def test_comparison_with_text():
    assert target_of(["a", "b", "c"] * 3, "y == 'a'").values.tolist() == [1, 0, 0] * 3
    with pytest.raises(DataError, match="has no order"):
        target_of(["a", "b"] * 3, "y>a")
    with pytest.raises(DataError, match="compares numbers with 'a'"):
        target_of([1, 2] * 3, "y>a")


def test_expression_is_never_executed():
    with pytest.raises(DataError):
        target_of([0, 1] * 3, "y>__import__('os').getcwd()")


BAD = [
    ([1, 1, 1], "y", r"single value '1' in all 3 rows.*Choose another target"),
    ([None, None], "y", r"missing in all 2 rows"),
    ([0, 1, 2] * 3, "z", r"no column is called 'z'"),
    (["a"] * 9 + ["b"] * 2, "y", r"at least 3 rows of each class.*'b' \(2\).*merge"),
    ([f"name {n}" for n in range(30)], "y", r"30 different values in 30 rows.*no set of classes"),
    ([str(n) for n in range(30)] + ["oops"], "y", r"row 31, column 'y': the target holds numbers, but here 'oops'"),
    ([0, 1, 2] * 3, "y>7", r"single value 'no'"),
]


@pytest.mark.parametrize(("values", "target", "message"), BAD)
def test_bad_target(values, target, message):
    with pytest.raises(DataError, match=message):
        target_of(values, target)


def test_misspelt_target():
    with pytest.raises(DataError, match=r"'diseas'. Did you mean 'disease'\? Its columns are: age, disease"):
        read_target(read_table({"age": [1, 2], "disease": [0, 1]}), "diseas")


def test_chosen_task():
    assert target_of([1, 2, 3] * 5, task="regression").task == "regression"
    with pytest.raises(DataError, match="regression needs numbers"):
        target_of(["a", "b"] * 5, task="regression")
    with pytest.raises(DataError, match="'y>0'"):
        target_of([1, 2, 3] * 5, task="binary")
    with pytest.raises(DataError, match="too many classes"):
        target_of([n / 7 for n in range(30)], task="multiclass")
    with pytest.raises(ArgumentError, match="Did you mean 'binary'"):
        target_of([0, 1], task="binry")


def test_positive_class():
    target = target_of(["ill", "well", "well"] * 3, positive="ill")
    assert target.classes == ("well", "ill")
    assert target.values.tolist() == [1, 0, 0] * 3
    with pytest.raises(DataError, match="ill, well"):
        target_of(["ill", "well"] * 3, positive="dead")


def test_multilabel():
    table = read_table({"a": [1, 0, 1, None], "b": [0, 0, 1, 1], "x": [1, 2, 3, 4]})
    target = read_target(table, ["a", "b"])
    assert target.task == "multilabel"
    assert target.values.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert target.counts == {"a": 2, "b": 1}
    with pytest.raises(DataError, match=r"row 2, column 'x'.*0 or 1; received '2'"):
        read_target(table, ["b", "x"])


def test_encoder_at_evaluation_names_row_and_class():
    encoder = target_of(["a", "b"] * 3).encoder
    with pytest.raises(DataError, match=r"row 2, column 'y': 'z' is not a class of this model; expected one of a, b"):
        encoder.encode(read_table({"y": ["a", "z"]}))
    with pytest.raises(DataError, match=r"row 1, column 'y': the target is missing"):
        encoder.encode(read_table({"y": [None, "a"]}))
    assert from_config(to_config(encoder)) == encoder
    assert encoder.class_names(np.array([1, 0])) == ["b", "a"]


def test_regression_scale_is_the_training_part_only():
    """C143: mean and scale of the target come from training rows."""
    target = target_of([1.5, 2.5, 4.5, 1000.0])
    encoder = target.encoder_for(np.array([0, 1, 2]))
    part = np.array([1.5, 2.5, 4.5])
    assert encoder.mean == pytest.approx(part.mean())
    assert encoder.scale == pytest.approx(part.std())
    np.testing.assert_allclose(encoder.inverse(encoder.scaled(target.values)), target.values, rtol=1e-6)  # float32
    with pytest.raises(DataError, match="must hold numbers"):
        encoder.encode(read_table({"y": ["a", "b"]}))


def test_heart(shared_data):
    table = read_table(shared_data / "heart_cleveland" / "heart_cleveland.csv")
    assert read_target(table, "num").counts == {"0": 164, "1": 55, "2": 36, "3": 35, "4": 13}
    assert read_target(table, "num>0").counts == {"no": 164, "yes": 139}
