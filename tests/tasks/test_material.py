import numpy as np
import polars as pl
import pytest

from chainrule.errors import ArgumentError, DataError
from chainrule.tasks.material import Question, features_in_blocks, gather, targets_of


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.normal(10, 3, rows).round(2)
    return pl.DataFrame(
        {
            "height": rng.normal(170, 10, rows).round(1),
            "size": [None if i % 9 == 4 else float(v) for i, v in enumerate(size)],
            "hair": rng.choice(["black", "red", "fair"], rows),
            "family": np.repeat(np.arange(rows // 3), 3).astype(str),
            "day": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(rows)],
            "kind": np.where(rng.uniform(size=rows) < 0.5, "cat", "dog"),
            "price": (size * 7 + rng.normal(size=rows)).round(3),
        }
    )


def test_the_schema_becomes_the_input_and_the_words_say_so():
    """C281: the number of inputs follows from the table's columns, and is told."""
    made = gather(table(), Question("kind", drop=("family", "day", "price")))
    # height, size, size is missing, three colours of hair
    assert made.features.shape == (60, 6)
    assert made.preparer.column_of_feature == ("height", "size", "size", "hair", "hair", "hair")
    assert any(line.startswith("Input: 6 numbers made of 3 columns") for line in made.words)


@pytest.mark.parametrize(
    ("target", "task", "loss", "outputs"),
    [
        ("kind", "binary", "binary_cross_entropy", 1),
        ("hair", "multiclass", "cross_entropy", 3),
        ("price", "regression", "mse", 1),
        ("height>170", "binary", "binary_cross_entropy", 1),
    ],
)
def test_the_targets_type_decides_task_loss_and_outputs_with_the_reason(target, task, loss, outputs):
    """C78: classification or regression follows from the target, printed with the reason."""
    made = gather(table(), Question(target))
    assert (made.encoder.task, made.num_outputs) == (task, outputs)
    told = "\n".join(made.words)
    assert f"Loss: {loss} (" in told
    assert made.target.reason in told
    name = target.split(">")[0]
    assert name not in made.preparer.columns


def test_nothing_learned_from_data_has_seen_other_rows_than_training():
    """C55: the preparation is that of the training rows, whatever the others hold."""
    frame = table()
    first = gather(frame, Question("price", drop=("family", "day")))
    train = first.split.train
    outside = np.setdiff1d(np.arange(60), train)
    changed = frame.with_row_index("n").with_columns(
        height=pl.when(pl.col("n").is_in(outside)).then(pl.col("height") * 100 + 5).otherwise(pl.col("height")),
        price=pl.when(pl.col("n").is_in(outside)).then(pl.col("price") * 50).otherwise(pl.col("price")),
    ).drop("n")  # fmt: skip
    second = gather(changed, Question("price", drop=("family", "day")))
    np.testing.assert_array_equal(second.split.train, train)
    np.testing.assert_array_equal(second.features[train], first.features[train])
    np.testing.assert_array_equal(targets_of(second)[train], targets_of(first)[train])
    assert not np.allclose(second.features[outside], first.features[outside])
    np.testing.assert_array_equal(second.plain_features[train], first.plain_features[train])


def test_a_scaled_target_has_mean_0_and_deviation_1_on_the_training_rows():
    made = gather(table(), Question("price"))
    part = targets_of(made)[made.split.train]
    assert part.mean() == pytest.approx(0, abs=1e-6)
    assert part.std() == pytest.approx(1, abs=1e-6)


def test_groups_stay_together_and_are_no_feature():
    made = gather(table(), Question("kind", group="family"))
    families = table()["family"].to_numpy()
    sides = [set(families[rows]) for rows in (made.split.train, made.split.validation, made.split.test)]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert "family" not in made.preparer.columns


def test_time_puts_training_first_and_the_test_last():
    made = gather(table(), Question("price", time="day"))
    days = table()["day"].to_numpy()
    assert max(days[made.split.train]) <= min(days[made.split.validation])
    assert max(days[made.split.validation]) <= min(days[made.split.test])
    with pytest.raises(DataError, match="2024-01-31"):
        gather(table(), Question("price", time="hair"))


def test_a_split_by_time_is_told_with_its_borders_and_without_a_seed():
    told = "\n".join(gather(table(), Question("price", time="day", seed=7)).words)
    days = sorted(table()["day"])
    assert "column 'day')" in told
    assert "seed 7" not in told
    assert "'day' only divides the rows and is no feature" in told
    assert f"the test begins at {days[48]}" in told
    assert "--time day" not in told


def test_a_date_with_a_random_split_asks_for_a_split_by_time():
    told = "\n".join(gather(table(), Question("price", seed=7)).words)
    assert "'day' is a date: if you will predict later rows, add --time day." in told
    assert "seed 7" in told
    assert "--time day" not in "\n".join(gather(table(), Question("price", drop=("day",))).words)


@pytest.mark.parametrize(
    ("target", "words"), [("kind", "have chosen epoch and threshold"), ("price", "chosen the epoch")]
)
def test_a_threshold_is_spoken_of_for_two_classes_only(target, words):
    assert words in "\n".join(gather(table(), Question(target)).words)


def test_copies_of_a_row_stay_on_one_side_but_few_combinations_are_no_copies():
    frame = table()
    doubled = pl.concat([frame, frame])
    made = gather(doubled, Question("kind"))
    part = np.zeros(120, int)
    part[made.split.validation], part[made.split.test] = 1, 2
    np.testing.assert_array_equal(part[:60], part[60:])
    coarse = pl.DataFrame({"a": [0, 1] * 100, "b": [0, 0, 1, 1] * 50, "y": ["u", "v", "v", "u"] * 50})
    assert gather(coarse, Question("y")).split.sizes == {"train": 120, "validation": 40, "test": 40}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"target": "knid"}, "Did you mean 'kind'"),
        ({"target": "kind", "drop": ("hieght",)}, "Did you mean 'height'"),
        ({"target": "kind", "kinds": {"hight": "number"}}, "Did you mean 'height'"),
        ({"target": "kind", "group": "famly"}, "Did you mean 'family'"),
        ({"target": "kind", "group": "kind"}, "is the target"),
        ({"target": "kind", "group": "family", "time": "day"}, "exclude each other"),
        ({"target": "price", "balance": "weights"}, "the task is regression"),
        ({"target": "kind", "balance": "wieghts"}, "Did you mean 'weights'"),
        ({"target": "kind", "validation": 0.5, "test": 0.5}, "leave rows"),
        ({"target": "kind", "test": 0.0}, "above 0"),
        ({"target": "kind", "settings": {"widht": 3}}, "Did you mean 'width'"),
        ({"target": "kind", "kinds": {"hair": "number"}}, "cannot be a number"),
        ({"target": "kind", "seed": -1}, "seed"),
    ],
)
def test_bad_questions_are_refused_with_what_to_type(question, message):
    with pytest.raises((ArgumentError, DataError), match=message):
        gather(table(), Question(**question))


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="at least 10"):
        gather(table(9), Question("price"))


def test_imbalance_and_leaks_are_told():
    """C140: an imbalanced target is said, with the switch that weights its classes."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=200), "y": ["no"] * 180 + ["yes"] * 20})
    frame = frame.with_columns(answer=pl.Series([0.0 + i / 1000 for i in range(180)] + [5.0 + i for i in range(20)]))
    made = gather(frame, Question("y"))
    told = "\n".join(made.words)
    assert "imbalanced" in told
    assert "--balance weights" in told
    assert "'answer' alone predicts the target" in told
    assert [finding.column for finding in made.findings] == ["answer"]


def test_control_characters_in_names_do_not_reach_the_terminal():
    frame = table().rename({"hair": "ha\x1b[31mir"})
    assert not any("\x1b" in line for line in gather(frame, Question("kind")).words)


def test_features_made_in_blocks_are_those_made_at_once(monkeypatch):
    made = gather(table(), Question("kind"))
    monkeypatch.setattr("chainrule.tasks.material._BLOCK", 7)
    np.testing.assert_array_equal(features_in_blocks(made.preparer, made.table), made.preparer.transform(made.table))
