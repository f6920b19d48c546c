"""The commands as the manual sees them, and the calls of them in a line of shell."""

from __future__ import annotations

import re
import shlex

from libra_cli.cli import manual
from libra_cli.main import STAGES, cli

TOP = cli.make_context("libra", [], resilient_parsing=True)
CONTEXTS = {str(ctx.info_name): ctx for ctx in manual.contexts(TOP)}


def calls(line: str) -> list[tuple[str, list[str]]]:
    """(stage, arguments) of every `libra STAGE ...` in a line of shell."""
    words = shlex.split(re.sub(r"([|;&]|\d?>)", r" \1 ", line), comments=True)
    starts = [at for at, word in enumerate(words) if word == "libra" and words[at + 1] in STAGES]
    sizes = [2 if " ".join(words[at + 1 : at + 3]) in STAGES else 1 for at in starts]
    return [
        (" ".join(words[at + 1 : at + 1 + size]), list(_until_operator(words[at + 1 + size :])))
        for at, size in zip(starts, sizes, strict=True)
    ]


def _until_operator(words: list[str]) -> list[str]:
    ends = [at for at, word in enumerate(words) if word in ("|", ";", "&", ">")]
    return words[: min(ends, default=len(words))]
