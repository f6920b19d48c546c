"""The screen of a review: question, reference and verdicts on top, one long text to scroll below."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from libra_cli.stages.review.editor import LineEditor
from libra_cli.stages.review.items import ReviewItem
from libra_cli.stream.console import safe_text
from libra_cli.stream.wrapping import fitting, wrapped

SMALLEST = (60, 16)
"""Columns and lines that a window must have."""
MARGIN = 10
FIELD_CHARS = 4000
"""Characters of a text in the upper part, at most; Tab shows all of it below."""
QUESTION_LINES, ANSWER_LINES, VERDICT_LINES = 4, 2, 5
"""Lines in the upper part, at most, of a window with 24 lines or more."""
NAME_CELLS = 24
"""Columns of an annotator's name, at most."""
MARKS = {"correct": ("correct", "green"), "wrong": ("incorrect", "red"), None: ("none", "yellow")}
KEYS = "y correct  n incorrect  s skip  u undo  t note  Tab next text  ? help  q quit"
FEW_KEYS = "y correct  n incorrect  s skip  u undo  ? help  q quit"
EDITING = "Enter keep the note  Esc leave it as it was"

HELP = """\
y   correct: the final answer of the response is the reference
n   incorrect
s   skip: it is shown again after all others, now or at the next start
u   undo: take the last action back; again for the one before, also of an earlier session
t   note: a line that is kept with the label (Enter keeps it, Escape does not)
Tab next text: response, question, reference, answer, what each annotator wrote (Shift-Tab: back)
j k, arrows, PgUp PgDn, space, Home End, g G   scroll
q   quit: every label is on disk already, and the same command goes on

Judge the final answer, not the way to it. The same value in another form is correct. A part of the answer, two \
answers where one is asked for, or an interval with another end is incorrect.

Any key goes back."""


@dataclass
class View:
    """An item on the screen: which text is shown, and how far it is scrolled."""

    item: ReviewItem
    blind: bool = False
    note: str = ""
    status: str = ""
    """The first line of the screen: the progress of the review."""
    text: int = 0
    """Index of the shown text in `texts`."""
    top: int | None = None
    """The first line of the text to show; None: as many lines up to its end as fit."""
    shown: tuple[int, int] = (0, 1)
    """Set by drawing: the first line that is shown, and how many fit."""
    _wrapped: dict[tuple[int, int], list[str]] = field(default_factory=dict)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The long texts, each with its name."""
        item = self.item
        texts = [("response", item.response), ("question", item.question), ("reference", item.reference)]
        if self.blind:
            return texts
        written = [(f"what {vote['annotator']} wrote", str(vote["text"])) for vote in item.votes if vote.get("text")]
        return [*texts, ("answer", item.answer), *written]

    def lines(self, width: int) -> list[str]:
        """The shown text in lines of at most `width` columns (cached)."""
        key = self.text, width
        if key not in self._wrapped:
            self._wrapped[key] = wrapped(self.texts[self.text][1], width)
        return self._wrapped[key]

    def turn(self, step: int) -> None:
        """Shows another text: the end of the response, the beginning of any other."""
        self.text = (self.text + step) % len(self.texts)
        self.top = None if self.text == 0 else 0

    def scroll(self, lines: int) -> None:
        """Scrolls down, or up if `lines` is negative; drawing stops at the ends."""
        self.top = self.shown[0] + lines


class Screen:
    """Draws for one window size; every public method returns lines."""

    def __init__(self, columns: int, lines: int):
        self.columns, self.lines = columns, lines
        # The colours of the terminal's palette fit its background.
        self._console = Console(
            file=io.StringIO(),
            width=columns,
            force_terminal=True,
            color_system="standard",
            legacy_windows=False,
            highlight=False,
        )

    @property
    def fits(self) -> bool:
        """Whether the window shows all that a reviewer must see before labelling."""
        return self.columns >= SMALLEST[0] and self.lines >= SMALLEST[1]

    @property
    def _is_high(self) -> bool:
        return self.lines >= 24

    def item(self, view: View, message: str | LineEditor) -> list[str]:
        """Draws an item and below it a message or the note being edited; sets `view.shown`."""
        head = [self._bar(view.status), *self._facts(view)]
        body = view.lines(self.columns)
        room = max(1, self.lines - len(head) - 3)
        last = max(0, len(body) - room)
        top = last if view.top is None else min(max(view.top, 0), last)
        view.top, view.shown = None if top == last > 0 else top, (top, room)
        shown = body[top : top + room]
        name = view.texts[view.text][0]
        where = f"{name}, lines {top + 1}-{top + len(shown)} of {len(body)}" if body else f"{name}: empty"
        rule = Text(_safe_line(f"── {where} ").ljust(self.columns, "─"), style="dim")
        blank = [Text("")] * (room - len(shown))
        if isinstance(message, LineEditor):
            line, keys = self._edited(message), EDITING
        else:
            line = Text(_clipped(message, self.columns), style="bold")
            keys = KEYS if self.columns >= len(KEYS) else FEW_KEYS
        return [self._ansi(line) for line in (*head, rule, *map(Text, shown), *blank, line, self._bar(keys))]

    def page(self, title: str, text: str, footer: str = "") -> list[str]:
        """Draws a page of text."""
        body = [Text(line) for line in wrapped(text, self.columns)][: max(0, self.lines - 2)]
        blank = [Text("")] * max(0, self.lines - 2 - len(body))
        return [self._ansi(line) for line in (self._bar(title), *body, *blank, self._bar(footer))][: self.lines]

    def _facts(self, view: View) -> list[Text]:
        item = view.item
        lines = [] if view.blind else self._field("Row", item.names, 1)
        question, answer = (QUESTION_LINES, ANSWER_LINES) if self._is_high else (2, 1)
        lines += self._field("Question", item.question, question)
        lines += self._field("Reference", item.reference, answer, "bold")
        if not view.blind:
            lines += self._field("Answer", item.answer, answer, "bold") + self._verdicts(item)
        return lines + (self._field("Note", view.note, 1, "italic") if view.note else [])

    def _verdicts(self, item: ReviewItem) -> list[Text]:
        """A line for each annotator: its verdict, and the end of its text or the reason for no verdict."""
        most = VERDICT_LINES if self._is_high else 2
        lines = []
        names = [_end_of(_safe_line(vote["annotator"]), NAME_CELLS) for vote in item.votes]
        margin = max([MARGIN, *(cell_len(name) + 1 for name in names)])
        for name, vote in list(zip(names, item.votes, strict=True))[: most if len(names) <= most else most - 1]:
            mark, colour = MARKS.get(vote["verdict"], MARKS[None])
            line = Text(name + " " * (margin - cell_len(name)), style="dim")
            line.append(mark.ljust(9), style=f"not dim {colour}")
            line.append(_clipped(_explanation(vote), self.columns - margin - 9))
            lines.append(line)
        if len(item.votes) > most:
            lines.append(Text(f"{'':{MARGIN}}and {len(item.votes) - most + 1} more annotators", style="dim"))
        return lines

    def _field(self, name: str, value: str, most: int, style: str = "") -> list[Text]:
        """A named value in at most `most` lines; `…` if it has more."""
        lines = wrapped(value[:FIELD_CHARS], self.columns - MARGIN) or [""]
        cut = lines[:most]
        if len(lines) > most or len(value) > FIELD_CHARS:
            cut[-1] = cut[-1][: fitting(cut[-1], 0, self.columns - MARGIN - 2)].rstrip() + " …"
        drawn = []
        for number, line in enumerate(cut):
            text = Text((name if number == 0 else "").ljust(MARGIN), style="dim")
            drawn.append(text.append(line, style=f"not dim {style}"))
        return drawn

    def _bar(self, text: str) -> Text:
        line = Text(_safe_line(text), style="reverse", no_wrap=True)
        line.truncate(self.columns, overflow="ellipsis", pad=True)
        return line

    def _edited(self, editor: LineEditor) -> Text:
        """The note being edited, scrolled so that the cursor is visible."""
        before = _end_of(editor.text[: editor.cursor], self.columns - MARGIN)
        line = Text("Note: ", style="bold").append(before, style="not bold")
        line.append(editor.text[editor.cursor : editor.cursor + 1] or " ", style="reverse not bold")
        line.append(editor.text[editor.cursor + 1 :], style="not bold")
        line.truncate(self.columns, overflow="crop")
        return line

    def _ansi(self, text: Text) -> str:
        with self._console.capture() as capture:
            self._console.print(text, end="", no_wrap=True, overflow="crop")
        return capture.get()


def _explanation(vote: object) -> str:
    """Explains a vote: the level of the rule, the reason for no verdict, the last line of a model's text."""
    assert isinstance(vote, dict)
    text = str(vote.get("text") or "").strip().split("\n")
    prose = [line for line in text if line.strip() and not line.strip().startswith("[[")]
    parts = (vote.get("by"), vote.get("reason"), prose[-1] if prose else "", vote.get("note"))
    return ", ".join(str(part) for part in parts if part)


# -- printable text in lines that fit --------------------------------------------------------------------------------


def _safe_line(text: str) -> str:
    return safe_text(text.replace("\n", " "))


def _clipped(text: str, width: int) -> str:
    """One line of at most `width` columns; `…` stands for what is cut off."""
    line = _safe_line(text[: 4 * width + 1])
    end = fitting(line, 0, width)
    return line if end == len(line) else line[: fitting(line, 0, width - 1)] + "…"


def _end_of(text: str, width: int) -> str:
    """The end of a line, as much as fits (names of models differ there); `…` stands for what is cut off."""
    kept = fitting(text[::-1], 0, width)
    return text if kept == len(text) else "…" + text[len(text) - fitting(text[::-1], 0, width - 1) :]
