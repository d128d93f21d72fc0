import pytest

from chainrule._base.errors import DataError
from chainrule.data import infer_schema, read_table, read_target
from chainrule.datasets import load_heart, path


def test_heart_has_303_patients_and_6_missing_values():
    table = load_heart()
    assert table.frame.shape == (303, 14)
    assert {name: count for name, count in table.frame.null_count().to_dicts()[0].items() if count} == {
        "ca": 4, "thal": 2,
    }  # fmt: skip
    assert read_target(table, "disease").counts == {"no": 164, "yes": 139}
    assert infer_schema(table)["thal"].kind == "code"


def test_heart_agrees_with_the_original(shared_data):
    original = read_table(shared_data / "heart_cleveland" / "processed.cleveland.data")
    ours = load_heart()
    for index, name in enumerate(ours.columns[:-1], start=1):
        assert ours.column(name).to_list() == original.column(f"c{index}").to_list()
    assert [value == "yes" for value in ours.column("disease")] == [num > 0 for num in original.column("c14")]


def test_unknown_data_set():
    with pytest.raises(DataError, match=r"'hart.csv'. Did you mean 'heart.csv'"):
        path("hart.csv")


def test_licence_and_source_are_told():
    text = (path("heart.csv").parent / "README.md").read_text()
    assert "CC BY 4.0" in text
    assert "10.24432/C52P4X" in text
