"""`libra mix` from a shell: the same bytes however the input comes, bounded memory, and being stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

LIBRA = str(Path(sys.executable).parent / "libra")


def jsonl(name, count, size=0):
    return "".join(json.dumps({"id": f"{name}{at}", "text": "ü" * size}) + "\n" for at in range(count)).encode()


@pytest.fixture
def sets(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(jsonl("a", 300))
    (tmp_path / "b.jsonl").write_bytes(jsonl("b", 1000))
    return tmp_path


def test_the_bytes_do_not_depend_on_the_way_of_the_input(sets, shell):
    command = "libra mix {} b.jsonl:500 -n 600 --seed 5 -q"
    expected = shell(command.format("a.jsonl:1.0"))
    assert expected.status == 0
    assert expected.out.count(b"\n") == 600
    ways = ["gzip -k a.jsonl; {}", "cat a.jsonl | {}", "< a.jsonl {}", "mkfifo p; cat a.jsonl > p & {}"]
    names = ["a.jsonl.gz", "-", "-", "p"]
    for way, name in zip(ways, names, strict=True):
        ended = shell(way.format(command.format(f"{name}:1.0")))
        assert (ended.status, ended.out, ended.err) == (0, expected.out, b""), way


def test_another_seed_is_another_choice_and_order(sets, shell):
    outs = [shell(f"libra mix a.jsonl b.jsonl:200 --seed {seed} -q").out for seed in (1, 2)]
    chosen = [{json.loads(line)["id"] for line in out.splitlines()} for out in outs]
    assert len(chosen[0]) == len(chosen[1]) == 500
    assert chosen[0] != chosen[1]
    assert {name for name in chosen[0] if name[0] == "a"} == {f"a{number}" for number in range(300)}


def test_repetitions_are_whole_epochs_first(sets, shell):
    out = shell("libra mix a.jsonl:2.5x -q").out
    drawn = [json.loads(line)["id"] for line in out.splitlines()]
    assert [set(Counter(drawn[:300]).values()), set(Counter(drawn[300:600]).values())] == [{1}, {1}]
    assert Counter(Counter(drawn).values()) == {3: 150, 2: 150}


def test_shards_are_mixed_each_for_itself(sets, shell):
    outs = [shell(f"libra mix a.jsonl b.jsonl --shard {part}/2 -q").out.splitlines() for part in (0, 1)]
    assert all(len(out) > 500 for out in outs)
    assert sorted(outs[0] + outs[1]) == sorted(
        (sets / "a.jsonl").read_bytes().splitlines() + (sets / "b.jsonl").read_bytes().splitlines()
    )


def test_a_reader_that_leaves_is_not_complained_about(tmp_path, shell):
    (tmp_path / "a.jsonl").write_bytes(jsonl("a", 5000, 100))
    ended = shell("set -o pipefail; libra mix a.jsonl | head -1")
    assert (ended.status, ended.out.count(b"\n"), ended.err) == (141, 1, b"")


def test_a_file_that_changes_meanwhile_is_not_mixed(sets, environment):
    process = subprocess.Popen(
        [LIBRA, "mix", "a.jsonl", "-"],
        env=environment,
        cwd=sets,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(jsonl("c", 5000))  # more than a pipe holds: a.jsonl has been read when this returns
    process.stdin.flush()
    (sets / "a.jsonl").write_bytes(jsonl("x", 300))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 7
    assert b"a.jsonl: it has changed since it was read first; leave it alone while this runs" in err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_a_run_that_is_stopped_while_it_reads_writes_nothing(environment, number, status, tmp_path):
    process = subprocess.Popen(
        [LIBRA, "mix", "-:1.0", "-o", "out.jsonl"],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(jsonl("c", 5000))
    process.stdin.flush()
    process.send_signal(number)
    assert process.wait(60) == status
    with process:
        assert b"; stopped, the same command begins anew" in process.stderr.read()
    assert not (tmp_path / "out.jsonl").exists()


def test_memory_is_bounded_by_the_number_of_rows(tmp_path, shell):
    """30,000 rows of 4 kB, half of them through a pipe: 120 MB, of which nothing is held but where they are."""
    rows = jsonl("r", 15_000, 2000)
    (tmp_path / "few.jsonl").write_bytes(rows[: rows.index(b"\n") + 1])
    (tmp_path / "many.jsonl").write_bytes(rows)
    few = peak(shell, "few.jsonl:2x", b'{"id": "s"}\n')
    assert peak(shell, "many.jsonl:2x", rows.replace(b'"r', b'"s')) - few < 30 << 20


def peak(shell, name, piped):
    """The most memory, in bytes, that a run had. (Linux keeps ru_maxrss across exec, pytest's; VmHWM begins anew.)"""
    words = ["mix", name, "-:0.9x", "--duplicates", "drop", "--duplicates-by", "content", "-q", "-o", "/dev/null"]
    code = f"import pathlib, re, sys; sys.argv = ['libra', *{words!r}]; from libra_cli.main import run\n"
    code += "try:\n    run()\nfinally:\n"
    code += "    status = pathlib.Path('/proc/self/status').read_text()\n"
    code += "    print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1], file=sys.stderr)"
    ended = shell(["python", "-c", code], input=piped)
    assert (ended.status, ended.out) == (0, b"")
    return int(ended.err) << 10
