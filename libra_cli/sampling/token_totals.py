"""The tokens that the models of a run took on servers, and what they cost: a line for each in the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.engines.openai.end_words import cure, end_in_words
from libra_cli.plural import counted
from libra_cli.sampling.choose import ChosenModel
from libra_cli.sampling.prices import Prices
from libra_cli.stream.run import Run
from libra_cli.stream.usage import added_usage

COST = "cost"


class TokenTotals:
    """Reports the tokens of models behind servers at the end of a run, however that comes, and in its manifest.

    The manifest adds up the runs that made the output; the summary is about this one.
    """

    def __init__(self, run: Run, models: Sequence[ChosenModel], prices: Prices):
        self._run, self._prices = run, prices
        self._models = [model for model in models if model.usage is not None]
        earlier = run.earlier_figure("usage")
        self._earlier: Mapping[str, Any] = earlier if isinstance(earlier, dict) else {}
        for model in self._models:
            if lacks := prices.lacks(model.name, model.model):
                run.console.note(lacks, event="no_price", model=model.name)
        if self._models:
            run.add_figure("usage", self.figures)
            run.before_summary(self._say)

    def _of_this_run(self) -> dict[str, dict[str, Any]]:
        """The figures of each model that was asked."""
        figures = {}
        for model in self._models:
            usage = model.usage.tally() if model.usage is not None else {}
            if usage.get("requests"):
                price = self._prices.of(model.name, model.model)
                stated = model.usage.stated_cost if model.usage is not None else None
                cost = stated if price is None else price.cost(usage)
                figures[model.name] = usage if cost is None else {**usage, COST: cost}
        return figures

    def figures(self) -> dict[str, dict[str, Any]] | None:
        """The figures of each model over all runs that made the output; a cost only if it is known of all of them."""
        return added_usage([self._earlier, self._of_this_run()]) or None

    def _say(self) -> None:
        figures = self._of_this_run()
        has_price = {model.name: self._prices.of(model.name, model.model) is not None for model in self._models}
        for name, usage in figures.items():
            words = self._in_words(usage, "" if has_price[name] else ", as the server says")
            self._run.console.note(f"{name}: {words}", event="usage", model=name, **usage)
        for model in self._models:
            ends = {} if model.usage is None else model.usage.unknown_ends
            for word, count in sorted(ends.items()):
                what = f"{counted(count, 'answer')} {end_in_words(word)} counted as not finished"
                self._run.console.note(
                    f"{model.name}: {what}; {cure(word)}", event="unknown_end", word=word, count=count
                )
        if len(figures) > 1:
            keys = set.intersection(*(set(usage) for usage in figures.values()))
            total = {
                key: sum(usage[key] for usage in figures.values())
                for key in figures[next(iter(figures))]
                if key in keys
            }
            self._run.console.note(f"all models: {self._in_words(total)}", event="usage", model=None, **total)

    def _in_words(self, usage: Mapping[str, Any], by: str = "") -> str:
        ends = {"failed": "failed", "adapted": "sent again as the server wants them"}
        counts = ", ".join(f"{usage[key]:,} {words}" for key, words in ends.items() if usage[key])
        failed = f" ({counts})" if counts else ""
        cached = f" ({usage['cached_tokens']:,} cached)" if usage["cached_tokens"] else ""
        reasoning = f" ({usage['reasoning_tokens']:,} reasoning)" if usage["reasoning_tokens"] else ""
        text = f"{counted(usage['requests'], 'request')}{failed}; {usage['prompt_tokens']:,} prompt tokens{cached}, "
        text += f"{usage['completion_tokens']:,} completion tokens{reasoning}"
        if usage["unreported"]:
            text += f"; {counted(usage['unreported'], 'answer')} did not say"
        if COST in usage:
            currency = f" {self._prices.currency}" if self._prices.currency else ""
            text += f"; cost {usage[COST]:,.4f}{currency or by}"
        return text
