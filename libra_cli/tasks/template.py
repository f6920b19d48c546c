"""Templates: text files with `{{slot}}`s, filled in one pass; the text in a slot is never read as a template."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache

_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")


@cache
def load(name: str) -> str:
    """The text of the built-in `prompts/NAME.txt`."""
    from importlib import resources  # which loads much of the standard library

    return resources.files("libra_cli.tasks").joinpath(f"prompts/{name}.txt").read_text(encoding="utf-8").strip()


def read_template(path: str) -> str:
    """The text of a file, a prompt or a chat template, as it stands; raises ValueError if it cannot be read."""
    try:
        with open(path, encoding="utf-8-sig") as file:  # some editors begin a file with a byte order mark
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read ({error})") from None


@lru_cache(maxsize=64)
def slots(template: str) -> tuple[str, ...]:
    """Names of the slots, in order of first appearance."""
    return tuple(dict.fromkeys(_SLOT.findall(template)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replaces each `{{slot}}` of `template` by its value; raises KeyError for a slot without one.

    It does so in one pass: a question that holds `{{response}}`, or braces of any kind, stays as it is.
    """
    return _SLOT.sub(lambda match: values[match.group(1)], template)


def digest(template: str) -> str:
    """12 hex digits that name the template in `provenance`."""
    return hashlib.sha256(template.encode()).hexdigest()[:12]
