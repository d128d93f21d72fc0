import pytest

from chainrule._base.wording import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 rows were"), (1, "1 row was"), (2, "2 rows were"), (1234, "1,234 rows were")]
)
def test_words_agree_with_the_number(count, text):
    assert counted(count, "row was", "rows were") == text
