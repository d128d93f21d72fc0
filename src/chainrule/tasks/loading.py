"""A run of any task, from its folder or its model file."""

from __future__ import annotations

from pathlib import Path

from chainrule._base.errors import DataError
from chainrule.models import load
from chainrule.tasks import labelled, predictor, tabular
from chainrule.tasks.finished import FinishedRun


def load_run(path: str | Path) -> FinishedRun:
    """The run in a folder, or in its ``model.chainrule`` alone.

    Raises:
        DataError: there is no such run.
        FormatError: the model is damaged or was not made by a task.
    """
    path = Path(path)
    file = path / "model.chainrule" if path.is_dir() else path
    if not file.exists():
        where = f"{path}: the folder holds no model.chainrule" if path.is_dir() else f"{path}: there is no such file"
        raise DataError(f"{where}. Name a finished run (`chainrule runs` lists them) or a model.chainrule file.")
    model, folder = load(file), path if path.is_dir() else path.parent
    if model.extra.get("task") in labelled.KINDS:
        found = labelled.unpack(model, str(file))
        return labelled.LabelledRun(folder, found, found.facts)
    loaded = predictor.unpack(model, str(file))
    return tabular.TableRun(folder, loaded, loaded.facts)
