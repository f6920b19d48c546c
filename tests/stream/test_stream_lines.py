"""Lines: split on LF alone at any chunk boundary, whatever the container, in bounded memory."""

import bz2
import gzip
import hashlib
import lzma
import os
import threading
import tracemalloc

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import decompression, line_source
from libra_cli.stream.line_batch import LineBatch
from libra_cli.stream.line_source import InputFiles

TEXT = [b"\n", b"\n\n", b"\r\n", b"a", b"bc" * 9]
ODD = [b"\xe2\x80\xa8", b"\xc2\x85", b"\f", b"\0", b"\xef\xbb\xbf", b"\x1f\x8b"]
DATA = st.lists(st.sampled_from(TEXT + ODD), max_size=30).map(b"".join)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


CONTAINERS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd, "bzip2": bz2.compress, "xz": lzma.compress}
COMPRESSED = [name for name in CONTAINERS if name != "plain"]


def read_all(source: InputFiles, wait: float | None = None) -> list[LineBatch]:
    batches = []
    while (batch := source.read(wait)) is not None:
        batches.append(batch)
    return batches


def content(batches: list[LineBatch]) -> list[bytes]:
    return [line for batch in batches for line in batch.lines]


def expected(data: bytes) -> list[bytes]:
    """What a naive splitter makes of it."""
    naive = data.split(b"\n")
    naive = naive if naive[-1] else naive[:-1]
    return [naive[0].removeprefix(line_source.BOM), *naive[1:]] if naive else []


def set_chunk(patch: pytest.MonkeyPatch, size: int) -> None:
    """Both what is read and what is unpacked at a time."""
    for module in (line_source, decompression):
        patch.setattr(module, "CHUNK", size)


@pytest.fixture
def chunk(monkeypatch):
    """Sets the chunk size, so that small data has many boundaries."""
    return lambda size: set_chunk(monkeypatch, size)


@pytest.mark.parametrize("container", CONTAINERS)
@settings(max_examples=150)
@given(data=DATA, size=st.integers(1, 40))
@example(data=b"\xef\xbb\xbf", size=1)
@example(data=b"\xef\xbb\xbf\n", size=2)
def test_lines_are_those_of_a_naive_splitter_at_every_chunk_boundary(tmp_path_factory, container, data, size):
    if container == "plain" and data.startswith(decompression.GZIP_MAGIC):
        return
    path = tmp_path_factory.getbasetemp() / "data"
    path.write_bytes(CONTAINERS[container](data))
    with pytest.MonkeyPatch.context() as patch:
        set_chunk(patch, size)
        batches = read_all(InputFiles([str(path)]))
    assert content(batches) == expected(data)
    numbers = [number for batch in batches for number, _ in enumerate(batch.lines, batch.first)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert any(batch.torn for batch in batches) == (bool(data) and not data.endswith(b"\n"))
    assert not any(batch.torn for batch in batches[:-1])


@settings(max_examples=150)
@given(data=DATA, size=st.integers(1, 40), limit=st.integers(1, 30))
def test_a_line_over_the_limit_is_dropped_and_named_wherever_it_lies(tmp_path_factory, data, size, limit):
    if data.startswith((decompression.GZIP_MAGIC, line_source.BOM)):
        return
    path = tmp_path_factory.getbasetemp() / "data"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        set_chunk(patch, size)
        batches = read_all(InputFiles([str(path)], max_line_bytes=limit))
    found = [batch.too_long.get(at, line) for batch in batches for at, line in enumerate(batch.lines)]
    named = [(len(line), hashlib.sha256(line).hexdigest()) for line in expected(data)]
    assert found == [line if named[at][0] <= limit else named[at] for at, line in enumerate(expected(data))]
    assert all(line == b"" for batch in batches for at, line in enumerate(batch.lines) if at in batch.too_long)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_huge_line_takes_no_more_memory_than_the_limit(tmp_path, container):
    line = b'{"a":"' + b"x" * (20 << 20) + b'"}'
    path = tmp_path / "data"
    path.write_bytes(CONTAINERS[container](line + b'\n{"b":1}\n'))
    tracemalloc.start()
    batches = read_all(InputFiles([str(path)], max_line_bytes=1 << 20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content(batches) == [b"", b'{"b":1}']
    assert batches[0].too_long == {0: (len(line), hashlib.sha256(line).hexdigest())}
    assert peak < (12 << 20)  # zstd gives up to 8 MiB at once


@pytest.mark.parametrize("container", COMPRESSED)
def test_members_one_after_another_are_one_file(tmp_path, chunk, container):
    chunk(7)
    pack = CONTAINERS[container]
    path = tmp_path / "data"
    padding = b"\0" * 512 if container == "gzip" else b""
    path.write_bytes(pack(b"a\nb") + pack(b"") + pack(b"c\n") + pack(b"d\n") + padding)
    assert content(read_all(InputFiles([str(path)]))) == [b"a", b"bc", b"d"]


@pytest.mark.parametrize("container", COMPRESSED)
def test_a_truncated_file_is_incomplete_wherever_it_was_cut(tmp_path, container):
    whole = CONTAINERS[container](b'{"a":1}\n' * 50)
    path = tmp_path / "data"
    for size in range(len(decompression.XZ_MAGIC), len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(Fatal, match=f"{path}: the compressed input") as caught:
            read_all(InputFiles([str(path)]))
        assert caught.value.status == Exit.INCOMPLETE


@pytest.mark.parametrize("container", COMPRESSED)
def test_a_damaged_file_is_named(tmp_path, container):
    whole = bytearray(CONTAINERS[container](os.urandom(4000)))
    whole[2000:2010] = bytes(10)
    whole[6:12] = b"\xff" * 6
    path = tmp_path / "data"
    path.write_bytes(whole + b"garbage")
    with pytest.raises(Fatal, match=r"the compressed input (is damaged|ends in the middle)") as caught:
        read_all(InputFiles([str(path)]))
    assert caught.value.status == Exit.INCOMPLETE


def test_several_files_follow_one_another_and_the_end_of_each_ends_a_line(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf1\n2")
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "c").write_bytes(b"\xef\xbb\xbf3\n")
    names = [str(tmp_path / name) for name in "abc"]
    batches = read_all(InputFiles(names))
    assert content(batches) == [b"1", b"2", b"3"]
    assert [(batch.file, batch.first) for batch in batches] == [(names[0], 1), (names[0], 2), (names[2], 1)]


def test_a_pipe_is_read_as_it_comes_and_never_waited_for_longer_than_asked():
    reader, writer = os.pipe()
    source = InputFiles([f"/dev/fd/{reader}"])
    os.write(writer, b"\x1f")  # as much of gzip's magic number as fits into one byte
    assert source.read(0.01).lines == []
    os.write(writer, b"a\nb")
    assert source.read(None).lines == [b"\x1fa"]
    assert source.read(0).lines == []
    os.write(writer, b"c\n")
    assert source.read(None).lines == [b"bc"]
    os.close(writer)
    assert source.read(None) is None
    os.close(reader)


@pytest.mark.parametrize("container", COMPRESSED)
def test_a_compressed_pipe_gives_its_lines_byte_by_byte(container):
    reader, writer = os.pipe()
    data = b"".join(b"%d\n" % number for number in range(300))

    def feed() -> None:
        with os.fdopen(writer, "wb", 0) as file:
            for byte in CONTAINERS[container](data):
                file.write(bytes([byte]))

    thread = threading.Thread(target=feed)
    thread.start()
    assert content(read_all(InputFiles([f"/dev/fd/{reader}"]))) == data.split()
    thread.join()
    os.close(reader)


def test_waiting_ends_when_the_run_is_woken():
    reader, writer = os.pipe()
    wake, waker = os.pipe()
    source = InputFiles([f"/dev/fd/{reader}"], wake_fd=wake)
    os.write(waker, b"!")
    assert source.read(None).lines == []
    for descriptor in (reader, writer, wake, waker):
        os.close(descriptor)


def test_a_non_blocking_input_is_waited_for():
    reader, writer = os.pipe2(os.O_NONBLOCK)
    timer = threading.Timer(0.05, os.write, (writer, b"a\n"))
    timer.start()
    assert line_source._read(reader, "<stdin>") == b"a\n"
    timer.join()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file or directory"), (".", "is a directory")])
def test_a_name_that_cannot_be_read_is_a_usage_error_before_anything_is_done(tmp_path, name, reason):
    with pytest.raises(Fatal, match=reason) as caught:
        InputFiles(["-", str(tmp_path / name)])
    assert caught.value.status == Exit.USAGE


def test_a_file_that_vanishes_before_its_turn_is_incomplete_input(tmp_path):
    (tmp_path / "a").write_bytes(b"1\n")
    source = InputFiles([str(tmp_path / "a")])
    (tmp_path / "a").unlink()
    with pytest.raises(Fatal, match="cannot be read any more") as caught:
        source.read()
    assert caught.value.status == Exit.INCOMPLETE


def skippable(content: bytes, first: int = 0x50) -> bytes:
    return bytes((first,)) + b"\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


def as_pzstd(data: bytes) -> bytes:
    """Frames of 1,000 bytes, each after a skippable one with its size, as pzstd writes them."""
    frames = [zstd(data[at : at + 1000]) for at in range(0, len(data), 1000)]
    return b"".join(skippable(len(frame).to_bytes(4, "little")) + frame for frame in frames)


@pytest.mark.parametrize("first", [0x50, 0x5F])
@pytest.mark.parametrize("size", [3, 1 << 18])
def test_frames_to_skip_are_skipped(first, size, tmp_path, monkeypatch):
    set_chunk(monkeypatch, size)
    lines = [b'{"n":%d}' % number for number in range(500)]
    data = b"".join(line + b"\n" for line in lines)
    made = as_pzstd(data) + skippable(b"x" * 1000, first) + zstd(b"last\n") + skippable(b"", first)
    for head in (b"", skippable(b"", first), skippable(b"y" * 30_000, first)):
        (tmp_path / "x").write_bytes(head + made)
        source = InputFiles([str(tmp_path / "x")])
        read: list[bytes] = []
        while (batch := source.read()) is not None:
            read += batch.lines
        assert read == [*lines, b"last"]


@pytest.mark.parametrize("cut", [3, 7, 11])
def test_a_frame_to_skip_that_is_cut_off_is_named(cut, tmp_path):
    (tmp_path / "x").write_bytes(zstd(b"1\n") + skippable(b"abcd")[:cut])
    source = InputFiles([str(tmp_path / "x")])
    with pytest.raises(Fatal, match="ends in the middle"):
        list(iter(source.read, None))


def test_a_window_that_is_too_large_is_named(tmp_path):
    settings = zstandard.ZstdCompressionParameters.from_level(3, window_log=28, source_size=1 << 29)
    stream = zstandard.ZstdCompressor(compression_params=settings).compressobj(1 << 29)
    (tmp_path / "x").write_bytes(stream.compress(b"1\n" * (1 << 20)) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    with pytest.raises(Fatal, match=r"needs a window of more than 128 MiB \(zstd --long\)") as refused:
        InputFiles([str(tmp_path / "x")]).read()
    assert refused.value.status == 2


def test_a_dictionary_that_is_too_large_is_named(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
    (tmp_path / "x").write_bytes(lzma.compress(b"1\n" * 100, lzma.FORMAT_XZ, filters=filters))
    with pytest.raises(Fatal, match=r"needs a window of more than 128 MiB \(--lzma2=dict\)") as refused:
        InputFiles([str(tmp_path / "x")]).read()
    assert refused.value.status == 2
