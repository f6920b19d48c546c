"""`libra show` on a terminal: a page at a time, by the pager of the user or by less."""

from __future__ import annotations

import json
import shutil

import pytest
from pseudo_terminal import PseudoTerminal

WORDS = ["libra", "show", "rows.jsonl"]


@pytest.fixture
def rows(tmp_path):
    lines = [{"id": f"row-{n}", "question": "1+1?", "reference": "2", "response": "It is 2."} for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_the_pager_of_the_user_takes_the_text(rows, environment):
    pager = rows / "pager"
    pager.write_text('#!/bin/sh\ncat > "$(dirname "$0")/paged"\n')
    pager.chmod(0o755)
    with PseudoTerminal(WORDS, rows, {**environment, "PAGER": str(pager), "NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 0
    text = (rows / "paged").read_text()
    assert (text.count("It is 2."), "\x1b" in text) == (20, False)


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_less_shows_a_page_and_whoever_leaves_it_ends_the_command(rows, environment):
    """Nobody waits for rows that nobody reads."""
    env = {name: value for name, value in environment.items() if name not in ("PAGER", "LESS")}
    with PseudoTerminal(WORDS, rows, env) as terminal:
        terminal.wait_for("row-0")
        assert "row-19" not in terminal.text
        terminal.press(" ")
        terminal.wait_for("row-3")
        terminal.press("q")
        assert terminal.end() == 0
