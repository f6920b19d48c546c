"""Reads what a text says after its answer, if it takes the answer back or puts another in its place."""

from __future__ import annotations

from libra_cli.answers.languages import answer_forms, corrections
from libra_cli.answers.sentences import assertions, denials, statements
from libra_cli.answers.sentences.extracted import RETRACTED, TRUNCATED, UNDECIDED, Extraction, of_asserted


def _ends_as_it_began(stated: str, rest: str) -> bool:
    """Whether the last number behind a doubt, if there is one, is one of those before it."""
    numbers = [word.strip("$*().,;:!?") for word in rest.split() if any(map(str.isdigit, word))]
    return not numbers or numbers[-1] in stated


def changed(after: str, after_box: bool, cut: bool | None) -> Extraction | None:
    """What a text says after its answer, if it takes the answer back; None if it does not."""
    denied = denials.DENIED_AT_ONCE.match(after) if after_box else None
    if denied is None:
        after = after[-statements.TAIL_CHARS :]
        replaced = corrections.replaced(after)
        if replaced is not None:
            return (
                Extraction(None, TRUNCATED)
                if cut
                else of_asserted(statements.tidy(replaced))
                if replaced
                else UNDECIDED
            )
        denied = next(filter(denials.is_about_the_answer, denials.DENIED.finditer(after)), None)
    doubted = None if denied else denials.DOUBTED.search(after)
    change = denied or doubted
    if change is None:
        return None
    rest = after[change.end() :]
    tail = statements.tail_of(rest)
    for statement in statements.explicit(tail):
        if not cut or statement.end < len(tail.rstrip()):
            return of_asserted(statements.tidy(statement.given))
    if doubted:
        again = denials.RESTATED.search(rest)
        given = (again["given"] or again["subject"]) if again else ""
        if given:
            return of_asserted(statements.tidy(given.rstrip(")") if "(" not in given else given))
        if after_box or _ends_as_it_began(after[: change.start()], rest):
            return None
        from libra_cli.answers.extraction import conclusions  # with the readers of sentences

        is_sure = any(map(change[0].lower().__contains__, ("sorry", "correction", "second thought")))
        said = conclusions.concluded(tail.lstrip(" .,;:!")).answer if is_sure else None
        return Extraction(said) if said and any(map(str.isdigit, said)) else UNDECIDED
    if cut:
        return Extraction(None, TRUNCATED)
    restated = answer_forms.restated(tail)
    if restated:
        return of_asserted(statements.tidy(restated))
    from libra_cli.answers.extraction import conclusions

    concluded = conclusions.concluded(tail.lstrip(" .,;:!")) if rest.strip() else assertions.Asserted(None)
    return Extraction(concluded.answer) if concluded.answer else Extraction(None, RETRACTED)
