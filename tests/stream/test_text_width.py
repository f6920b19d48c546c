"""How wide text is: as $COLUMNS says, or the terminal that it is read on, also behind a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from libra_cli.stream.text_width import WIDTH

PRINTS = "import sys; from libra_cli.stream.text_width import text_width; print(text_width(1), file=sys.stderr)"


@pytest.mark.parametrize(
    ("stdout", "stderr", "columns", "width"),
    [
        ("terminal", "pipe", None, 60),
        ("pipe", "terminal", None, 60),  # libra score | head
        ("pipe", "terminal", "72", 72),
        ("terminal", "pipe", "72", 72),
        ("pipe", "pipe", None, WIDTH),
        ("file", "terminal", None, WIDTH),
        ("file", "pipe", "72", 72),
        ("pipe", "terminal", "0", 60),
        ("pipe", "terminal", "9", 40),
    ],
)
def test_text_is_as_wide_as_the_terminal_that_it_is_read_on(stdout, stderr, columns, width, tmp_path):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    env |= {} if columns is None else {"COLUMNS": columns}
    with open(tmp_path / "out", "wb") as file:
        ends = {"terminal": slave, "pipe": subprocess.PIPE, "file": file}
        words = [sys.executable, "-c", PRINTS]
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=ends[stdout], stderr=ends[stderr], env=env, check=True
        )
    said = ended.stderr if stderr == "pipe" else os.read(master, 100)
    os.close(slave)
    os.close(master)
    assert int(said) == width
