"""What `libra review` is made of: keys, lines that fit, the labels file, the order of responses, and the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import failing_disk
import pytest
import thinned
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.review.editor import LineEditor
from libra_cli.stages.review.keys import Key, KeyDecoder
from libra_cli.stages.review.labels import LabelFile
from libra_cli.stream.console import safe_text
from libra_cli.stream.wrapping import wrapped

# -- keys -------------------------------------------------------------------------------------------------------------

TYPED = [
    (b"y", [Key("text", "y")]),
    ("開ä".encode(), [Key("text", "開"), Key("text", "ä")]),
    (b"\x1b[A\x1bOB\x1b[1;5C\x1b[D", [Key("up"), Key("down"), Key("right"), Key("left")]),
    (b"\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[Z", [Key("pageup"), Key("pagedown"), Key("home"), Key("end"), Key("backtab")]),
    (b"\r\t\x7f\x01", [Key("enter"), Key("tab"), Key("backspace"), Key("ctrl-a")]),
    (b"\x1b[200~y\nn\x1b[31m\x1b[201~s", [Key("paste", "y\nn\x1b[31m"), Key("text", "s")]),
    (b"\x1b[0n\x1b[?2004;1$yq", [Key("other"), Key("other"), Key("text", "q")]),
    (b"\x1by\xff", [Key("other"), Key("other")]),
    (b"\x1b\x1b[A", [Key("escape"), Key("up")]),
]


@pytest.mark.parametrize(("data", "keys"), TYPED)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_bytes_become_the_same_keys_in_whatever_pieces_they_come(data, keys, size):
    decoder = KeyDecoder()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [key for piece in pieces for key in decoder.feed(piece)] == keys
    assert not decoder.waits


def test_an_escape_that_nothing_follows_is_a_key_and_half_a_sequence_is_none():
    decoder = KeyDecoder()
    assert (decoder.feed(b"\x1b"), decoder.waits, decoder.flush()) == ([], True, [Key("escape")])
    assert (decoder.feed(b"\x1b[1;"), decoder.waits, decoder.flush()) == ([], True, [Key("other")])


@given(st.binary(max_size=40))
def test_no_bytes_are_too_strange(data):
    decoder = KeyDecoder()
    for key in decoder.feed(data):
        assert len(key.letter) <= 1
        assert not key.letter or key.letter.isprintable()


def test_a_line_is_edited_as_in_a_shell():
    editor = LineEditor("one two")
    for name in ("ctrl-w", "home", "right", "delete", "left", "end"):
        assert editor.press(Key(name))
    assert (editor.text, editor.cursor) == ("oe ", 3)
    assert editor.press(Key("paste", "a\nb\x1b[2J"))
    assert editor.text == "oe a b\\x1b[2J"
    assert editor.press(Key("ctrl-u"))
    assert (editor.text, editor.press(Key("up"))) == ("", False)
    assert editor.press(Key("backspace"))
    assert editor.text == ""


# -- text -------------------------------------------------------------------------------------------------------------


@given(
    st.text(alphabet=st.sampled_from("ab \t\n漢e\u0301\u200b\x1b\x9b\u202e👩\u200d\r"), max_size=200),
    st.integers(2, 20),
)
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text, width):
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    kept = re.sub(r"\s", "", "".join(lines))
    assert kept == re.sub(r"\s", "", safe_text(text))


def test_nothing_that_a_terminal_acts_on_is_left_and_nothing_is_hidden():
    every = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x200B, 0x202E, 0x2066, 0x2028, 0xFEFF, 0xE0041]))
    safe = safe_text(every + "x²")
    assert all(character == "\n" or character.isprintable() for character in safe)
    assert "\\x1b" in safe
    assert "<U+200B>" in safe
    assert safe.endswith("x²")


# -- labels -----------------------------------------------------------------------------------------------------------


def label(number, value=1):
    named = ((f"p{number}",), "0" * 16)
    return named, {"id": f"p{number}", "response_sha256": "0" * 16, "label": value, "time": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def said():
    return []


def test_each_label_is_in_the_file_at_once_and_undo_takes_the_last_one_off(tmp_path, said):
    path = tmp_path / "labels.jsonl"
    with LabelFile(str(path), said.append) as labels:
        labels.add(*label(0))
        first = path.read_bytes()
        labels.add(*label(1, 0))
        labels.add(*label(0, None))
        assert path.read_bytes().count(b"\n") == 3
        assert not labels.is_labelled(label(0)[0])
        assert labels.undo()["label"] is None
        assert labels.is_labelled(label(0)[0])
    with LabelFile(str(path), said.append) as labels:
        assert labels.undo()["id"] == "p1"
        assert path.read_bytes() == first
        assert labels.last == label(0)[0]
    assert said == []


@pytest.mark.parametrize("part", thinned.parts(failing_disk.PARTS))
def test_every_error_of_the_disk_is_status_74_with_the_name_of_the_labels(tmp_path, said, monkeypatch, part):
    monkeypatch.chdir(tmp_path)
    whole = b"".join(json.dumps(label(number)[1]).encode() + b"\n" for number in range(2))

    def prepare():
        (tmp_path / "labels.lock").unlink(missing_ok=True)
        (tmp_path / "labels").write_bytes(whole + b'{"id":"p1","mod')

    def review():
        with LabelFile("labels", said.append) as labels:
            labels.add(*label(3))
            labels.add(*label(4))
            labels.undo()

    met = 0
    for site, code, ended in failing_disk.outcomes(prepare, review, part):
        assert ended["raised"] == "", (site, code, ended)
        assert ended["status"] in (0, 74) or (ended["status"] == 2 and site[0] == "open"), (site, code, ended)
        assert ended["status"] == 0 or ended["said"].startswith("labels"), (site, code, ended)
        assert (tmp_path / "labels").read_bytes().startswith(whole), (site, code, ended)
        met += 1
    assert met > 50 // failing_disk.PARTS


@pytest.mark.parametrize("torn", [b'{"id":"p1","mod', b'{"i', '{"id":"ä'.encode()[:-1]])
def test_a_torn_line_is_cut_off_and_said(tmp_path, said, torn):
    path = tmp_path / "labels.jsonl"
    whole = json.dumps(label(0)[1]).encode() + b"\n"
    path.write_bytes(whole + torn)
    with LabelFile(str(path), said.append):
        assert path.read_bytes() == whole
    assert said == [f"{path}: the last line was torn by a crash; cut off ({len(torn)} bytes)"]


def test_a_last_line_without_newline_that_is_whole_is_kept(tmp_path, said):
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(label(0)[1]))
    with LabelFile(str(path), said.append) as labels:
        labels.add(*label(1))
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["p0", "p1"]
    assert said == []


def test_a_file_that_holds_no_labels_is_left_as_it_is(tmp_path, said):
    path = tmp_path / "notes"
    path.write_text("buy milk")
    with pytest.raises(Fatal) as caught:
        LabelFile(str(path), said.append)
    assert (caught.value.status, path.read_text()) == (Exit.USAGE, "buy milk")
    assert not (tmp_path / "notes.lock").exists()


def test_a_full_disk_is_said_and_leaves_whole_lines(shell, tmp_path):
    code = (
        "from libra_cli.stages.review.labels import LabelFile\n"
        "labels = LabelFile('labels.jsonl', print)\n"
        "for n in range(99): labels.add(((str(n),), 's'), {'id': str(n), 'response_sha256': 's', 'label': 1})"
    )
    (tmp_path / "write.py").write_text(code)
    ended = shell("ulimit -f 1; trap '' XFSZ; PYTHONDONTWRITEBYTECODE=1 python write.py")
    assert b"cannot be written (File too large)" in ended.err
    lines = (tmp_path / "labels.jsonl").read_bytes()
    assert lines.endswith(b"\n")
    assert [json.loads(line)["id"] for line in lines.splitlines()] == [str(n) for n in range(lines.count(b"\n"))]


# -- the page ---------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and the text outside of script and style."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.scripts, self._open = [], "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        elif not self._open or self._open[-1] != "style":
            self.text += data


EVIL = (
    '</pre></script><script>alert(1)</script><img src=x onerror="alert(2)">\'"&lt;<!--'
    '<a href="javascript:alert(3)">\x1b'
)


@pytest.fixture
def page(shell, tmp_path):
    """The page of one row, as `libra review --html` writes it."""

    def write(row, *options):
        (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
        ended = shell(["libra", "review", "--html", "page.html", *options, "rows.jsonl"])
        assert (ended.status, ended.out) == (0, b"")
        return (tmp_path / "page.html").read_text()

    return write


def row(text, **more):
    vote = {"annotator": text, "verdict": "wrong", "reason": None, "provenance": {}, "text": text}
    verification = {"by": "panel", "answer": text, "reason": text, "votes": [vote]}
    named = {"id": text, "model": text, "sample": 12345678901234567890, "question": text, "reference": text}
    return {**named, "response": text, "label": None, "verification": verification, **more}


def test_whatever_a_row_holds_is_text_in_the_page(page):
    html = page(row(EVIL))
    found, plain = Page(html), Page(page(row("plain")))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements], "not one element more"
    names = {name for _, attributes in found.elements for name in attributes}
    assert names == {name for _, attributes in plain.elements for name in attributes}
    assert found.text.count("<script>alert(1)</script>") == plain.text.count("plain")
    assert "\x1b" not in html


def test_the_page_loads_nothing_and_runs_only_its_own_script(page):
    html = page(row("plain"))
    found = Page(html)
    assert not re.search(r"https?:|//\w|url\(|@import|\bsrc=", re.sub(r"(?m)^\s*//.*$", "", html))
    (policy,) = (attributes["content"] for _, attributes in found.elements if "http-equiv" in attributes)
    (script,) = found.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_a_line_that_the_page_saves_begins_with_what_names_its_row(page):
    (article,) = (attributes for tag, attributes in Page(page(row("plain"))).elements if tag == "article")
    digest = hashlib.sha256(b"plain").hexdigest()[:16]
    named = f'"id":"plain","model":"plain","sample":12345678901234567890,"response_sha256":"{digest}"'
    assert article["data-row"] == "{" + named


def test_a_blind_page_shows_no_verdict(page):
    html = page(
        row(
            "plain",
            verification={
                "by": "panel",
                "answer": "ANSWER",
                "reason": "disagreement",
                "votes": [{"annotator": "MODEL", "verdict": "wrong", "reason": "WHY", "text": "SAID"}],
            },
        ),
        "--blind",
    )
    assert not re.search("ANSWER|MODEL|WHY|SAID|Verdicts", html)
