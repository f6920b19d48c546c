"""`rate`: rate a single response from 1 to 10 by criteria of the judge's own, in the manner of DeepSeek-GRM."""

from __future__ import annotations

from libra_cli.tasks.judge import rating_task

SCALE = (1, 10)
THRESHOLD = 5
"""The middle of the scale, above which a rating means correct; `libra score` searches a better one."""

RATE = rating_task("rate", "rating", SCALE, THRESHOLD)
