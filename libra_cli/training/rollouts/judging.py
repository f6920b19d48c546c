"""A judge of the responses of a rollout: asked, read and aggregated as `libra judge` does, on the rank that sampled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random
from statistics import fmean
from typing import Any

from libra_cli.engines.base import Pending, RequestError, RequestList
from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.records.forms import JudgeItem
from libra_cli.records.items import answered_item
from libra_cli.records.no_answer import no_answer
from libra_cli.sampling.aggregate import margins, unanimous
from libra_cli.sampling.bundles import distinct
from libra_cli.sampling.choose import AnyEngine
from libra_cli.sampling.judge_prompts import RESPONSE
from libra_cli.sampling.judge_session import JudgeSession
from libra_cli.sampling.worker import row_error
from libra_cli.stream.jobs import Answer
from libra_cli.stream.rows import seed_for
from libra_cli.stream.signals import StopRequest
from libra_cli.tasks import JudgeTask
from libra_cli.tasks.reason import TRUNCATED
from libra_cli.training.data.prompts import VerifiablePrompt
from libra_cli.training.rewards import NullBy
from libra_cli.training.rewards.judge import REFERENCE, RewardJudge
from libra_cli.training.rollouts.judge_model import choose_judge, reference_scores, rule_scores
from libra_cli.training.rollouts.rollout import GradedResponse, Judged

Group = tuple[str, VerifiablePrompt, Sequence[GradedResponse]]
"""A name that is its own in the run, a prompt, and the responses to it."""


class RolloutJudge:
    """The judge on one rank; it loads its model when the first responses come, and keeps it.

    It is asked about answers to problems. A verdict of the policy has the judge's highest score where it agrees with
    the label of its row, else the lowest.
    """

    def __init__(self, settings: RewardJudge, seed: int, note: Callable[[str], None]):
        self._settings, self._seed = settings, seed
        self._model, self._judge = choose_judge(settings, seed, note)
        self._references = reference_scores(settings, self._model, self._judge)
        self._engine: AnyEngine | None = None

    def judge(self, groups: Sequence[Group], stop: StopRequest) -> list[GradedResponse]:
        """The responses with what the judge says, group after group; a request to stop leaves some without it.

        Raises Fatal(6) if the judge cannot be used any more.
        """
        asked = [group for group in groups if not isinstance(group[1].task, JudgeTask)]
        sessions = [session for group in asked for session in self._sessions(*group)]
        judged: dict[int, Judged] = {}
        leads: dict[tuple[int, int], float] = {}
        """[one, other]: how far one is ahead."""
        wins: dict[int, bool | None] = {}
        """Of each response against the reference response of its group."""
        for (session, numbers), answers in zip(sessions, self._answers(sessions, stop), strict=True):
            if None in answers:
                continue
            fields = session.decided(answers, self._settings.reduce, None)
            own = [one for one in fields["judgments"] if "gate" not in one]
            failed = own[0]["reason"] if own and all("error" in one for one in own) else None
            if self._compares:
                gates = zip(numbers, session.plan.gates, strict=True)
                unread = {place for one in own if one["outcome"] is None for place in one.get("pair", (0, 1))}
                judged |= {
                    number: Judged(gate=gate, failed=failed, unread=place in unread)
                    for place, (number, gate) in enumerate(gates)
                }
                if self._settings.against == REFERENCE:
                    for (_, other), sign in unanimous(session.plan, fields["judgments"]).items():
                        wins[numbers[other]] = None if sign is None else sign < 0
                    continue
                rule = self._judge.rule(self._settings.reduce, None)
                for (i, j), lead in margins(session.plan, fields["judgments"], rule).items():
                    if lead is not None:
                        leads |= {(numbers[i], numbers[j]): lead, (numbers[j], numbers[i]): -lead}
            else:
                said = {"judge": self._model.name, **fields, **self._provenance(session, answers)}
                judged[numbers[0]] = Judged(fields["score"], fields=said, gate=session.plan.gates[0], failed=failed)
        done: list[GradedResponse] = []
        for name, prompt, responses in groups:
            numbers = [each.number for each in responses]
            verdicts = [judged.get(number, Judged()) for number in numbers]
            if isinstance(prompt.task, JudgeTask):
                done += [replace(each, judged=self._by_rule(each)) for each in responses]
                continue
            if self._settings.against == REFERENCE:
                chosen = self._reference(name, responses)
                verdicts = [
                    one._replace(is_reference=place == chosen, win=wins.get(number))
                    for place, (number, one) in enumerate(zip(numbers, verdicts, strict=True))
                ]
            elif self._compares:
                rows = [tuple(0.0 if i == j else leads.get((i, j)) for j in numbers) for i in numbers]
                verdicts = [one._replace(difference=row) for one, row in zip(verdicts, rows, strict=True)]
            else:
                verdicts = _no_answer_is_lowest(verdicts)
            if self._references is not None:
                scores = self._references.of(answered_item(prompt.record, response="A response."))
                verdicts = [one._replace(references=scores) for one in verdicts]
            done += [replace(each, judged=one) for each, one in zip(responses, verdicts, strict=True)]
        return done

    def _by_rule(self, response: GradedResponse) -> Judged:
        """What the label of its row says of a verdict of the policy."""
        scores = rule_scores(self._settings, self._model)
        if scores is None or response.finish_reason == "error" or response.null_by == NullBy.VERIFIER:
            return Judged(by_rule=True)
        return Judged(scores[bool(response.correct)], by_rule=True)

    def close(self) -> None:
        """Ends the engine; safe to call twice."""
        if self._engine is not None:
            self._engine.close()

    @property
    def _compares(self) -> bool:
        return self._judge.shows != RESPONSE

    def _sessions(
        self, name: str, prompt: VerifiablePrompt, responses: Sequence[GradedResponse]
    ) -> Iterator[tuple[JudgeSession, list[int]]]:
        """What the judge is asked about the responses to a prompt, each with the numbers of those that it is about."""
        sampled = [each for each in responses if each.finish_reason != "error"]
        if self._settings.against == REFERENCE:
            reference = responses[self._reference(name, responses)]
            sampled.sort(key=lambda each: each is not reference)
        items = [answered_item(prompt.record, response=each.response, response_with_cot=each.text) for each in sampled]
        gates = [_gate(each, item.responses[0]) for each, item in zip(sampled, items, strict=True)]
        if not self._compares:
            for each, item, gate in zip(sampled, items, gates, strict=True):
                yield self._session(f"{name}/{each.sample}", item, [gate]), [each.number]
        elif len(sampled) > 1:
            pairs = tuple(combinations(range(len(sampled)), 2))
            if self._settings.against == REFERENCE:
                pairs = tuple((0, other) for other in range(1, len(sampled)))
            item = replace(items[0], responses=tuple(item.responses[0] for item in items), pairs=pairs)
            yield self._session(name, item, gates), [each.number for each in sampled]

    def _reference(self, name: str, responses: Sequence[GradedResponse]) -> int:
        """The place of the response, at random, that the others of its group are compared with."""
        sampled = [place for place, each in enumerate(responses) if each.finish_reason != "error"]
        return Random(seed_for(self._seed, f"{name}\0reference", 0)).choice(sampled or range(len(responses)))

    def _session(self, name: str, item: JudgeItem, gates: Sequence[str | None]) -> JudgeSession:
        settings, seed = self._settings, self._seed
        votes = 1 if self._model.scalar else settings.votes
        return JudgeSession.about(
            item, self._judge, self._model.name, name, gates, votes=votes, orders=settings.orders, seed=seed
        )

    def _answers(self, sessions: Sequence[tuple[JudgeSession, Any]], stop: StopRequest) -> list[list[Any]]:
        """The answer to each request of each session; None for those that a request to stop left without one."""
        answers: list[list[Answer | None]] = [[None] * len(session.plan.prompts) for session, _ in sessions]
        if not any(answers):
            return answers
        if self._engine is None:
            self._engine = self._model.make()
        places = [(number, place) for number, row in enumerate(answers) for place in range(len(row))]
        asked = distinct([sessions[number][0].requests[place] for number, place in places])
        try:
            for answered in self._engine.generate(RequestList(Pending(*each) for each in asked)):
                if answered is not None:
                    pending, answer = answered
                    for number, place in map(places.__getitem__, pending.token):
                        answers[number][place] = row_error(answer) if isinstance(answer, RequestError) else answer
                if stop.status is not None:
                    break
        except Fatal as error:
            raise Fatal(error.status, f"the judge: {error}") from None
        return answers

    def _provenance(self, session: JudgeSession, answers: Sequence[Answer]) -> dict[str, Any]:
        if not answers or self._engine is None:
            return {}
        settings, system = self._settings, session.plan.item.system
        how = self._judge.provenance(self._engine.describe(), settings.votes, settings.orders, settings.reduce, system)
        return {"judge_provenance": how}


def _gate(response: GradedResponse, text: str) -> str | None:
    """What kind of non-answer a response is; one that was cut before it gave an answer is one, too."""
    cut = response.finish_reason == "length" and response.outcome is None
    return TRUNCATED if cut else no_answer(text)


def _no_answer_is_lowest(verdicts: Sequence[Judged]) -> list[Judged]:
    """A non-answer has the lowest score of its group where the judge's scores have no lowest, as a reward model's."""
    lowest = min((one.score for one in verdicts if one.score is not None), default=0.0)
    return [one._replace(score=lowest) if one.gate and one.score is None else one for one in verdicts]


def refuse_failing_judge(responses: Sequence[GradedResponse]) -> None:
    """Raises Fatal(6) if the requests about more than half of the responses failed."""
    failed = Counter(each.judged.failed for each in responses if each.judged and each.judged.failed)
    if 2 * failed.total() > len(responses):
        reason = failed.most_common(1)[0][0]
        what = f"the judge answered nothing about {failed.total()} of {counted(len(responses), 'response')}"
        raise Fatal(Exit.BACKEND, f"{what}, most of them with {reason}; the same command continues")


def _is_null(judged: Judged) -> bool:
    compared = sum(lead is not None for lead in judged.difference) > 1  # with others than itself
    if judged.is_reference is not None:
        return not judged.is_reference and (judged.win is None or judged.unread)
    return judged.score is None and not compared


def judge_figures(responses: Sequence[GradedResponse]) -> dict[str, float | None]:
    """The mean score of the judge, and shares of responses: without a verdict, and without a request to the judge."""
    verdicts = [each.judged for each in responses if each.judged is not None and not each.judged.by_rule]
    if not verdicts:
        return {}
    scores = [one.score for one in verdicts if one.score is not None]
    scored = all(one.is_reference is None and not one.difference for one in verdicts)
    return {
        **({"judge_mean": fmean(scores) if scores else None} if scored else {}),
        "judge_null_share": fmean(map(_is_null, verdicts)),
        "judge_gated_share": fmean(one.gate is not None for one in verdicts),
    }
