"""All that one judge is asked about one item: its requests, and what their answers decide."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from libra_cli.records.forms import JudgeItem
from libra_cli.sampling.aggregate import aggregate, judgments_by_gate
from libra_cli.sampling.judge_prompts import JudgePlan, make_plan
from libra_cli.sampling.judges import Judge
from libra_cli.sampling.judgments import order_fields
from libra_cli.sampling.recordings import judged_keys, judgment_key
from libra_cli.sampling.requests import request_seed
from libra_cli.stream import rows
from libra_cli.stream.jobs import Answer


@dataclass(frozen=True)
class JudgeSession:
    """All requests to one judge about one item."""

    judge: Judge
    plan: JudgePlan
    name: str
    """Identifies the item among all that the judge is asked about."""
    seed_of: Callable[[int], int]
    """The seed of a request, from its number."""
    record: Mapping[str, Any]
    """The row of the item, by whose texts a recording finds it where ids do not tell rows apart."""

    @classmethod
    def about(
        cls,
        item: JudgeItem,
        judge: Judge,
        model: str,
        name: str,
        gates: Sequence[str | None],
        *,
        votes: int,
        orders: str,
        seed: int,
        record: Mapping[str, Any] = MappingProxyType({}),
    ) -> JudgeSession:
        """The session of the judge `model` about `item`; `gates` says of each response what kind of non-answer it is.

        Raises RowError if the judge's task cannot show the item.
        """
        judge.check(item)

        def chance(vote: int) -> random.Random:
            return random.Random(rows.seed_for(seed, f"{name}\0order", vote))  # the same for every judge

        plan = make_plan(item, judge.shows, gates, votes, orders, chance)
        return cls(judge, plan, name, partial(request_seed, seed, f"{name}\0{model}"), record)

    @cached_property
    def requests(self) -> Sequence[Any]:
        """The requests; made when an engine asks for them, because finished rows need no prompts."""
        requests = []
        conversations = self.judge.conversations(self.plan)
        keys = judged_keys(self.name, self.record) if self.record else ()
        for number, (prompt, messages) in enumerate(zip(self.plan.prompts, conversations, strict=True)):
            shows = judgment_key({"vote": prompt.vote, **order_fields(self.plan, prompt)})
            seed = self.seed_of(number)
            requests.append(self.judge.request(self.plan.item, messages, seed, self.name, number, shows, keys))
        return requests

    def decided(self, answers: Sequence[Answer], reduce: str, threshold: float | None) -> dict[str, Any]:
        """`judge_task`, `judgments` and what these amount to (`aggregate`), from an answer to each request."""
        judgments = [
            self.judge.read(self.plan, prompt, request, answer)
            for prompt, request, answer in zip(self.plan.prompts, self.requests, answers, strict=True)
        ]
        judgments += judgments_by_gate(self.plan)
        rule = self.judge.rule(reduce, threshold)
        return {"judge_task": self.judge.name, "judgments": judgments, **aggregate(self.plan, judgments, rule)}
