"""`score`: grade the correctness of a response from 0 to 4; the judge first answers, then compares."""

from __future__ import annotations

from libra_cli.tasks.judge import rating_task

SCALE = (0, 4)
THRESHOLD = 2
"""The paper's threshold: 3 and 4 mean correct, 2 means wrong."""

SCORE = rating_task("score", "score", SCALE, THRESHOLD)
