"""What `libra score` loads: judged rows need nothing that compares answers, which takes longer than scoring them."""

from __future__ import annotations

import json
import subprocess
import sys


def loaded(row, environment):
    """The modules that scoring a row loads."""
    script = (
        "import sys\nfrom libra_cli import main\nsys.argv = ['libra', 'score', '--quiet', '--resamples', '0']\n"
        "try:\n    main.run()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script], env=environment, input=json.dumps(row), text=True,
                           capture_output=True, check=True)  # fmt: skip
    return ended.stderr.split()


def test_judged_rows_load_nothing_that_compares_answers(environment):
    row = {"id": "p", "question": "1 + 1?", "subset": "s", "label": 1, "judge": "J", "judge_task": "score", "score": 4}
    names = loaded(row, environment)
    assert "libra_cli.stages.score.pointwise" in names
    assert "libra_cli.answers.comparison.equal" not in names


def test_responses_do(environment):
    names = loaded(
        {"id": "p", "question": "1 + 1?", "model": "m", "sample": 0, "label": 1, "response": "2"}, environment
    )
    assert "libra_cli.answers.comparison.equal" in names
