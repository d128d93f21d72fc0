import math
import re

from chainrule.report import Column, Estimate, Metric, Score
from chainrule.report.tables import columns_table, number, pairs_table, scores_table


def cells(table):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]


def test_the_best_value_follows_the_metrics_direction():
    metrics = [Metric("AUC"), Metric("RMSE", higher_is_better=False)]
    scores = [Score("net", {"AUC": 0.9, "RMSE": 51_000}), Score("line", {"AUC": 0.8, "RMSE": Estimate(49_000)})]
    table = cells(scores_table(metrics, scores))
    assert table[1] == ["net", "★ 0.900", "51,000"]
    assert table[2] == ["line", "0.800", "★ 49,000"]


def test_values_that_look_equal_are_marked_alike():
    scores = [Score("a", {"AUC": 0.85201}), Score("b", {"AUC": 0.85199})]
    assert scores_table([Metric("AUC")], scores).count("★ 0.852") == 2


def test_a_missing_or_undefined_value_is_a_dash_and_never_best():
    scores = [Score("a", {"F1": math.nan}), Score("b", {}), Score("c", {"F1": 0.1}), Score("d", {"F1": 0.2})]
    assert [row[1] for row in cells(scores_table([Metric("F1")], scores))[1:]] == ["–", "–", "0.100", "★ 0.200"]


def test_a_single_model_is_not_the_best_of_one():
    assert "★ 0.9" not in scores_table([Metric("AUC")], [Score("a", {"AUC": 0.9})])


def test_no_scores_no_table():
    assert scores_table([], []) == ""


def test_columns_table_shows_missing_values_and_roles():
    table = cells(
        columns_table([Column("age", "number", "why", 1234, 9, "1 to 9"), Column("y", "code", role="target")])
    )
    assert table[1] == ["age", "number", "1,234", "9", "1 to 9", "why"]
    assert table[2] == ["y target", "code", "–", "", "", ""]


def test_pairs_are_escaped():
    assert cells(pairs_table({"<a>": "<b>"})) == [["&lt;a&gt;", "&lt;b&gt;"]]


def test_number_keeps_small_and_large_values_readable():
    assert [number(x) for x in (0.0, 0.5, 12.34, -2500.4, 0.0001)] == ["0.000", "0.500", "12.3", "-2,500", "0.0001"]


def test_what_is_tiny_beside_its_column_is_zero():
    scores = [Score("net", {"R²": 0.68}), Score("mean", {"R²": Estimate(-9.07e-5, -0.0001, 0.02)})]
    assert cells(scores_table([Metric("R²")], scores))[2] == ["mean", "0.0000.000 to 0.020"]
    tiny = [Score("a", {"RMSE": 2e-5}), Score("b", {"RMSE": 3e-5})]
    assert cells(scores_table([Metric("RMSE", higher_is_better=False)], tiny))[1][1] == "★ 2e-05"
