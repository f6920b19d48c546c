"""A review session at a terminal: keys to labels, from the first response without one to the last."""

from __future__ import annotations

from libra_cli.stages.review.editor import LineEditor
from libra_cli.stages.review.items import ReviewItem, ReviewItems
from libra_cli.stages.review.keys import Key
from libra_cli.stages.review.queue import ReviewQueue
from libra_cli.stages.review.screen import HELP, SMALLEST, Screen, View
from libra_cli.stages.review.terminal import RESIZED, STOP, Terminal

LABELS = {"y": 1, "n": 0, "s": None}
LABEL_NAMES = {"y": "correct", "n": "incorrect", "s": "skipped"}
STEPS = {"k": -1, "j": 1, "up": -1, "down": 1}
PAGES = {"pageup": -1, "pagedown": 1, "ctrl-b": -1, "ctrl-f": 1, " ": 1}
TURNS = {"tab": 1, "right": 1, "backtab": -1, "left": -1}


class ReviewSession:
    """One session of one reviewer at a terminal."""

    def __init__(self, items: ReviewItems, queue: ReviewQueue, terminal: Terminal, blind: bool):
        self._items, self._queue, self._terminal, self._blind = items, queue, terminal, blind
        self._message = ""
        """The effect of the last key; empty if the screen shows it anyway."""

    def run(self) -> None:
        """Shows one response after another until the reviewer quits or a signal ends the review."""
        while True:
            number = self._queue.number
            is_over = self._show_end() if number is None else self._show_item(self._items[number])
            if is_over:
                return

    def _show_item(self, item: ReviewItem) -> bool:
        """Shows one response until a key labels it or leads to another; returns True if the review is over."""
        view = View(item, self._blind, self._queue.note(item), self._status(item))
        while True:
            fits = self._draw(view, self._message)
            key = self._terminal.key()
            if key == STOP or key.letter == "q":
                return True
            if not fits:
                continue  # a response that is not visible must not be labelled
            self._message = "" if key != RESIZED else self._message
            if key.letter in LABELS:
                self._queue.settle(item, LABELS[key.letter])
                self._message = f"{LABEL_NAMES[key.letter]}: {item.names} (u takes it back)"
                return False
            if key.letter == "u":
                self._message = self._queue.undo()
                return False
            self._navigate(view, key)

    def _navigate(self, view: View, key: Key) -> None:
        """Handles the keys that label nothing."""
        name = key.letter or key.name
        if name == "t":
            self._write_note(view)
        elif name == "?":
            pressed = RESIZED
            while pressed == RESIZED:
                self._terminal.show(Screen(*self._terminal.size).page("libra review: keys", HELP))
                pressed = self._terminal.key()
        elif name in TURNS:
            view.turn(TURNS[name])
        elif name in STEPS or name in PAGES:
            view.scroll(STEPS.get(name) or PAGES[name] * max(1, view.shown[1] - 1))
        elif name in ("g", "home", "G", "end"):
            view.top = 0 if name in ("g", "home") else None
        elif name == "ctrl-l":
            self._terminal.clear()
        elif name == "paste":
            self._message = "pasted text does nothing here"
        elif key != RESIZED:
            self._message = f"{key.letter or 'that key'} does nothing here; ? shows the keys"

    def _show_end(self) -> bool:
        """Shows the last screen; returns True if the review is over."""
        queue, message = self._queue, self._message
        again = f"\ns   show the {queue.skipped} that you skipped again" if queue.skipped else ""
        text = f"{queue.labelled} of {queue.total} are labelled.\n{again}\nu   undo\nq   quit"
        while True:
            self._terminal.show(Screen(*self._terminal.size).page("libra review: this was the last one", text, message))
            key = self._terminal.key()
            if key == STOP or key.letter == "q":
                return True
            if key.letter == "u":
                self._message = queue.undo()
                return False
            if key.letter == "s" and queue.skipped:
                queue.again()
                return False
            message = message if key == RESIZED else "u, q, or s where something was skipped"

    def _write_note(self, view: View) -> None:
        """Edits the note. Enter saves it, and so does a signal that ends the review."""
        editor = LineEditor(view.note)
        while True:
            self._draw(view, editor)
            key = self._terminal.key()
            if key.name in ("enter", "stop"):
                view.note = editor.text.strip()
                self._queue.write_note(view.item, view.note)
                return
            if key.name == "escape":
                return
            editor.press(key)

    def _draw(self, view: View, message: str | LineEditor) -> bool:
        """Draws a response; returns False if the window is too small for it."""
        screen = Screen(*self._terminal.size)
        if screen.fits:
            self._terminal.show(screen.item(view, message))
        else:
            here, wanted = f"{screen.columns}x{screen.lines}", f"{SMALLEST[0]}x{SMALLEST[1]}"
            text = f"This window is too small ({here}); make it {wanted} or larger, or press q to quit."
            self._terminal.show(screen.page("libra review", text))
        return screen.fits

    def _status(self, item: ReviewItem) -> str:
        queue = self._queue
        position = f"{(queue.number or 0) + 1} of {queue.total}"
        progress = f"labelled {queue.labelled}   skipped {queue.skipped}"
        return f"libra review   {position}   {progress}   {item.place}"
