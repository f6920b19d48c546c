"""The launcher on a terminal: Ctrl-C reaches launcher and ranks alike, and asks each rank once."""

import sys
import time
from pathlib import Path

from pseudo_terminal import PseudoTerminal

from libra_cli.stream.signals import ECHO_SECONDS

LAUNCHED = str(Path(__file__).parents[1] / "helpers" / "launched.py")


def started(environment, tmp_path, save):
    terminal = PseudoTerminal([sys.executable, LAUNCHED, "stop", "2", "60", save], tmp_path, environment)
    ready = [tmp_path / f"ready.{rank}" for rank in range(2)]
    terminal.wait_until(lambda: all(path.exists() for path in ready), "both ranks")
    return terminal


def test_ctrl_c_asks_each_rank_once(environment, tmp_path):
    with started(environment, tmp_path, "1") as terminal:
        terminal.press("\x03")
        terminal.wait_for("Ctrl-C again stops at once")
        assert terminal.end() == 130
    assert [(tmp_path / f"saved.{rank}").read_text() for rank in range(2)] == ["SIGTERM", "SIGTERM"]
    assert "Traceback" not in terminal.text


def test_ctrl_c_twice_does_not_wait(environment, tmp_path):
    with started(environment, tmp_path, "600") as terminal:
        terminal.press("\x03")
        terminal.wait_for("Ctrl-C again stops at once")
        time.sleep(2 * ECHO_SECONDS)
        terminal.press("\x03")
        assert terminal.end() == 130
    assert not list(tmp_path.glob("saved.*"))


def test_a_terminal_that_is_closed_asks_the_ranks_to_save(environment, tmp_path):
    with started(environment, tmp_path, "1") as terminal:
        terminal.hang_up()
        assert terminal.end() == 129
    assert [(tmp_path / f"saved.{rank}").read_text() for rank in range(2)] == ["SIGTERM", "SIGTERM"]
