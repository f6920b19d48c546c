"""What the README says is so: its `bash` blocks run, one after another in one folder; its `sh` blocks could."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from manual_pages import CONTEXTS, calls

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.engine
def test_the_bash_blocks_run(shell, tmp_path):
    assert len(blocks("bash")) >= 4
    for block in blocks("bash"):
        ended = shell(["bash", "-euo", "pipefail", "-c", block], timeout=280)
        assert ended.status == 0, f"{block}\n{ended.err.decode()}"
    assert (tmp_path / "bench.jsonl").read_bytes().count(b"\n") > 0
    assert (tmp_path / "whole.jsonl").read_bytes() == (tmp_path / "bench.jsonl").read_bytes()


@pytest.mark.parametrize("block", blocks("sh"))
def test_an_sh_block_is_well_formed(block, shell):
    assert shell(["bash", "-n", "-c", block]).status == 0
    for stage, arguments in calls(block.replace("\\\n", " ").replace("\n", " ; ")):
        flags = {word.partition("=")[0] for word in arguments if re.match(r"--?[a-z]", word)}
        assert flags <= {flag for param in CONTEXTS[stage].command.params for flag in param.opts}
    for target in re.findall(r"^make (\w+)", block, re.MULTILINE):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_the_demo_shown_is_the_demo_that_runs():
    shown = next(block for block in blocks("text") if block.startswith("$ libra collect"))
    script = (ROOT / "examples/demo").read_text()
    for stage, arguments in calls(shown.partition("\n\n")[0].removeprefix("$ ").replace("\n", " ")):
        [ran] = [words for name, words in calls(script) if name == stage]
        assert [word for word in ran if "$" not in word] == [word for word in arguments if word != "census.json"]


def test_every_extra_is_named():
    tomllib = pytest.importorskip("tomllib")  # Python 3.11
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    install = README.partition("## Install")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", install, re.MULTILINE)) == set(extras) - {"test"}


def test_every_file_that_is_named_exists():
    for name in re.findall(r"`((?:libra_cli|tests|examples|benchmarks)/[\w./-]+)`", README):
        assert (ROOT / name).exists(), name
