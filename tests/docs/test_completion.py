"""The completion scripts in the shells they are for: what a user types, a tab, and what the shell then runs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

from libra_cli.cli import completion, manual
from libra_cli.main import STAGES, cli

SCRIPTS = Path(__file__).resolve().parents[2] / "completions"

SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}

# In each shell `libra` becomes a function that shows its words, so that a line which was completed can be run.
SETUP = {
    "bash": "source {scripts}/libra.bash; libra() {{ printf '<%s>' \"$@\"; echo END; }}; bind 'set bell-style none'",
    "zsh": "fpath=({scripts} $fpath); autoload -U compinit; compinit -D -u; libra() {{ printf '<%s>' $@; echo END; }}",
    "fish": "source {scripts}/libra.fish; function libra; printf '<%s>' $argv; echo END; end",
}

TYPED = {
    "libra ver": "<verify>",
    "libra help ver": "<help><verify>",
    "libra hel": "<help>",
    "libra verify --hard": "<verify><--hard-timeout>",
    "libra verify --log-format j": "<verify><--log-format><json>",
    "libra verify --log-format=j": "<verify><--log-format=json>",
    "libra collect --preset libra-m": "<collect><--preset><libra-mini>",
    "libra rollout --model libra-mini/w": "<rollout><--model><libra-mini/weak>",
    "libra rollout --model ro": "<rollout><--model><rows.jsonl>",
    "libra rollout --no-t": "<rollout><--no-thinking>",
    "libra verify ro": "<verify><rows.jsonl>",
    "libra verify --errors ro": "<verify><--errors><rows.jsonl>",
    "libra score co": "<score><correlate>",
    "libra score --thr": "<score><--threshold>",
    "libra score correlate --gr": "<score><correlate><--group>",
    "libra score correlate ro": "<score><correlate><rows.jsonl>",
    "libra balance --seed ro": "<balance><--seed><ro>",
    "libra schema ro": "<schema><ro>",
    "libra schema judg": "<schema><judged>",
    "libra schema resp": "<schema><response>",
    "libra models ro": "<models><ro>",
    "libra trace ro": "<trace><rows.jsonl>",
}
"""A line, and the words that run after a tab: stages, options, choices, files; no file where something else belongs."""


@pytest.mark.parametrize("name", SHELLS)
def test_a_tab_completes(name, tmp_path, environment):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (tmp_path / "rows.jsonl").touch()
    with Terminal(SHELLS[name], tmp_path, environment) as terminal:
        terminal.type(SETUP[name].format(scripts=SCRIPTS) + "; echo RE''ADY\r")
        terminal.wait_for("READY")
        for typed, words in TYPED.items():
            terminal.type(typed + "\t\r")
            assert words + "END" in terminal.wait_for("END\r"), typed


@pytest.mark.parametrize("stage", STAGES)
def test_bash_offers_every_option_of_a_stage(stage, shell):
    top = cli.make_context("libra", [], resilient_parsing=True)
    ctx = next(ctx for ctx in manual.contexts(top) if ctx.info_name == stage)
    flags = sorted(name for flag in completion.flags(ctx) for name in flag.names)
    asked = f"COMP_WORDS=(libra {stage} -); COMP_CWORD={len(stage.split()) + 1}; _libra"
    ended = shell(f"source {SCRIPTS}/libra.bash; {asked}; printf '%s\\n' ${{COMPREPLY[@]}}")
    assert sorted(ended.out.decode().split()) == flags
    assert {"--help", "--config"} <= set(flags)


@pytest.mark.parametrize(("typed", "offered"), [("c", ["c 1.jsonl", "correlate"]), ("d", []), ("cor", ["correlate"])])
def test_bash_offers_files_beside_a_word_of_the_stage(typed, offered, shell, tmp_path):
    for name in ("c 1.jsonl", "d.jsonl"):  # of d, no word of the stage, readline finds the files itself
        (tmp_path / name).touch()
    asked = f"COMP_WORDS=(libra score {typed}); COMP_CWORD=2; _libra 2>/dev/null"
    ended = shell(f"cd {tmp_path}; source {SCRIPTS}/libra.bash; {asked}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    assert sorted(filter(None, ended.out.decode().split("\n"))) == offered


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str]):
        self._master, slave = pty.openpty()
        home = {"HOME": str(cwd), "TERM": "xterm", "HISTFILE": "/dev/null", "XDG_CONFIG_HOME": str(cwd)}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env={**environment, **home},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # job control needs a terminal of its own
        )  # fmt: skip
        os.close(slave)
        self._seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def type(self, keys: str) -> None:
        """Sends `keys` and forgets what was shown before."""
        self._seen = ""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> str:
        """What is shown up to `text`; fails after half a minute without it."""
        deadline = time.monotonic() + 30
        while text not in self._seen and time.monotonic() < deadline:
            if select.select([self._master], [], [], 1)[0]:
                self._seen += os.read(self._master, 1 << 16).decode(errors="replace")
        assert text in self._seen, f"the shell never said {text!r}: {self._seen!r}"
        return self._seen
