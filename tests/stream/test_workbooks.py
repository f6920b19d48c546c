"""Workbooks that people have: hidden sheets, cells with errors, damaged copies."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.workbooks import is_workbook, workbook_rows

pytest.importorskip("python_calamine")

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ROW = '<row r="1"><c t="str"><v>question</v></c></row><row r="2"><c t="str"><v>{}</v></c></row>'


def workbook(path: Path, *sheets: tuple[str, str, str]) -> str:
    """Writes a workbook of sheets, each with its name, `visible` or `hidden`, and its rows."""
    listed, parts = "", ""
    with zipfile.ZipFile(path, "w") as file:
        for number, (name, state, rows) in enumerate(sheets, 1):
            listed += f'<sheet name="{name}" sheetId="{number}" state="{state}" r:id="r{number}"/>'
            parts += f'<Relationship Id="r{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            text = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            file.writestr(f"xl/worksheets/sheet{number}.xml", text)
        root = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        file.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}">{root}</Relationships>')
        sheets_xml = f"<sheets>{listed}</sheets>"
        file.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheets_xml}</workbook>')
        file.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{parts}</Relationships>')
    return str(path)


def questions(path: str) -> list[object]:
    return [row["question"] for row in workbook_rows(path) if row is not None]


@pytest.mark.parametrize(
    ("sheets", "read"),
    [
        ([("A", "visible", ROW.format("a")), ("B", "hidden", ROW.format("b"))], "a"),
        ([("A", "visible", ""), ("B", "hidden", ROW.format("b"))], "b"),
        ([("A", "visible", ""), ("B", "visible", ROW.format("b")), ("C", "hidden", ROW.format("c"))], "b"),
        ([("A", "hidden", ""), ("B", "visible", ""), ("C", "hidden", ROW.format("c"))], "c"),
    ],
)
def test_the_only_visible_sheet_with_cells_is_read_or_else_the_only_hidden_one(tmp_path, sheets, read):
    assert questions(workbook(tmp_path / "rows.xlsx", *sheets)) == [read]


def test_of_two_hidden_sheets_with_cells_one_must_be_named(tmp_path):
    hidden = [(name, "hidden", ROW.format(name)) for name in "BC"]
    path = workbook(tmp_path / "rows.xlsx", ("A", "visible", ""), *hidden)
    with pytest.raises(Fatal, match='2 sheets hold rows: "B" and "C"; choose one') as raised:
        questions(path)
    assert raised.value.status == Exit.USAGE


def test_a_damaged_archive_is_no_workbook_or_one_that_cannot_be_read(tmp_path):
    path = tmp_path / "rows.ods"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet" * 9)
    data = bytearray(path.read_bytes())
    data[38:44] = b"\xff" * 6
    path.write_bytes(data)
    with zipfile.ZipFile(path) as file, pytest.raises(zlib.error):
        file.read("mimetype")
    assert not is_workbook(str(path))


def test_a_workbook_without_a_response_has_an_empty_one(tmp_path):
    cells = '<row r="{}"><c t="str"><v>{}</v></c><c t="str"><v>{}</v></c></row>'
    rows = cells.format(1, "said", "n") + cells.format(2, "", "x") + '<row r="3"><c><v>4</v></c><c><v>4</v></c></row>'
    path = workbook(tmp_path / "rows.xlsx", ("A", "visible", rows))
    assert list(workbook_rows(path, taken={"said": "response"}))[1:] == [{"said": "", "n": "x"}, {"said": "4", "n": 4}]
    assert list(workbook_rows(path))[1:] == [{"said": None, "n": "x"}, {"said": 4, "n": 4}]


def test_an_error_in_a_cell_reads_as_an_empty_one(tmp_path):
    rows = ROW.format("a") + '<row r="3"><c t="e"><v>#N/A</v></c></row>'
    assert list(workbook_rows(workbook(tmp_path / "rows.xlsx", ("A", "visible", rows))))[1:] == [
        {"question": "a"},
        None,
    ]
