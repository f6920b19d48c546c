"""Reports: that they cannot be written is found before anything is read."""

import os

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.sinks import check_report


def test_the_report_of_an_earlier_run_goes_before_this_one_begins(tmp_path):
    report = tmp_path / "report.json"
    report.write_text("{}")
    check_report(str(report), "--report")
    assert not report.exists()
    check_report(str(report), "--report")
    check_report(None, "--report")


def test_a_named_pipe_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_report(str(pipe), "--report")
    check_report("/dev/null", "--report")
    assert pipe.is_fifo()
    assert os.path.exists("/dev/null")


@pytest.mark.parametrize("name", [".", "no/where"])
def test_a_report_that_cannot_be_written_is_a_usage_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Fatal, match=f"--report {name}: cannot be written; check the name and the folder") as caught:
        check_report(name, "--report")
    assert caught.value.status == Exit.USAGE
