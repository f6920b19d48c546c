"""Tells an account without credit from a rate limit and from a request that is refused.

Fields decide where a provider has one for it. Some have none, so that a few documented phrases decide, but only at the
beginning of the message, and only where the server does not say when to ask again: Gemini calls a limit per minute a
quota, in OpenAI's words for an account without credit.
"""

from __future__ import annotations

import re

from libra_cli.engines.openai.http_answer import NO_CREDIT, HttpAnswer
from libra_cli.engines.openai.retry import asked_wait
from libra_cli.exits import Exit, Fatal

_PAYMENT_REQUIRED = 402
_BEGINNING = 240
"""Characters of a message in which a phrase counts: further on, servers quote the request."""
_PHRASES = re.compile(
    r"\binsufficient (?:account )?(?:balance|credits?|funds)\b|\b(?:account )?balance is (?:insufficient|too low)"
    r"|\bcredit balance is too low|\bcredits? (?:is|are|have been) (?:depleted|exhausted|used up)"
    r"|\bused all available credits|\bbilling hard limit|\bbudget has been exceeded|\bexceededbudget\b"
    r"|\bexceeded your current quota, please check your plan and billing|\bin arrears\b|余额不足|欠费",
    re.IGNORECASE,
)
_ASKS_TO_WAIT = re.compile(r"\b(?:re)?try again in \d|\bretry in \d|\bretryDelay\b|\bper (?:minute|second|hour|day)\b")


_CURE = "; add some, and the same command continues"


class NoCredit(Fatal):
    """The account of a server has no credit left; another server may have some."""

    def __init__(self, message: str):
        super().__init__(Exit.BACKEND, f"the account has no credit left ({message}){_CURE}")

    @property
    def cause(self) -> str:
        """The message without the cure, for a run that goes on."""
        return str(self).removesuffix(_CURE)


def check_credit(answer: HttpAnswer) -> None:
    """Raises NoCredit if an answer with an error says that the account has none."""
    message, _code = answer.error
    if answer.status == _PAYMENT_REQUIRED or NO_CREDIT & answer.error_names:
        raise NoCredit(message)
    if answer.status >= 500 or asked_wait(answer.headers) is not None:
        return
    if _PHRASES.search(message[:_BEGINNING]) and not _ASKS_TO_WAIT.search(answer.content.decode("utf-8", "replace")):
        raise NoCredit(message)
