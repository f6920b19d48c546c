"""What a file is whose lines are no rows: the format that it looks like, and how to make rows of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from libra_cli.stream.rows import RowError, parse

NO_ROW = ("bad_json", "bad_utf8", "not_an_object")
"""Kinds of errors of a line that may be no JSON Lines at all."""
_FEW_LINES = 3
"""Lines from which on a text of which none is a row is not JSON Lines; fewer are refused one by one."""
_PANDAS = 'pandas writes JSON Lines: to_json(FILE, orient="records", lines=True)'
_UNPACK = "unpack it first"
_WORKBOOK = (
    "a workbook, or another office document",
    (
        "unpack it and name the file: a workbook is read neither compressed nor from a pipe; "
        "if it is another document, save its table as .xlsx or CSV"
    ),
)
_OFFICE = "an office document", "save the table as .xlsx or CSV"
_NO_WORKBOOK = re.compile(
    rb"PK\x03\x04.{26}((word|ppt|visio)/|mimetypeapplication/vnd\.oasis\.opendocument\.(?!spreadsheet))", re.DOTALL
)
"""A part that text documents and presentations have, and no workbook."""
ZIP_MAGIC, OLD_WORKBOOK_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""The first bytes of workbooks, as of all ZIP archives; and of those before 2007 and those that need a password."""
_FIRST_PARTS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"mimetypeapplication/vnd.oasis")
"""What stands first in the archive that a workbook is."""
_ZIP_HEADER = 30
"""Bytes of a ZIP archive before its first name."""
HEAD_BYTES = 4096
"""Bytes of a file by which its format is known."""

_MAGIC = (
    (0, ZIP_MAGIC, "a ZIP archive (or a NumPy file)", _UNPACK),
    (257, b"ustar", "a tar archive", f"{_UNPACK} (tar -xf)"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\x04\x22\x4d\x18", "compressed by lz4", f"{_UNPACK} (lz4 -d)"),
    (0, b"\xff\x06\x00\x00sNaPpY", "compressed by snappy", _UNPACK),
    (0, b"\x1f\x9d", "compressed by compress (.Z)", f"{_UNPACK} (uncompress)"),
    (0, b"\x5d\x00\x00", "compressed by LZMA", f"{_UNPACK} (xz -d --format=lzma)"),
    (0, b"PARE", "encrypted Parquet", "decrypt it first"),
    (0, b"PAR1", "Parquet", "unpack it and name the file: Parquet is read neither compressed nor from a pipe"),
    (0, b"ARROW1", "an Arrow file", "write Parquet: datasets.load_from_disk(FOLDER).to_parquet(FILE)"),
    (0, b"\xff\xff\xff\xff", "an Arrow stream", "write Parquet: datasets.load_from_disk(FOLDER).to_parquet(FILE)"),
    (0, b"\x93NUMPY", "a NumPy array", "write rows as JSON Lines"),
    (0, b"\x89HDF", "HDF5", _PANDAS),
    (0, b"ORC", "ORC", _PANDAS),
    (0, b"Obj\x01", "Avro", "write Parquet or JSON Lines"),
    (0, b"SQLite format 3", "an SQLite database", "sqlite3 FILE -json 'SELECT * FROM TABLE' writes a JSON array"),
    (0, b"%PDF", "a PDF document", "name a file of rows"),
    (0, b"version https://git-lfs.github.com/", "a Git LFS pointer, not the file itself", "fetch it: git lfs pull"),
)
"""Offset, first bytes, the name of the format, the cure. Parquet and workbooks that are plain files
are read before they come here."""
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_HTML = re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE)
_TURN = re.compile(rb'\[\s*\[?\s*\{\s*"(role|from)"\s*:')
"""How an array of turns begins, or one of such arrays; over several lines, in the first of them."""
_TURN_LINES = 4
_NAMES = re.compile(rb'"?[A-Za-z_][\w .-]*"?')
"""A name in the first line of a table of text."""


def other_format(lines: Sequence[bytes]) -> tuple[str, str] | None:
    """What the text that begins with `lines` looks like, and the cure; None if it may be rows, some of them bad.

    The first of the lines is no row. Certain or silent: if any of the others is one, this is JSON Lines.
    """
    head = b"\n".join(lines)[:HEAD_BYTES]
    if begins_workbook(head):
        return _OFFICE if _NO_WORKBOOK.search(head) else _WORKBOOK
    for offset, magic, name, cure in _MAGIC:
        if head.startswith(magic, offset):
            return name, cure
    if _PICKLE.match(head):
        return "a Python pickle", "write its rows as JSON Lines"
    texts = [line for line in map(bytes.strip, lines) if line]
    if len(texts) > 1 and all(text.endswith(b"},") for text in texts[:-1]) and _problem(texts[0][:-1]) is None:
        cure = "put [ before the first and ] behind the last, or take the commas out (sed 's/,$//' FILE)"
        return "a JSON array without its brackets: rows with commas between them", cure
    problems = [_problem(line) for line in texts]
    if not all(problem is not None and problem.kind in NO_ROW for problem in problems):
        return None
    if b"\0" in head:
        return (
            "binary data, or UTF-16 or UTF-32 text without a byte order mark",
            "write JSON Lines in UTF-8 (iconv -f UTF-16LE -t UTF-8)",
        )
    return _text_format(texts, problems[0])


def begins_workbook(head: bytes) -> bool:
    """Whether a file that begins with `head` is a workbook, or at least another office document."""
    is_archive = head.startswith(ZIP_MAGIC) and head.startswith(_FIRST_PARTS, _ZIP_HEADER)
    return is_archive or head.startswith(OLD_WORKBOOK_MAGIC)


def _problem(line: bytes) -> RowError | None:
    """Why a line is no row; None if it is one."""
    try:
        parse(line)
    except RowError as error:
        return error
    return None


def _is_loose_row(line: bytes) -> bool:
    """Whether a line that is no row is an object to readers who are less strict: with NaN, or half of a pair."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _text_format(texts: Sequence[bytes], first_problem: RowError | None) -> tuple[str, str] | None:
    first, second = texts[0], texts[1] if len(texts) > 1 else b""
    if _HTML.match(first):
        return "an HTML page", "a download may have failed or asked for a login; fetch the file itself"
    if first.startswith(b"<?xml"):
        return "XML", "write its rows as JSON Lines"
    if first.startswith((b"{'", b"[{'")):
        return "Python dictionaries, not JSON", "write each row with json.dumps"
    if not second:
        return None
    if first.startswith(b"{") and first.endswith((b"{", b"[", b",", b":")) and not second.startswith(b"{"):
        return (
            "JSON over several lines",
            "write each row on a line: jq -c '.KEY[]' FILE for a list inside, or jq -c . FILE",
        )
    if first.startswith(b"[") and (second.startswith(b"[") or not first.endswith(b"]")):
        if _TURN.match(b"".join(texts[:_TURN_LINES])):
            each = "" if first.endswith(b"]") else ".[] | "
            return "JSON arrays of turns", f"a row is one JSON object: jq -c '{each}{{messages: .}}' FILE writes such"
        return "JSON arrays of what are no objects", 'a row is one JSON object, such as {"question": ...}'
    for delimiter, name in ((b",", "CSV"), (b"\t", "TSV"), (b";", "CSV with semicolons")):
        names = first.split(delimiter)
        if len(names) > 1 and all(_NAMES.fullmatch(cell.strip()) for cell in names):
            return name, "name a file that ends in .csv or .tsv, or let libra collect --format csv read it first"
    if first == b"---" or (first.startswith(b"- ") and b": " in first):
        return "YAML", "yq -o json FILE writes a JSON array"
    if len(texts) < _FEW_LINES or any(map(_is_loose_row, texts)):
        return None
    cure = f"a row is one JSON object a line; line 1: {first_problem}"
    return f"no JSON Lines: none of its first {len(texts)} lines is a row", cure
