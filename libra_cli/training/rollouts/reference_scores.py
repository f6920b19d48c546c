"""What a judge said of reference responses: one score or several for each question, taken once and kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache

from libra_cli.exits import Exit, Fatal
from libra_cli.records.forms import JudgeItem
from libra_cli.records.items import item_of_row
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.rows import RowError

_CURE = "give what libra judge wrote about responses of the starting policy, with the judge and the task of the recipe"


class ReferenceScores:
    """The scores of reference responses, by question."""

    def __init__(self, scores: Mapping[str, tuple[float, ...]], path: str):
        self._scores, self._path = scores, path

    @classmethod
    @lru_cache(maxsize=1)  # options, prompts and the judge all ask for them
    def read(cls, path: str, judge: str, task: str) -> ReferenceScores:
        """Reads rows that `judge` scored by `task`; a row without a verdict gives no score.

        Raises Fatal(2) for a row that is none of these, or if there is no row.
        """
        scores: dict[str, list[float]] = {}
        with closing(read_rows(InputFiles((path,)))) as rows:
            for row in rows:
                if isinstance(row, BadLine):
                    raise Fatal(Exit.USAGE, f"references: {row.place}: {row.error.reason}")
                place, fields = f"references: {row.place}", row.fields
                score = fields.get("score", "")
                if not (score is None or (isinstance(score, (int, float)) and not isinstance(score, bool))):
                    raise Fatal(Exit.USAGE, f'{place}: no "score"; {_CURE}')
                by = (fields.get("judge"), fields.get("judge_task"))
                if by != (judge, task):
                    what = f"the judge is {by[0]} with the task {by[1]}, that of the recipe {judge} with {task}"
                    raise Fatal(Exit.USAGE, f"{place}: {what}; {_CURE}")
                try:
                    item = item_of_row(fields)
                except RowError as error:
                    raise Fatal(Exit.USAGE, f"{place}: {error.reason}") from None
                scores.setdefault(item.question, []).extend([] if score is None else [float(score)])
        if not scores:
            raise Fatal(Exit.USAGE, f"references: {path}: there are no rows; {_CURE}")
        return cls({question: tuple(given) for question, given in scores.items()}, path)

    def of(self, item: JudgeItem) -> tuple[float, ...]:
        """The scores for the question of `item`; raises RowError if there is none."""
        scores = self._scores.get(item.question)
        if not scores:
            where = f"in {self._path} (judge.references)"
            raise RowError("no_reference_score", f"no score of a reference response {where}; {_CURE}")
        return scores
