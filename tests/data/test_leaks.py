import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from chainrule.data import (
    Split,
    TablePreparer,
    check_preparer,
    infer_schema,
    read_table,
    read_target,
    scan,
    split,
)
from chainrule.data.leaks import auc

N = 120
RNG = np.random.default_rng(0)
ILL = RNG.integers(0, 2, N)
NOISE = RNG.normal(size=N)


def findings(columns, target, **options):
    table = read_table({name: list(values) for name, values in columns.items()})
    return scan(table, infer_schema(table), read_target(table, target), options.pop("made", None), **options)


def kinds(found):
    return [(finding.kind, finding.column) for finding in found]


def test_clean_table_has_no_findings():
    """C143: nothing is found where nothing leaks."""
    weak = NOISE + ILL  # a good but honest predictor: AUC about 0.76
    towns = RNG.choice(list("abcdefghij"), N)
    assert findings({"x": weak, "town": towns, "y": ILL}, "y", made=split(N)) == ()


@pytest.mark.parametrize("leak", [ILL + NOISE / 1e3, -5.0 * ILL + NOISE / 10])
def test_number_that_gives_the_answer(leak):
    """C143: target proxy, binary."""
    (finding,) = findings({"x": NOISE, "after": leak, "y": ILL}, "y")
    assert (finding.kind, finding.column) == ("proxy", "after")
    assert "AUC of 1.000" in finding.message
    assert "Leave the column out" in finding.action


def test_category_that_gives_the_answer():
    ward = np.where(ILL == 1, RNG.choice(["icu", "er"], N), RNG.choice(["home", "work"], N))
    assert kinds(findings({"x": NOISE, "ward": ward, "y": ILL}, "y")) == [("proxy", "ward")]


def test_proxies_of_classes_and_amounts():
    classes = RNG.integers(0, 3, N)
    named = np.array(["a", "b", "c"])[classes]
    assert kinds(findings({"x": NOISE, "leak": classes * 2.5 + NOISE / 100, "y": named}, "y")) == [("proxy", "leak")]
    amounts = RNG.lognormal(size=N)
    found = findings({"x": NOISE, "log": np.log(amounts), "y": amounts}, "y")
    assert kinds(found) == [("proxy", "log")]
    assert "rank correlation of 1.000" in found[0].message


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_missingness_that_gives_the_answer(share):
    """C132 C143: being filled in gives a class away, wholly or for some rows."""
    given = (ILL == 1) & (RNG.random(N) < share)
    body = [float(value) if known else None for value, known in zip(NOISE, given, strict=True)]
    assert kinds(findings({"x": NOISE, "body": body, "y": ILL}, "y")) == [("missingness", "body")]


def test_identifier():
    (finding,) = findings({"x": NOISE, "row": range(N), "y": ILL}, "y")
    assert (finding.kind, finding.column) == ("identifier", "row")
    assert finding.action == "It is not used as a feature."  # every row has its own: nothing to group by


def test_identifiers_are_one_finding_that_ends_with_the_option_to_type():
    """Of a column with gaps only the gaps are used; a column with gaps or without repeats cannot divide rows."""
    ticket = [f"T{n * 2 // 3}" for n in range(N)]
    cabin = [f"C{n}" if n % 3 else None for n in range(N)]
    (both,) = findings({"x": NOISE, "cabin": cabin, "my ticket": ticket, "y": ILL}, "y")
    assert (both.kind, both.column) == ("identifier", None)
    assert both.message == "columns 'cabin' and 'my ticket' look like identifiers."
    assert both.action.startswith("Their text is not used, only whether 'cabin' is filled in.")
    assert both.action.endswith("--group 'my ticket'")
    (one,) = findings({"x": NOISE, "cabin": cabin, "y": ILL}, "y")
    assert one.action == "Its text is not used, only whether it is filled in."
    groups = split(N, groups=ticket)
    (grouped,) = findings({"x": NOISE, "ticket": ticket, "y": ILL}, "y", made=groups)
    assert "--group" not in grouped.action


def test_a_single_row_is_told_in_the_singular():
    made = Split(np.arange(60), np.arange(60, 90), np.arange(90, 120))
    x = NOISE.copy()
    x[119] = x[0]
    (finding,) = findings({"x": x, "y": ILL}, "y", made=made)
    assert finding.message == "1 validation or test row is an exact copy of a training row."


def test_copies_on_both_sides():
    """C143: duplicates across splits."""
    x = np.concatenate([NOISE[:60], NOISE[:60]])
    made = Split(np.arange(60), np.arange(60, 90), np.arange(90, 120))
    (finding,) = findings({"x": x, "y": np.tile([0, 1], 60)}, "y", made=made)
    assert (finding.kind, finding.message[:2]) == ("duplicates", "60")


def test_groups_and_time_on_both_sides():
    """C143: group and time leaks."""
    groups = np.arange(N) // 2
    assert kinds(findings({"x": NOISE, "y": ILL}, "y", made=split(N), groups=groups)) == [("groups", None)]
    assert findings({"x": NOISE, "y": ILL}, "y", made=split(N, groups=groups), groups=groups) == ()
    assert kinds(findings({"x": NOISE, "y": ILL}, "y", made=split(N), time=np.arange(N))) == [("time", None)]
    assert findings({"x": NOISE, "y": ILL}, "y", made=split(N, time=np.arange(N)), time=np.arange(N)) == ()


def test_preparer_fitted_before_the_split():
    """C143: a scaler fitted on all rows is found."""
    table = read_table({"x": NOISE, "y": ILL})
    made = split(N)
    schema = infer_schema(table)
    (finding,) = check_preparer(TablePreparer().fit(table, schema, exclude=("y",)), made)
    assert finding.kind == "preparer"
    assert "fitted on 120 rows, but training has 72" in finding.message
    assert check_preparer(TablePreparer().fit(table, schema, made.train, exclude=("y",)), made) == ()
    assert dataclasses.is_dataclass(finding)


def test_auc_as_sklearn():
    scores = np.round(NOISE + ILL, 1)  # with ties
    assert auc(scores, ILL == 1) == pytest.approx(roc_auc_score(ILL, scores), rel=1e-12)


def test_titanic_boat_and_body(shared_data):
    table = read_table(shared_data / "titanic" / "titanic3.csv")
    found = scan(table, infer_schema(table), read_target(table, "survived"))
    assert set(kinds(found)) >= {("missingness", "boat"), ("missingness", "body")}
    assert not {"sex", "age", "pclass", "fare", "cabin"} & {f.column for f in found if f.kind != "identifier"}


def test_honest_tables_have_no_proxy(shared_data):
    for path, target in (
        ("heart_cleveland/heart_cleveland.csv", "num>0"),
        ("mammography/mammography.csv", "class"),
        ("auto_mpg/mpg.csv", "mpg"),
        ("california_housing/housing.csv", "median_house_value"),
    ):
        table = read_table(shared_data / path)
        made = read_target(table, target)
        assert [f for f in scan(table, infer_schema(table), made) if f.kind != "identifier"] == []
