"""Workbooks of Excel and LibreOffice to rows: the first row of a sheet that is not empty names the columns."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.similar import nearest_name
from libra_cli.stream.other_formats import HEAD_BYTES, begins_workbook
from libra_cli.stream.tables import TableRecords, needing, one_line
from libra_cli.stream.text_columns import TextColumns, as_text

_PARTS = ("xl/workbook.xml", "xl/workbook.bin")
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"
_DIGITS = 15
"""Significant digits of a number in a workbook; what a binary fraction has beyond them, no program shows."""


def is_workbook(path: str) -> bool:
    """Whether a file that begins as workbooks do is one; raises OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            is_open_document = "mimetype" in names and archive.read("mimetype").startswith(_OPEN_DOCUMENT)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        with open(path, "rb") as file:
            return begins_workbook(file.read(HEAD_BYTES))
    return is_open_document or any(part in names for part in _PARTS)


def workbook_rows(path: str, sheet: str | None = None, taken: Mapping[str, str] | None = None) -> TableRecords:
    """The rows of a sheet (None: the only one that holds cells), from its first on; None for one that is no row.

    Those are the ones without a value, and the one that names the columns: a row keeps the number that it has in the
    sheet. `taken`: columns -> the fields that options take them for. Raises Fatal(2 or 7).
    """
    with needing(f"{path}: a workbook"):
        import python_calamine
    try:
        with python_calamine.load_workbook(path) as workbook:
            cells = workbook.get_sheet_by_name(_sheet(path, workbook, sheet)).iter_rows()
            yield from _records(path, cells, taken)
    except python_calamine.PasswordError:
        raise Fatal(Exit.USAGE, f"{path}: the workbook needs a password; save it without one") from None
    except (python_calamine.CalamineError, OSError) as error:
        reason = f"the workbook cannot be read ({one_line(error)}); copy it again, or save the sheet as CSV"
        raise Fatal(Exit.INCOMPLETE, f"{path}: {reason}") from None


def _sheet(path: str, workbook: Any, wanted: str | None) -> str:
    """The name of the sheet to read; raises Fatal(2) if that is not certain."""
    kind, visible = "SheetTypeEnum.WorkSheet", "SheetVisibleEnum.Visible"
    sheets = [sheet for sheet in workbook.sheets_metadata if str(sheet.typ) == kind]
    names = [str(sheet.name) for sheet in sheets]
    if wanted is not None:
        if wanted not in names:
            folded = {name.casefold(): name for name in names}
            close = nearest_name(wanted.casefold(), folded)
            hint = f'did you mean "{folded[close]}"? ' if close else ""
            raise Fatal(Exit.USAGE, f'{path}: no sheet is named "{wanted}"; {hint}{_there_are(names)}')
        return wanted
    shown = [str(sheet.name) for sheet in sheets if str(sheet.visible) == visible]
    filled = (_filled(workbook, shown) or _filled(workbook, names)) if len(names) > 1 else names
    if len(filled) > 1:
        cure = "choose one: libra collect --sheet NAME FILE"
        raise Fatal(Exit.USAGE, f"{path}: {len(filled)} sheets hold rows: {_listed(filled)}; {cure}")
    if not names:
        raise Fatal(Exit.USAGE, f"{path}: the workbook has no sheet with cells; name another file")
    return (filled or names)[0]


def _filled(workbook: Any, names: Sequence[str]) -> list[str]:
    """Those of the sheets that hold cells."""
    return [name for name in names if workbook.get_sheet_by_name(name).height]


def _there_are(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"its only sheet is {_listed(names)}"
    return f"its sheets are {_listed(names)}" if names else "it has no sheet with cells"


def _listed(names: Sequence[str]) -> str:
    *others, last = (f'"{name}"' for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def _records(
    path: str, table: Iterator[list[Any]], taken: Mapping[str, str] | None
) -> Iterator[Mapping[str, Any] | None]:
    columns: list[str] | None = None
    texts = TextColumns(())
    for number, cells in enumerate(table, 1):
        if all(cell == "" for cell in cells):
            yield None
        elif columns is None:
            columns = ["" if cell == "" else str(_value(cell)).strip() for cell in cells]
            if twice := next((name for name, count in Counter(columns).items() if name and count > 1), None):
                raise Fatal(Exit.USAGE, f'{path}:{number}: two columns are named "{twice}"; rename one')
            texts = TextColumns(filter(None, columns), taken)
            yield None
        else:
            for position, (name, cell) in enumerate(zip(columns, cells, strict=True), 1):
                if not name and cell != "":
                    what = f"column {_letters(position)} holds a value and has no name"
                    raise Fatal(Exit.USAGE, f"{path}:{number}: {what}; the first row that is not empty names columns")
            named = zip(columns, cells, strict=True)
            row = {name: _value(cell) for name, cell in named if name}
            yield texts.fill({name: as_text(value) if name in texts else value for name, value in row.items()})


def _value(cell: Any) -> Any:
    """The value of a cell: null if it is empty; a number without the digits that no workbook has."""
    if cell == "":
        return None
    if not isinstance(cell, float):
        return cell
    number = float(f"{cell:.{_DIGITS}g}")
    return int(number) if number.is_integer() and abs(number) < 10**_DIGITS else number


def _letters(position: int) -> str:
    """The name of a column: A for 1, AB for 28."""
    rest, letter = divmod(position - 1, 26)
    return (_letters(rest) if rest else "") + chr(ord("A") + letter)
