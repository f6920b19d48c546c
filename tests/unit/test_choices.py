"""What options offer is what the code knows, and knowing it costs no import."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

from libra_cli import choices
from libra_cli.records.probes import PROBES
from libra_cli.rm_benchmarks import BENCHMARKS
from libra_cli.rm_benchmarks.base import ProtocolName
from libra_cli.stages.score import row_kinds
from libra_cli.tasks import JUDGING, TASKS


def test_nothing_is_imported():
    tree = ast.parse(Path(choices.__file__).read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_the_lists_are_those_of_the_code():
    assert set(choices.TASKS) == set(TASKS)
    assert tuple(JUDGING) == choices.JUDGE_TASKS
    assert tuple(PROBES) == choices.PROBES
    assert get_args(ProtocolName) == choices.PROTOCOLS
    assert {*BENCHMARKS, row_kinds.LIBRA_BENCH, row_kinds.POINTWISE, row_kinds.REASONING} == set(choices.ROW_KINDS)
