import pytest

from chainrule.errors import ArgumentError
from chainrule.tasks import ImageConfig, TableConfig, TextSettings


@pytest.mark.parametrize(
    ("settings", "typed", "meant"),
    [
        (ImageConfig(), "lr", "learning_rate"),
        (TextSettings(), "lr", "learning_rate"),
        (TableConfig(), "layers", "depth"),
        (ImageConfig(), "model", "network"),
        (ImageConfig(), "widht", "width"),
        (TextSettings(), "hidden", "units"),
        (ImageConfig(), "hidden", "width"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest_and_all(settings, typed, meant):
    with pytest.raises(
        ArgumentError, match=f"'{typed}' is no hyperparameter of this task. Did you mean '{meant}'"
    ) as e:
        settings.replaced({typed: "1"})
    assert str(e.value).endswith(f"Known: {', '.join(settings.rows())}.")


def test_a_name_like_nothing_gets_the_list_alone():
    with pytest.raises(ArgumentError, match=r"'qqq' is no hyperparameter of this task\. Known: epochs, "):
        ImageConfig().replaced({"qqq": 1})
