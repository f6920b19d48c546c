"""Labels by rule: the final answer of a response against the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from libra_cli.answers.equal import Decision, decide_quickly, is_readable
from libra_cli.answers.extract import final_answer
from libra_cli.answers.pool import Pool
from libra_cli.stream import rows
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.rows import NewFields, Row
from libra_cli.stream.signals import StopRequest
from libra_cli.tasks import thinking

POLL_SECONDS = 0.05
"""Between two looks at the input while the pool is at work."""
SHOWN_CHARS = 512
SHOWN_REFERENCE = 60
MEMO = 1 << 16
"""Pairs whose label is remembered."""
COPIES, COPY_CHARS = 1 << 12, 1 << 12
"""Responses that are known again as a whole, and how long they may be: short ones are often given word for word."""


Labelled = tuple[NewFields, str]
"""What a decision adds to its row, and its name for counting."""


class Fields:
    """Where a row's response and reference are, and how its thinking is cut."""

    def __init__(self, response: str, reference: str, markers: Sequence[tuple[str, str]]):
        self._response, self._reference = response, reference
        self._cut = thinking.Cut(markers)

    def texts(self, row: Row) -> tuple[str, str] | None:
        """The reference and the whole response as they stand; None where one is no text, or the response is long."""
        reference, response = row.fields.get(self._reference), row.fields.get(self._response)
        if type(reference) is str and type(response) is str and len(response) + len(reference) <= COPY_CHARS:
            return reference, response
        return None

    def pair(self, row: Row) -> tuple[str | Decision, str | None]:
        """The reference and the final answer; what is decided without them in place of the reference."""
        reference = row.fields.get(self._reference)
        if type(reference) is not str:
            reference = self._other_reference(row)
        response = self.response(row)
        if response is None:
            return Decision(None, "no_response", "truncated"), None
        answer = final_answer(response)
        if answer is not None:
            return reference, answer
        cut = row.fields.get("finish_reason") == "length"
        return Decision(None if cut else False, "no_answer", "truncated" if cut else None), None

    def response(self, row: Row) -> str | None:
        """What follows the thinking; None where the text ends inside it, or there is none."""
        text = row.fields.get(self._response)
        if type(text) is not str:
            text = self._other_response(row)
        return None if text is None else self._cut(text).response

    def jobs(self, row: Row) -> Iterator[Job]:
        """One job, whose work is the row's `pair`."""
        yield Job(row, self.pair(row))

    def _other_reference(self, row: Row) -> str:
        rows.require(row, {self._reference: (str, int, float)}, {self._reference: FIELD_HINTS["reference"]})
        return str(row.fields[self._reference])

    def _other_response(self, row: Row) -> str | None:
        """The text where the response is none; None where there is none. Raises RowError where no such field is."""
        name = self._response if self._response in row.fields else "response_with_cot"
        if name in row.fields and row.fields[name] is None:
            return None
        wanted = self._response if name not in row.fields else name
        rows.require(row, {wanted: str}, {wanted: FIELD_HINTS["response"]})
        return str(row.fields[name])


class Labeller:
    """What a decision adds to its row, made once for each pair: the samples of a problem share most answers."""

    def __init__(self, fields: Fields, note: Callable[[str], None] = print):
        self._fields, self._note = fields, note
        self._seen: set[str] = set()
        self._known: dict[tuple[str | Decision, str | None], Labelled] = {}
        self._copies: dict[tuple[str, str] | None, Labelled] = {}
        self.labels: Counter[str] = Counter()
        """Rows by `correct`, `wrong` and `undecided REASON`."""

    def fast_path(self, row: Row) -> NewFields | None:
        """The label of a row whose pair is easy or known; None where it needs computer algebra."""
        texts = self._fields.texts(row)
        known = self._copies.get(texts)
        if known is None:
            known = self._decided(row, texts)
            if known is None:
                return None
        self.labels[known[1]] += 1
        return known[0]

    def _decided(self, row: Row, texts: tuple[str, str] | None) -> Labelled | None:
        reference, answer = pair = self._fields.pair(row)
        known = self._known.get(pair)
        if known is None:
            if isinstance(reference, str) and reference[:SHOWN_CHARS] not in self._seen:
                self._look_at(reference, row)
            decision = decide_quickly(reference, answer or "") if isinstance(reference, str) else reference
            if decision is None:
                return None
            known = self._remember(pair, decision)
        if texts is not None and answer is not None:  # without an answer, why the response ended counts too
            if len(self._copies) >= COPIES:
                self._copies.clear()
            self._copies[texts] = known
        return known

    def _look_at(self, reference: str, row: Row) -> None:
        """Says once of a reference that cannot be parsed, before any row is judged by it."""
        if len(self._seen) >= MEMO:
            self._seen.clear()
        self._seen.add(reference if len(reference) <= SHOWN_CHARS else reference[:SHOWN_CHARS])
        if not is_readable(reference):
            shown = reference if len(reference) <= SHOWN_REFERENCE else f"{reference[:SHOWN_REFERENCE]}…"
            cure = "only the same text equals it; correct it, or ask --annotator"
            self._note(f"{row.place}: the reference {shown!r} cannot be parsed: {cure}")

    def labelled(self, job: Job, decision: Decision) -> NewFields:
        """The label of a row that the pool has decided."""
        addition, name = self._remember(job.work, decision)
        self.labels[name] += 1
        return addition

    def _remember(self, pair: tuple[str | Decision, str | None], decision: Decision) -> Labelled:
        if len(self._known) >= MEMO:
            self._known.clear()
        known = NewFields(fields_of(pair[1], decision)), name_of(decision)
        if len(pair[1] or "") + (len(pair[0]) if isinstance(pair[0], str) else 0) <= 2 * SHOWN_CHARS:
            # Longer ones are compared as they stand, and are hardly given twice.
            self._known[pair] = known
        return known


def decisions(feed: Feed, pool: Pool, stop: StopRequest) -> Iterator[tuple[Job, Decision] | None]:
    """Decides the pairs of jobs, easy ones at once and hard ones in the pool."""
    while pool.pending or not feed.ended:
        job = feed.take(0 if pool.pending else None)
        if job is None:
            if stop.status is not None:
                pool.forget_queue()
            if pool.pending:
                yield from pool.collect(POLL_SECONDS)
            yield None
            continue
        reference, answer = job.work
        decision = decide_quickly(reference, answer) if isinstance(reference, str) else reference
        if decision is None:
            pool.submit((reference, answer), job)
            yield from pool.collect(0)
        else:
            yield job, decision


def fields_of(answer: str | None, decision: Decision) -> dict[str, Any]:
    """What the rule adds to a row."""
    label = None if decision.equal is None else int(decision.equal)
    verification: dict[str, Any] = {"by": decision.by, "answer": _clipped(answer)}
    if label is None:
        verification["reason"] = decision.reason
    return {"label": label, "verification": verification, "task": "score"}


def name_of(decision: Decision) -> str:
    """`correct`, `wrong` or `undecided REASON`, for counting."""
    return f"undecided {decision.reason}" if decision.equal is None else ("wrong", "correct")[decision.equal]


def _clipped(answer: str | None) -> str | None:
    return answer if answer is None or len(answer) <= SHOWN_CHARS else answer[:SHOWN_CHARS] + "…"


def account(labels: Counter[str]) -> str:
    """How many of each label, and why some have none."""
    undecided = {name.split(" ", 1)[1]: count for name, count in sorted(labels.items()) if name.startswith("undecided")}
    why = f" ({', '.join(f'{name} {count}' for name, count in undecided.items())})" if undecided else ""
    return f"{labels['correct']} correct, {labels['wrong']} wrong, {sum(undecided.values())} undecided{why}"
