"""JSON that spans lines, as one line a row: the elements of an array, or objects in a row; in bounded memory."""

from __future__ import annotations

from libra_cli.exits import Exit, Fatal
from libra_cli.lazy_pattern import lazy_pattern
from libra_cli.plural import counted

_BLANKS = b" \t\r\n"
_HEAD_BYTES = 1 << 16
"""Of a text, at most, from which it is told whether it is an array."""
_STRUCTURE = lazy_pattern(rb"[\[\]{},]")
_BRACKETS = lazy_pattern(rb"[\[\]{}]")
_FIRST_KEY = lazy_pattern(rb'(?:"[^"\\]*(?:"\s*(?::\s*(?:\[\s*)?)?)?)?')
"""The beginning of an object, as far as it does not say yet what its first value is."""
_LIST_OF_OBJECTS = lazy_pattern(rb'"[^"\\]*"\s*:\s*\[\s*\{')
_BETWEEN = {b": ", b":", b", ", b",", b""}
"""What stands between two strings inside an element, usually."""
# Bytes that are in no UTF-8 text stand for escaped signs meanwhile, so that every quotation mark ends a string.
_BACKSLASH, _QUOTE = b"\xff\x01", b"\xff\x02"


def begins_array(head: bytes, is_all: bool) -> bool | None:
    """Whether a text that begins with `head` is one array of objects; None if more of it must be seen.

    Lines that are arrays are none: those of rows that are no objects. `is_all`: nothing follows `head`.
    """
    text = head.lstrip(_BLANKS)
    if text and not text.startswith(b"["):
        return False
    inner = text[1:].lstrip(_BLANKS)
    if inner and not inner.startswith((b"{", b"]")):
        return False
    line, _, rest = text.partition(b"\n")
    behind = rest.lstrip(_BLANKS)
    if not (inner and behind) and not is_all and len(head) < _HEAD_BYTES:
        return None
    if is_all and text.strip() == b"[":  # cut off behind its first sign
        return True
    one_a_line = line.rstrip().endswith(b"]") and behind.startswith((b"[", b"{"))
    return bool(inner) and not one_a_line


def begins_objects(head: bytes, is_all: bool) -> bool | None:
    """Whether a text that begins with `head` is objects over several lines, as jq writes them; None as above.

    An object that begins with a list of objects is none: that list may be the rows, or a part of one.
    """
    text = head[:_HEAD_BYTES].lstrip(_BLANKS)
    if text and not text.startswith(b"{"):
        return False
    blank, newline, inner = text[1:].lstrip(b" \t\r").partition(b"\n")
    if blank:
        return False
    inner = inner.lstrip(_BLANKS)
    if _FIRST_KEY.fullmatch(inner) and not is_all and len(head) < _HEAD_BYTES:
        return None
    return bool(newline) and inner.startswith(b'"') and not _LIST_OF_OBJECTS.match(inner)


class ArrayText:
    """Turns the text of an array into lines, each an element: commas between elements become newlines.

    If it is not `bracketed`, the elements are objects one after another, which need no commas.

    Newlines inside an element become spaces, so that an element is a line with the bytes of its values. What is no JSON
    stays none, and is refused by whoever parses the line.
    """

    def __init__(self, name: str, bracketed: bool = True):
        self._name, self._bracketed = name, bracketed
        self._carry = b""
        self._in_string = self._has_content = False
        self._depth, self._elements = int(not bracketed), 0
        self._ended = False

    def convert(self, chunk: bytes) -> bytes:
        """The lines that `chunk` adds to the text, possibly none; raises Fatal(2) for what follows the array."""
        text = (self._carry + chunk).replace(b"\xff", b"\xfe").replace(b"\\\\", _BACKSLASH).replace(b'\\"', _QUOTE)
        self._carry = b"\\" if text.endswith(b"\\") else b""
        pieces = text[: len(text) - len(self._carry)].split(b'"')
        in_string = self._in_string
        for number, piece in enumerate(pieces):
            if number:
                in_string = not in_string
            if in_string:
                self._has_content = True
                if b"\n" in piece:  # no string holds one: another sign that none holds, which splits no line
                    pieces[number] = piece.replace(b"\n", b"\v")
            elif self._depth < 2 or piece not in _BETWEEN:
                pieces[number] = self._outside_strings(piece)
            if self._ended and in_string:
                raise self._followed()
        self._in_string = in_string
        return b'"'.join(pieces).replace(_QUOTE, b'\\"').replace(_BACKSLASH, b"\\\\")

    def finish(self) -> None:
        """Raises Fatal(7) if the text has ended before the array, or within an object."""
        if not self._ended if self._bracketed else self._has_content:
            what = "array" if self._bracketed else "object"
            behind = f"behind {self._elements:,} whole row{'s' * (self._elements != 1)}"
            reason = f"the JSON {what} is cut off {behind}; copy or write the file again"
            raise Fatal(Exit.INCOMPLETE, f"{self._name}: {reason}")

    def _outside_strings(self, piece: bytes) -> bytes:
        """Follows the brackets of a piece without strings; puts newlines between elements and takes others out."""
        if b"\n" in piece:
            first, *between, last = piece.split(b"\n")
            inner = [line for line in map(bytes.strip, between) if line]
            piece = b" ".join([first.rstrip(_BLANKS), *inner, last.lstrip(_BLANKS)])
        made, at = [], 0
        while at < len(piece):
            found = (_BRACKETS if self._depth > 1 else _STRUCTURE).search(piece, at)
            begin, at = at, len(piece) if found is None else found.end()
            sign = b"" if found is None else found.group()
            before = piece[begin : at - len(sign)]
            if self._ended and (sign or before.strip()):
                raise self._followed()
            if self._depth == 0:  # before the bracket that opens the array, or behind the one that closes it
                self._depth = int(sign == b"[")
                continue
            self._has_content = self._has_content or bool(before.strip())
            made.append(before)
            if self._bracketed and self._depth == 1 and sign in (b",", b"]"):
                made.append(self._end_element(sign))
                continue
            self._has_content = self._has_content or bool(sign)
            self._depth = max(1, self._depth + (sign in (b"[", b"{")) - (sign in (b"]", b"}")))
            made.append(sign)
            if not self._bracketed and self._depth == 1 and sign in (b"]", b"}"):
                made.append(b"\n")
                self._elements += 1
                self._has_content = False
        return b"".join(made)

    def _end_element(self, sign: bytes) -> bytes:
        """The end of the line of an element; a comma without one before or behind it is a line that is no JSON."""
        self._ended = sign == b"]"
        is_empty_array = self._ended and not self._elements
        line = b"\n" if self._has_content else b"" if is_empty_array else b",\n"
        self._elements += bool(line)
        self._has_content = False
        self._depth = 0 if self._ended else 1
        return line

    def _followed(self) -> Fatal:
        array = f"the JSON array of {counted(self._elements, 'row')}"
        reason = f"something follows {array}; a file is one array, or one row a line"
        return Fatal(Exit.USAGE, f"{self._name}: {reason}")
