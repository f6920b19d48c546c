"""How many tokens a text has for a model."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli import miniature
from libra_cli.engines.chat import quieten
from libra_cli.exits import Exit, Fatal


def counter(name: str) -> Callable[[str], int]:
    """Counts the tokens of a text with the tokenizer of `name`: a directory, a name of a hub, or an embedded model.

    Tokens that begin or end every text are not counted. Raises Fatal(6) where there is no such tokenizer.
    """
    from transformers import AutoTokenizer

    quieten()
    try:
        tokenizer = AutoTokenizer.from_pretrained(miniature.resolve(name) or name)
    except (OSError, ValueError, KeyError) as error:
        why = " ".join(str(error).split())[:200]
        raise Fatal(
            Exit.BACKEND, f"--tokenizer {name}: cannot be loaded ({why}); name a model that a hub has, or its directory"
        ) from None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))
