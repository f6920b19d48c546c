"""A step of a pipeline: its command line, what it reads and what it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Step:
    """A command in a pipeline, of libra or for the shell."""

    name: str
    group: str
    stage: str
    """Empty for a line of the shell."""
    line: int
    output: str
    form: str
    """The form of `output`, one of ENDINGS, or `made` for what no stage has written."""
    words: list[str] = field(default_factory=list)
    """The command line after `libra STAGE`, its inputs last; for the shell all of it, its line last."""
    prints: bool = False
    """Whether `output` is what the line for the shell prints."""
    inputs: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    """The files and folders that the step reads, its inputs among them."""
    needs: list[str] = field(default_factory=list)
    """Names of the steps that make some of these."""
    overwrites: bool = False
    """Whether the stage has --overwrite."""
    writes: dict[str, str] = field(default_factory=dict)
    """Files that the step writes besides its output, by the option that names them."""
    models: list[tuple[str, str]] = field(default_factory=list)
    """The models that the step loads, after the line of the file and the key that name each."""
    shard: str | None = None
    """--shard, if the file sets it."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Options that the file sets, by parameter."""
    variables: list[str] = field(default_factory=list)
    """The variables of the environment from which the step takes an option that it does not set itself."""

    @property
    def arguments(self) -> list[str]:
        """The command line without `libra`."""
        return [*self.stage.split(), *self.words]

    @property
    def program(self) -> list[str]:
        """The words before `arguments`."""
        return ["libra"] if self.stage else []
