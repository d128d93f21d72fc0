"""Excel and OpenDocument sheets as columns of text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chainrule._base.errors import DataError, did_you_mean
from chainrule._base.optional import optional_import
from chainrule.data.sources.delimited import RawTable, with_header


def read_excel(path: Path, *, sheet: str | int = 0, header: bool | None = None) -> RawTable:
    """Read one sheet as text columns, types being found afterwards as for any other file.

    Args:
        path: the workbook.
        sheet: name, or number counted from 0.
        header: whether the first row names the columns; ``None`` decides from the values.

    Raises:
        DataError: the workbook is damaged, or has no such sheet or no rows.
    """
    fastexcel = optional_import("fastexcel", purpose="reading Excel files")
    name = path.name
    try:
        workbook = fastexcel.read_excel(path)
        sheets = workbook.sheet_names
        _check_sheet(sheet, sheets, name)
        loaded = workbook.load_sheet(sheet, header_row=None, dtypes="string")
        frame = loaded.to_polars()
    except fastexcel.FastExcelError as error:
        reason = str(error).split("\n")[0]
        raise DataError(
            f"{name}: not a readable workbook ({reason}). Open it in Excel and save it again, or export CSV."
        ) from error
    if not frame.height or not frame.width:
        raise DataError(f"{name}: the sheet {loaded.name!r} is empty. Name another sheet, or fill it.")
    notes = []
    if len(sheets) > 1:
        notes.append(f"{name}: read sheet {loaded.name!r} of {len(sheets)}.")
    return with_header(frame, name, np.arange(1, frame.height + 1), header=header, notes=notes)


def _check_sheet(sheet: str | int, sheets: list[str], name: str) -> None:
    known = sheet in sheets if isinstance(sheet, str) else 0 <= sheet < len(sheets)
    if not known:
        hint = did_you_mean(sheet, sheets) if isinstance(sheet, str) else ""
        raise DataError(f"{name}: no sheet {sheet!r}.{hint} Its sheets are: {', '.join(sheets)}.")
