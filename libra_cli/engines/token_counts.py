"""The length of a text in tokens."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli import miniature
from libra_cli.engines.chat_template import silence_libraries
from libra_cli.engines.damage import damaged_file
from libra_cli.exits import Exit, Fatal


def token_counter(name: str) -> Callable[[str], int]:
    """Counts the tokens of a text with the tokenizer of `name`: a directory, a name on a hub, or an embedded model.

    Tokens that begin or end every text are not counted. Raises Fatal(6) if there is no such tokenizer.
    """
    from transformers import AutoTokenizer

    silence_libraries()
    try:
        tokenizer = AutoTokenizer.from_pretrained(miniature.resolve(name) or name)
    except Exception as error:  # noqa: BLE001 -- a damaged file raises any exception
        reason = damaged_file(name) or " ".join(str(error).split())[:200]
        cure = "name a model that a hub has, or its directory"
        raise Fatal(Exit.BACKEND, f"--tokenizer {name}: cannot be loaded ({reason}); {cure}") from None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))
