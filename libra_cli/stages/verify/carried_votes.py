"""The votes of an earlier run that a row keeps, as a run that continues compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from libra_cli.records import label_votes as voting
from libra_cli.records.human_labels import Labels, is_about
from libra_cli.records.responses import ResponseFields
from libra_cli.stream.rows import Row, RowError


class CarriedVotes:
    """Gives what `libra verify` keeps of the `verification` of a row: the same for a row and for what becomes of it.

    Those are the votes of models, unless this run asks models itself or the rule alone decides (`keeps_models` False),
    and the label by a person: that of the files of `labels`, else the one that the row carries for this response.
    """

    def __init__(self, fields: ResponseFields, labels: Callable[[], Labels], keeps_models: bool):
        self._fields, self._read_labels, self._keeps_models = fields, labels, keeps_models

    @cached_property
    def _labels(self) -> Labels:
        return self._read_labels()

    def __call__(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The votes under `verification`; nothing without any."""
        before = voting.earlier(fields)
        if not before and not len(self._labels):
            return {}
        votes = voting.of_models(before) if self._keeps_models else []
        try:
            response = self._fields.response(Row(dict(fields), b"", "", 0))
        except RowError:  # which refuses the row later
            return {}
        human = self._labels.find(fields, response, "") or voting.of_a_person(before)
        if human is not None and is_about(human, response):
            votes.append(human)
        kept = [{name: value for name, value in vote.items() if name != "text"} for vote in votes]
        return {"verification": kept} if kept else {}
