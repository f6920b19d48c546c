"""Samples are made anew when what they are made from has changed, and only then."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tokenizer_families import family

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.prepare import prepare
from libra_cli.training.data.tokenization import Encoder
from libra_cli.training.distributed.world import World
from libra_cli.training.settings import DataSettings


def line(answer: str) -> str:
    turns = [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": turns}) + "\n"


class Samples:
    """A file of rows, and the samples that `libra sft` makes of it."""

    def __init__(self, folder: Path):
        self.path, self._folder = folder / "rows.jsonl", folder / "samples"
        self._encoder = Encoder(TrainingChat(family("qwen2.5").tokenizer))
        self._world = World()

    def write(self, text: str) -> None:
        """Always the same time of change, so that only the size tells."""
        self.path.write_text(text)
        os.utime(self.path, ns=(10**18, 10**18))

    def made(self, errors: Path | None = None) -> list[int]:
        """The length of each sample."""
        console, path = Console("sft", quiet=True), None if errors is None else str(errors)
        logs = []

        def log() -> ErrorLog:
            logs.append(ErrorLog(path, "sft", console))
            return logs[-1]

        settings = DataSettings(max_length=1000, errors=path)
        found, _ = prepare(str(self._folder), [str(self.path)], self._encoder, settings, self._world, console, log)
        for opened in logs:
            opened.close()
        return found.lengths.tolist()

    @property
    def when(self) -> int:
        """The time at which they were made."""
        return (self._folder / "origin.json").stat().st_mtime_ns


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Samples:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    return Samples(tmp_path)


def test_the_same_file_is_encoded_once(samples: Samples) -> None:
    samples.write(line("4") + line("It is 4."))
    first = samples.made()
    when = samples.when
    assert samples.made() == first
    assert samples.when == when


def test_a_changed_file_is_encoded_anew(samples: Samples) -> None:
    samples.write(line("4"))
    short = samples.made()
    samples.write(line("4") + line("It is 4."))
    first, second = samples.made()
    assert ([first], second > first) == (short, True)


def test_what_a_refused_file_left_is_never_taken_for_the_samples_of_the_one_before(samples: Samples) -> None:
    samples.write(line("4") + line("It is 4."))
    good = samples.made()
    samples.write(line("It is 4.") + "{\n")
    with pytest.raises(Fatal) as refused:
        samples.made()
    assert refused.value.status == Exit.USAGE
    samples.write(line("4") + line("It is 4."))
    assert samples.made() == good


def test_refused_rows_are_read_again_where_their_file_is_gone(samples: Samples, tmp_path: Path) -> None:
    errors = tmp_path / "errors.jsonl"
    samples.write(line("4") + "{}\n")
    lengths, when, refused = samples.made(errors), samples.when, errors.read_text()
    assert json.loads(refused)["row"] == "{}"
    assert samples.made(errors) == lengths
    assert samples.when == when
    errors.unlink()
    assert samples.made(errors) == lengths
    assert (errors.read_text(), samples.when > when) == (refused, True)


def test_samples_of_which_no_row_was_refused_need_no_file(samples: Samples, tmp_path: Path) -> None:
    samples.write(line("4"))
    samples.made(tmp_path / "errors.jsonl")
    when = samples.when
    (tmp_path / "errors.jsonl").unlink()
    samples.made(tmp_path / "errors.jsonl")
    assert samples.when == when
