"""Reports: an earlier one goes when a run begins to write, and stays if the run is refused."""

import os

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import OutputFile, check_files


def report(path) -> OutputFile:
    return OutputFile("--report", str(path), "report", ("judges",))


def test_a_report_of_libra_may_stand_there(tmp_path):
    path = tmp_path / "report.json"
    check_files([report(path)], ["in"])
    path.write_text('{"judges": []}')
    check_files([report(path)], ["in"])
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("content", ['{"lr": 1}', "[1]", "text", '{"judges": '])
def test_what_libra_did_not_write_is_refused(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(Fatal, match="exists and was not made by libra with --report") as caught:
        check_files([report(path)], ["in"])
    assert caught.value.status == Exit.USAGE
    assert path.read_text() == content


def test_a_named_pipe_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_files([report(pipe), OutputFile("-o", "/dev/null", "rows")], ["/dev/null"])
    assert pipe.is_fifo()
    assert os.path.exists("/dev/null")


@pytest.mark.parametrize("name", [".", "no/where"])
def test_a_report_that_cannot_be_written_is_a_usage_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Fatal, match=r"cannot be written .*; check the name and the folder") as caught:
        check_files([report(name)], ["in"])
    assert caught.value.status == Exit.USAGE
