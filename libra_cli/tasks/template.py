"""Prompts are text files with `{{slot}}`s, filled in one pass: what fills a slot is never looked at again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")


@cache
def load(name: str) -> str:
    """The text of `prompts/NAME.txt`."""
    return resources.files("libra_cli.tasks").joinpath(f"prompts/{name}.txt").read_text(encoding="utf-8").strip()


@lru_cache(maxsize=64)
def slots(template: str) -> tuple[str, ...]:
    """Names of the slots, in order of first appearance."""
    return tuple(dict.fromkeys(_SLOT.findall(template)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{{slot}}` replaced by its value; raises KeyError for a slot without one.

    One pass: a question that holds `{{response}}`, or braces of any kind, stays itself.
    """
    return _SLOT.sub(lambda found: values[found.group(1)], template)


def digest(template: str) -> str:
    """12 hex digits that name the template in `provenance`."""
    return hashlib.sha256(template.encode()).hexdigest()[:12]
