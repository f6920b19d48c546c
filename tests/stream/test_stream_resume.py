"""Resuming: what an output says is done, and when a run must not go on with it."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import resume, rows
from libra_cli.stream.sinks import FileSink

ROWS = [{"id": f"p{number % 40}", "sample": number // 40, "q": number} for number in range(50)]
OWN, NAMES = ("made",), ("sample",)


def line(row) -> bytes:
    return rows.dumps(row)


def manifest(path, **config) -> resume.Manifest:
    return resume.Manifest(f"{path}.libra.json", "verify", config, "1")


def continued(path, given_rows, **config) -> resume.FinishedRows:
    """Runs the rows into `path` as a stage does, and finishes it."""
    done = resume.FinishedRows(OWN, NAMES)
    mine = manifest(path, **config)
    resume.prepare(str(path), mine, done, overwrite=False)
    sink = FileSink(str(path), append=True, sha256=done.sha256)
    for row in given_rows:
        if not done.take(row, "in.jsonl:1"):
            sink.write(line(row))
    sink.finish(True, lambda: mine.write("complete"))
    return done


def begun(tmp_path, content: bytes, **config):
    """An output that a run has begun and not finished."""
    path = tmp_path / "out"
    manifest(path, **config).write("running")
    (tmp_path / "out.part").write_bytes(content)
    return path


def refusal(path, given_rows, **config) -> str:
    with pytest.raises(Fatal) as caught:
        continued(path, given_rows, **config).leftover()
    assert caught.value.status == Exit.USAGE
    return str(caught.value)


def test_an_output_of_a_version_that_wrote_no_ids_is_continued(tmp_path):
    given = [{"x": number, "y": "a"} for number in range(3)]
    path = begun(tmp_path, line({**given[0], "made": 1}) + b"\n")
    done = resume.FinishedRows(OWN, ())
    resume.prepare(str(path), manifest(path), done, overwrite=False)
    now = [{**row, "id": rows.record_id(row)} for row in given]
    assert [done.take(row, "in.jsonl:1") for row in now] == [True, False, False]
    assert done.leftover() == 0


def test_every_byte_prefix_of_an_output_is_continued_to_the_same_rows(tmp_path):
    whole = b"".join(line(row) + b"\n" for row in ROWS)
    for size in range(len(whole) + 1):
        path = begun(tmp_path, whole[:size])
        done = continued(path, ROWS)
        assert done.rows == whole[:size].count(b"\n")
        assert path.read_bytes() == whole
        path.unlink()


@given(st.randoms(), st.integers(0, 50))
def test_the_order_of_the_input_does_not_matter(tmp_path_factory, chance, n_done):
    tmp_path = tmp_path_factory.mktemp("run")
    shuffled = chance.sample(ROWS, len(ROWS))
    path = begun(tmp_path, b"".join(line(row) + b"\n" for row in shuffled[:n_done]))
    done = continued(path, ROWS)
    assert (done.rows, done.leftover()) == (n_done, 0)
    assert Counter(path.read_bytes().splitlines()) == Counter(map(line, ROWS))


def test_rows_that_are_added_to_the_input_are_done_and_the_rest_stays(tmp_path):
    path = begun(tmp_path, b"")
    continued(path, ROWS[:30])
    before = path.read_bytes()
    continued(path, ROWS)
    assert path.read_bytes() == before + b"".join(line(row) + b"\n" for row in ROWS[30:])


def test_a_finished_output_is_left_alone(tmp_path):
    path = begun(tmp_path, b"")
    continued(path, ROWS)
    before = path.stat()
    continued(path, ROWS)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)


def test_equal_rows_are_separate_rows(tmp_path):
    three = [ROWS[0]] * 3 + [ROWS[1]]
    path = begun(tmp_path, line(ROWS[0]) * 1 + b"\n")
    continued(path, three)
    assert Counter(path.read_bytes().splitlines()) == {line(ROWS[0]): 3, line(ROWS[1]): 1}


def test_a_row_that_has_changed_is_named(tmp_path):
    path = begun(tmp_path, line(ROWS[3]) + b"\n")
    changed = [*ROWS[:3], {**ROWS[3], "q": "other"}]
    message = refusal(path, changed)
    assert message.startswith("in.jsonl:1: row p3 has changed since the output was begun")
    assert "(it differs in: q)" in message
    assert "--overwrite" in message


CHANGES = {
    "another label": ({"label": 1}, {"label": 0}, "label"),
    "an integer that became a float": ({"label": 1}, {"label": 1.0}, "label"),
    "a bool that became a number": ({"label": True}, {"label": 1}, "label"),
    "a value that became null": ({"subset": "a"}, {"subset": None}, "subset"),
    "a field that is new": ({}, {"note": None}, "note"),
    "a field that is gone": ({"note": 1}, {}, "note"),
    "part of an object": ({"extra": {"a": [1, {"b": 2}]}}, {"extra": {"a": [1, {"b": 3}]}}, "extra"),
    "a long integer": ({"extra": 10**40}, {"extra": 10**40 + 1}, "extra"),
}


@pytest.mark.parametrize(("before", "now", "field"), CHANGES.values(), ids=CHANGES.keys())
def test_a_field_that_passes_through_may_not_change(tmp_path, before, now, field):
    path = begun(tmp_path, line({**ROWS[2], "made": 1}) + b"\n" + line({**ROWS[3], **before, "made": 1}) + b"\n")
    assert f"(it differs in: {field})" in refusal(path, [ROWS[2], {**ROWS[3], **now}])


@pytest.mark.parametrize("before", [one for one, _, _ in CHANGES.values()])
def test_what_the_stage_writes_and_the_order_of_keys_may_differ(tmp_path, before):
    written = line({**ROWS[3], **before, "made": [1]}) + b"\n"
    path = begun(tmp_path, written)
    turned = dict(reversed({**ROWS[3], **before, "made": 2}.items()))
    assert continued(path, [turned]).leftover() == 0
    assert path.read_bytes() == written


def test_a_change_is_named_whichever_name_the_output_has(tmp_path):
    path = begun(tmp_path, b"")
    continued(path, ROWS[:5])
    assert "in.jsonl:1: row p4" in refusal(path, [*ROWS[10:12], {**ROWS[4], "q": "other"}])


def test_rows_without_a_sample_may_share_an_id_and_come_in_any_order(tmp_path):
    unnamed = [{"id": "p", "q": f"answer {number}"} for number in range(4)]
    path = begun(tmp_path, line(unnamed[2]) + b"\n")
    assert continued(path, unnamed).leftover() == 0
    assert Counter(path.read_bytes().splitlines()) == Counter(map(line, unnamed))


def test_a_changed_row_without_a_sample_is_named_at_the_end(tmp_path):
    unnamed = [{"id": "p", "q": f"answer {number}"} for number in range(4)]
    path = begun(tmp_path, line({"id": "p", "q": "an older answer"}) + b"\n")
    assert "row p has changed" in refusal(path, unnamed)


def test_rows_that_the_input_no_longer_has_are_counted(tmp_path):
    path = begun(tmp_path, b"".join(line(row) + b"\n" for row in ROWS))
    assert continued(path, ROWS[:45]).leftover() == 5


def test_integers_of_any_length_are_part_of_the_key(tmp_path):
    long = {"id": "p", "sample": 0, "q": 10**40}
    path = begun(tmp_path, line(long) + b"\n")
    assert "has changed" in refusal(path, [{**long, "q": 10**40 + 1}])


def test_another_configuration_is_named_option_by_option(tmp_path):
    path = begun(tmp_path, line(ROWS[0]) + b"\n", temperature=0.5, model=("a", "b"), seed=0)
    message = refusal(path, ROWS, temperature=0.7, model=("a", "b"), max_tokens=9)
    assert "(--max-tokens was null, now 9; --seed was 0, now null; --temperature was 0.5, now 0.7)" in message
    assert "--model" not in message


def test_another_stages_output_is_refused(tmp_path):
    path = begun(tmp_path, line(ROWS[0]) + b"\n")
    other = resume.Manifest(f"{path}.libra.json", "balance", {}, "1")
    with pytest.raises(Fatal, match="it was made by libra verify"):
        resume.prepare(str(path), other, None, overwrite=False)


def test_a_file_that_libra_did_not_make_is_refused_and_an_empty_one_is_not(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"notes\n")
    assert "was not made by libra" in refusal(path, ROWS)
    assert path.read_bytes() == b"notes\n"
    path.write_bytes(b"")
    continued(path, ROWS[:1])
    assert path.read_bytes() == line(ROWS[0]) + b"\n"


def test_a_run_that_wrote_nothing_does_not_bind_the_next_to_its_options(tmp_path):
    path = begun(tmp_path, b"", model=("nowhere",), temperature=0.5)
    continued(path, ROWS[:1], temperature=0.7)
    assert "--temperature was 0.7, now 0.5" in refusal(path, ROWS, temperature=0.5)


@pytest.mark.parametrize("content", [b"[1]\n", b"{}\n{\n", b'{"id":1}', b'{"a":1,"a":2}\n'])
def test_a_finished_output_that_was_edited_is_refused(tmp_path, content):
    path = tmp_path / "out"
    manifest(path).write("complete")
    path.write_bytes(content)
    assert "not a row of this run" in refusal(path, ROWS)
    assert path.read_bytes() == content


def test_a_compressed_output_cannot_be_continued_and_is_refused(tmp_path):
    assert "compress it afterwards" in refusal(tmp_path / "out.gz", ROWS)


def test_overwriting_starts_afresh(tmp_path):
    path = begun(tmp_path, b"notes")
    path.write_bytes(b"more notes")
    mine = manifest(path, seed=1)
    resume.prepare(str(path), mine, resume.FinishedRows(OWN, NAMES), overwrite=True)
    sink = FileSink(str(path), append=False, replaces=True)
    assert path.read_bytes() == b"more notes"  # a run that is refused before its first row changes nothing
    sink.write(line(ROWS[0]))
    sink.finish(True, lambda: mine.write("complete"))
    assert sorted(name.name for name in tmp_path.iterdir()) == ["out", "out.libra.json"]
    assert path.read_bytes() == line(ROWS[0]) + b"\n"


def test_both_names_at_once_are_refused(tmp_path):
    path = begun(tmp_path, line(ROWS[0]) + b"\n")
    path.write_bytes(line(ROWS[0]) + b"\n")
    assert "are both there" in refusal(path, ROWS)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"stage":"x"}', b"\xff"])
def test_what_is_not_a_manifest_is_none(tmp_path, content):
    path = tmp_path / "m"
    if content is not None:
        path.write_bytes(content)
    assert resume.Manifest.read(str(path)) is None


def test_the_keys_of_a_large_output_take_little_memory():
    import tracemalloc

    done = resume.FinishedRows(OWN, NAMES)
    chance = random.Random(0)
    tracemalloc.start()
    for _ in range(100_000):
        done._add(chance.randbytes(12), chance.randbytes(12))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 100_000 < 200  # bytes for each row


def test_a_blank_line_is_no_row_and_no_reason_to_refuse(tmp_path):
    path = begun(tmp_path, line(ROWS[0]) + b"\n\n")
    done = continued(path, ROWS)
    assert done.rows == 1
    assert len([text for text in path.read_bytes().splitlines() if text]) == len(ROWS)
