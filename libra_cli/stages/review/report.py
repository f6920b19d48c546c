"""What `libra review` says on stderr: the rows to show, and the labels given."""

from __future__ import annotations

from libra_cli.stages.review.items import ReviewItems
from libra_cli.stages.review.queue import ReviewQueue


def rows_to_show(items: ReviewItems) -> str:
    """Counts the rows that are shown, and those that are not by reason."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in items.left_out.items() if count)
    hint = "; --only all shows every row" if items.left_out["a label"] else ""
    shown = "1 row" if len(items) == 1 else f"{len(items)} rows"
    return shown + (f"; not shown: {reasons}{hint}" if reasons else "")


def labels_given(queue: ReviewQueue) -> str:
    """Counts the labels, and the responses that still lack one."""
    counts, left = queue.counts, queue.total - queue.labelled
    text = f"{counts[1]} correct, {counts[0]} incorrect, {left} without a label ({queue.skipped} skipped)"
    return text + ("; the same command goes on" if left else "")
