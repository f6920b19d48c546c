"""Samples on disk: what was put in comes out, whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import failing_disk
import numpy as np
import orjson
import pytest
import thinned
from tokenizer_families import family

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.rows import Row
from libra_cli.training.data import token_store
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.data.tokenization import Encoded, Encoder

N_ROWS = 2 * token_store.BLOCK_ROWS + 10


def row(number: int, answer: str, **fields: Any) -> Row:
    turns = [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": answer}]
    fields = {"messages": turns, **fields}
    raw = json.dumps(fields).encode()
    return Row(fields, raw, "in.jsonl", number)


def rows(n: int = N_ROWS) -> list[Row]:
    return [row(at + 1, "4" + " Hello" * (at % 17)) for at in range(n)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(TrainingChat(family("qwen2.5").tokenizer))


def built(folder: Path, source: Iterable[Row], encoder: Encoder, **options: Any) -> tuple[TokenStore, Counts]:
    counts, errors = Counts(), ErrorLog(str(folder) + ".errors", "sft", Console("sft", quiet=True))
    given = {"max_length": 1000, "config": {}, **options}
    try:
        return token_store.build(folder, source, encoder, errors=errors, counts=counts, **given), counts
    finally:
        errors.close()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_samples_come_back_in_order_as_they_were_encoded(tmp_path, encoder):
    source = rows()
    made, counts = built(tmp_path / "s", source, encoder, workers=2)
    expected = encoder.many([each.fields for each in source])
    assert len(made) == len(source) == counts.out == counts.read
    for at, encoded in enumerate(expected):
        assert made.sample(at).ids.tolist() == encoded.ids.tolist()
        assert made.sample(at).loss_mask.tolist() == encoded.loss_mask.tolist()
    assert made.sample(0).ids.dtype == np.int32
    assert made.lengths.tolist() == [len(encoded.ids) for encoded in expected]
    assert made.n_targets.tolist() == [int(encoded.loss_mask.sum()) for encoded in expected]
    assert (tmp_path / "s" / "tokens.bin").stat().st_size == 4 * int(made.lengths.sum())
    about = made.about
    assert (about["samples"], about["tokens"], about["learned"]) == (
        len(source), int(made.lengths.sum()), int(made.n_targets.sum()),
    )  # fmt: skip


def test_the_folder_is_the_same_for_every_number_of_workers(tmp_path, encoder):
    for workers in (1, 3):
        built(tmp_path / str(workers), rows(), encoder, workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "3")


def test_the_digest_names_tokens_their_order_and_the_options(tmp_path, encoder):
    few = rows(3)
    verbatim = Encoder(encoder.chat, assistant="verbatim")
    made = [
        built(tmp_path / "a", few, encoder),
        built(tmp_path / "b", few, verbatim),  # the same tokens
        built(tmp_path / "c", few[::-1], encoder),
        built(tmp_path / "d", few[:2], encoder),
        built(tmp_path / "e", few, encoder, max_length=999),
        built(tmp_path / "f", few, encoder, config={"seed": 1}),
    ]
    digests = [each.digest for each, _ in made]
    assert digests[0] == digests[1] == TokenStore(tmp_path / "a").digest
    assert len(set(digests)) == 5


def test_where_one_sample_ends_is_part_of_the_digest(tmp_path, encoder):
    class Cut(Encoder):
        """The same tokens of the run, cut after `at` of each row's."""

        def __init__(self, at: int):
            self.at = at

        def many(self, batch: Any) -> Any:
            ids, learned = np.arange(12, dtype=np.int32), np.ones(12, bool)
            parts = slice(0, self.at), slice(self.at, 12)
            return [Encoded(ids[part], learned[part]) for part, _ in zip(parts, batch, strict=True)]

    made = [built(tmp_path / str(at), rows(2), Cut(at))[0] for at in (5, 6, 6)]
    assert [each.lengths.tolist() for each in made] == [[5, 7], [6, 6], [6, 6]]
    assert made[0].digest != made[1].digest == made[2].digest


def test_samples_are_named_by_id_or_place(tmp_path, encoder):
    source = [row(1, "4"), row(2, "4", id="a\nb/é"), row(3, "4", id=7)]
    made, _ = built(tmp_path / "s", source, encoder)
    assert [made.name(at) for at in range(3)] == ["in.jsonl:1", "a b/é", "7"]


def test_long_samples_are_left_out_and_counted_never_cut(tmp_path, encoder):
    source = [row(1, "4"), row(2, "4" * 50), row(3, "44")]
    longest = len(encoder(source[2].fields).ids)
    made, counts = built(tmp_path / "s", source, encoder, max_length=longest)
    assert [made.name(at) for at in range(len(made))] == ["in.jsonl:1", "in.jsonl:3"]
    assert (counts.read, counts.out, dict(counts.filtered)) == (3, 2, {"too_long": 1})
    assert counts.missing == 0


def test_long_samples_are_refused_if_wished(tmp_path, encoder):
    source = [row(1, "4"), row(2, "4" * 50)]
    n_tokens = len(encoder(source[1].fields).ids)
    _, counts = built(tmp_path / "s", source, encoder, max_length=n_tokens - 1, too_long="refuse")
    assert (counts.out, counts.errors, counts.missing) == (1, 1, 0)
    error = orjson.loads((tmp_path / "s.errors").read_bytes())
    assert (error["class"], error["place"]) == ("too_long", "in.jsonl:2")
    assert f"{n_tokens} tokens, and the most is {n_tokens - 1}; " in error["reason"]


def test_rows_that_cannot_be_learned_from_go_to_the_error_file(tmp_path, encoder):
    made, counts = built(tmp_path / "s", [row(1, ""), row(2, "4")], encoder)
    assert (len(made), counts.errors, counts.missing) == (1, 1, 0)
    error = orjson.loads((tmp_path / "s.errors").read_bytes())
    assert (error["class"], error["place"], made.name(0)) == ("empty_assistant", "in.jsonl:1", "in.jsonl:2")


def test_nothing_to_learn_makes_an_empty_store(tmp_path, encoder):
    made, counts = built(tmp_path / "s", [], encoder)
    assert (len(made), made.lengths.tolist(), counts.read) == (0, [], 0)


def test_rows_are_read_no_further_than_the_workers_are(tmp_path, encoder):
    workers, ahead, written = 2, [], Counts()

    def source() -> Iterator[Row]:
        for number, each in enumerate(rows(6 * token_store.BLOCK_ROWS)):
            ahead.append(number - written.read)
            yield each

    errors = ErrorLog(None, "sft", Console("sft", quiet=True))
    token_store.build(
        tmp_path, source(), encoder, max_length=99, errors=errors, counts=written, workers=workers, config={}
    )
    assert max(ahead) <= (workers + 1) * token_store.BLOCK_ROWS


def test_long_rows_fill_a_block_by_their_bytes(encoder):
    source = [row(at, "4" * (token_store.BLOCK_BYTES // 2)) for at in range(5)]
    assert [len(block) for block in token_store._blocks(source)] == [2, 2, 1]


# -- whole or not at all ----------------------------------------------------------------------------------------------


class Broken(Exception):
    """The input fails."""


def failing() -> Iterator[Row]:
    yield from rows(token_store.BLOCK_ROWS)
    raise Broken


def test_a_build_that_fails_leaves_no_finished_folder_not_even_the_one_before(tmp_path, encoder):
    built(tmp_path / "s", rows(3), encoder)
    with pytest.raises(Broken):
        built(tmp_path / "s", failing(), encoder)
    with pytest.raises(Fatal, match=r"no finished set of tokens .*; delete it to build it again") as caught:
        TokenStore(tmp_path / "s")
    assert caught.value.status == Exit.INCOMPLETE
    made, _ = built(tmp_path / "s", rows(3), encoder)
    assert len(made) == 3
    assert sorted(files(tmp_path / "s")) == ["index.npy", "keys.npy", "names.txt", "store.json", "tokens.bin"]


def test_a_store_that_is_open_outlives_a_new_one_in_its_place(tmp_path, encoder):
    before, _ = built(tmp_path / "s", rows(3), encoder)
    kept = before.sample(2).ids.tolist()
    built(tmp_path / "s", rows(3)[::-1], encoder)
    assert before.sample(2).ids.tolist() == kept


@pytest.mark.parametrize("name", ["tokens.bin", "names.txt", "index.npy", "store.json"])
def test_a_torn_file_is_noticed(tmp_path, encoder, name):
    built(tmp_path / "s", rows(3), encoder)
    path = tmp_path / "s" / name
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(Fatal, match="no finished set of tokens") as caught:
        TokenStore(tmp_path / "s")
    assert caught.value.status == Exit.INCOMPLETE


@pytest.mark.parametrize("text", ["[]", "null", "3", '"a"', "{}", '{"version": 1}', '{"version": 1, "digest": 3}'])
def test_a_marker_of_another_kind_is_noticed(tmp_path, encoder, text):
    built(tmp_path / "s", rows(3), encoder)
    (tmp_path / "s" / "store.json").write_text(text)
    with pytest.raises(Fatal, match=r"no finished set of tokens \(store\.json is damaged\)"):
        TokenStore(tmp_path / "s")


@pytest.mark.parametrize("content", [b"", pickle.dumps([1]), b"\x93NUMPY", b"PK\x05\x06" + bytes(18)])
def test_an_index_of_another_kind_is_noticed(tmp_path, encoder, content):
    built(tmp_path / "s", rows(3), encoder)
    (tmp_path / "s" / "index.npy").write_bytes(content)
    with pytest.raises(Fatal, match="no finished set of tokens"):
        TokenStore(tmp_path / "s")


def test_a_store_of_another_version_is_built_again(tmp_path, encoder):
    built(tmp_path / "s", rows(3), encoder)
    path = tmp_path / "s" / "store.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "version": 0}))
    with pytest.raises(Fatal, match="another version"):
        TokenStore(tmp_path / "s")


def test_a_folder_that_cannot_be_made_is_named(tmp_path, encoder):
    (tmp_path / "file").write_text("")
    with pytest.raises(Fatal, match="cannot be written") as caught:
        built(tmp_path / "file" / "s", rows(1), encoder)
    assert caught.value.status == Exit.USAGE


@pytest.mark.parametrize("part", thinned.parts(failing_disk.PARTS))
def test_every_error_of_the_disk_is_status_74_and_leaves_no_finished_folder(tmp_path, encoder, monkeypatch, part):
    """A folder or name that cannot be used at all is a usage error; one that cannot be read again is incomplete."""
    monkeypatch.chdir(tmp_path)
    of_the_name, to_read = (
        ("open", "close", "mkdir", "unlink"),
        ("s/store.json", "s/index.npy", "s/keys.npy", "s/tokens.bin", "s/names.txt"),
    )

    def prepare():
        shutil.rmtree("s", ignore_errors=True)

    met = 0
    for site, code, ended in failing_disk.outcomes(prepare, lambda: built(Path("s"), rows(3), encoder), part):
        status, where = ended["status"], (site, code, ended)
        assert ended["raised"] == "", where
        if status == 0:
            assert len(TokenStore("s")) == 3, where
        else:
            expected = [74, *([2] if site[0] in of_the_name else []), *([7] if site[1] in to_read else [])]
            assert (status in expected, ended["said"][:1]) == (True, "s"), where
        met += 1
    assert met >= 50 // failing_disk.PARTS


def test_a_build_that_is_killed_leaves_no_finished_folder(tmp_path, encoder):
    def source() -> Iterator[Row]:
        yield from rows(3 * token_store.BLOCK_ROWS)
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=built, args=(tmp_path / "s", source(), encoder))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / "s" / "tokens.bin.tmp").stat().st_size > 0
    with pytest.raises(Fatal, match="no finished set of tokens"):
        TokenStore(tmp_path / "s")
    assert len(built(tmp_path / "s", rows(3), encoder)[0]) == 3


def test_a_full_disk_is_told_from_a_wrong_name(tmp_path, encoder):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "tokens.bin.tmp").symlink_to("/dev/full")
    with pytest.raises(Fatal, match="free some space") as caught:
        built(tmp_path / "s", rows(3), encoder)
    assert caught.value.status == Exit.WRITE_FAILED


@pytest.mark.parametrize("before", [None, "true"])
def test_the_tokenizers_own_threads_are_as_before_afterwards(tmp_path, encoder, monkeypatch, before):
    if before is None:
        monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    else:
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", before)
    seen: list[str | None] = []

    def source() -> Iterator[Row]:
        seen.append(os.environ.get("TOKENIZERS_PARALLELISM"))
        yield row(1, "4")

    built(tmp_path / "s", source(), encoder)
    assert (seen, os.environ.get("TOKENIZERS_PARALLELISM")) == (["false"], before)
