"""What answers show that a server ignores, or may ignore: the limit of tokens, and the temperature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from libra_cli.engines.base import Completion, Request, Sampling
from libra_cli.plural import counted
from libra_cli.stream.run import Run

_LONG = 40
"""Characters of a text that two samples hardly have in common by chance."""
_MOST_OPEN = 1 << 16
"""Prompts of which some samples are still to come."""


@dataclass
class _Seen:
    """What the answers of one model show."""

    too_long: int = 0
    most_tokens: int = 0
    alike: int = 0
    """Prompts whose samples are all the same long text."""
    unlike: int = 0
    """Prompts whose samples are not all the same text: the temperature has an effect."""
    prompts: int = 0
    """Prompts of which all samples have come."""
    texts: dict[tuple[str, int], list[tuple[int, bool]]] = field(default_factory=dict)
    """Of the others, the hash of each sample so far, and whether it is too long to be shared by chance."""


class IgnoredSettings:
    """Watches the answers of servers, and notes at the end of the run which settings may be ignored."""

    def __init__(self, run: Run, sampling: Sampling, samples: int):
        """`samples` are those of each prompt."""
        self._run, self._sampling, self._samples = run, sampling, samples
        self._of_model: dict[str, _Seen] = defaultdict(_Seen)
        run.before_summary(self._say)

    def add(self, model: str, request: Request, completion: Completion, unsent: Collection[str]) -> None:
        """Looks at an answer; settings that are `unsent` cannot be ignored."""
        seen, limit = self._of_model[model], self._sampling.max_tokens
        if "max_tokens" not in unsent and (completion.n_tokens or 0) > limit:
            seen.too_long += 1
            seen.most_tokens = max(seen.most_tokens, completion.n_tokens or 0)
        if self._samples < 2 or not self._sampling.temperature or "temperature" in unsent:
            return
        key = request.record_id, hash(request.messages[-1]["content"])
        texts = seen.texts.setdefault(key, [])
        texts.append((hash(completion.text), len(completion.text) >= _LONG))
        if len(texts) == self._samples:
            del seen.texts[key]
            seen.prompts += 1
            seen.alike += texts[0][1] and len(set(texts)) == 1
            seen.unlike += len(set(texts)) > 1
        elif len(seen.texts) > _MOST_OPEN:
            del seen.texts[next(iter(seen.texts))]

    def _say(self) -> None:
        for model, seen in self._of_model.items():
            if seen.too_long:
                what = (
                    f"{counted(seen.too_long, 'answer')} of more than --max-tokens {self._sampling.max_tokens} tokens"
                )
                cure = "the server does not keep to the limit; see what it calls it (--engine-arg NAME=VALUE)"
                self._note(f"{model}: {what} (up to {seen.most_tokens:,}): {cure}", model, seen.too_long)
            if 2 * seen.alike > seen.prompts and not seen.unlike:
                prompts = f"{seen.alike} of {counted(seen.prompts, 'prompt')}"
                temperature = f"at temperature {self._sampling.temperature:g}"
                what = f"all {self._samples} samples are the same text for {prompts} {temperature}"
                why = "the model is that sure, or the server ignores the temperature or answers from a cache"
                self._note(f"{model}: {what}: {why}", model, seen.alike)

    def _note(self, text: str, model: str, count: int) -> None:
        self._run.console.note(text, event="ignored_setting", model=model, count=count)
