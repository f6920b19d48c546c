"""A package that is installed and cannot be imported: one line that names it and what imports it."""

from __future__ import annotations

import importlib

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.packages import broken_import
from libra_cli.sampling.choose import installed


@pytest.fixture
def misfit(tmp_path, monkeypatch):
    """Puts `misfit_outer` on the path, whose import breaks on `misfit_inner`."""
    (tmp_path / "misfit_outer.py").write_text("import misfit_inner\n")
    (tmp_path / "misfit_inner.py").write_text("raise RuntimeError('operator misfit::nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_an_engine_whose_packages_do_not_fit_ends_with_status_6(misfit):
    with pytest.raises(Fatal) as refused, installed("vllm"):
        importlib.import_module("misfit_outer")
    assert refused.value.status is Exit.BACKEND
    said = "misfit_outer and misfit_inner cannot be imported: RuntimeError: operator misfit::nms does not exist; "
    assert said in str(refused.value)


def test_an_import_statement_is_known_as_one(misfit):
    with pytest.raises(RuntimeError) as failed:
        import misfit_outer  # noqa: F401
    assert "misfit_outer and misfit_inner cannot be imported: RuntimeError" in str(broken_import(failed.value))


def _fail_after_a_handled_import():
    try:
        importlib.import_module("no_such_module")
    except ImportError:
        importlib.import_module("json").loads("{")


def test_an_import_that_failed_before_and_was_handled_is_no_cause():
    with pytest.raises(ValueError, match="Expecting") as failed:
        _fail_after_a_handled_import()
    assert broken_import(failed.value) is None


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="out of memory"), installed("vllm"):
        raise RuntimeError("out of memory")
    with pytest.raises(ValueError, match="Expecting") as failed:
        importlib.import_module("json").loads("{")
    assert broken_import(failed.value) is None
