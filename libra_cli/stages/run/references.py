"""What `${NAME}` stands for in the values of a step: variables, and what other steps write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.cli.config_file import ConfigValue
from libra_cli.stages.run.pipe_file import PipeError, PipeFile, StepText, replaced
from libra_cli.stages.run.step import Step


@dataclass(frozen=True)
class References:
    """The names that the values of the step `text` may refer to; the step then needs the steps among them."""

    pipe: PipeFile
    text: StepText
    steps: Mapping[str, Step]

    @property
    def names(self) -> list[str]:
        """The names that there are."""
        return [*self.text.values, *self.pipe.variables, *self.pipe.step_names]

    def known(self, name: str) -> ConfigValue | None:
        """The variable of that name, or what the steps of that name write; None if there are none."""
        value = self.text.values.get(name, self.pipe.variables.get(name))
        return value if value is not None else self.output_of(name)

    def output_of(self, name: str) -> ConfigValue | None:
        """The outputs of the steps of that name; of those of a `foreach` like ours, only the one with our values."""
        step, text = self.steps[self.text.name], self.text
        if any(name == group or name.startswith(f"{group}-") for group in self.pipe.broken):
            return ConfigValue(step.line, name, name)
        named = [other for other in self.pipe.steps if name in (other.name, other.group)]
        ours = [
            other
            for other in named
            if all(text.values[key].text == value.text for key, value in other.values.items() if key in text.values)
        ]
        if not ours:
            return None
        if step.name in (other.name for other in ours):
            raise PipeError(self.pipe.place(step.line), f"the step {step.name} needs itself")
        step.needs += [other.name for other in ours if other.name not in step.needs]
        outputs = [self.steps[other.name].output for other in ours]
        step.reads += outputs
        found: Any = outputs[0] if len(outputs) == 1 else outputs
        return ConfigValue(step.line, found, found)

    def fill_in(self, given: ConfigValue) -> ConfigValue | None:
        """A value with what its references stand for; None if it is empty for their sake, and so sets nothing."""
        found = replaced(self.pipe.path, given, self.known, self.names)
        return None if found.text == "" != given.text else found

    def inputs(self, given: ConfigValue) -> ConfigValue:
        """The inputs as a list: the outputs of the steps that are named, and files."""
        texts = given.text if isinstance(given.text, list) else [given.text]
        inputs: list[str] = []
        for text in texts:
            named = self.output_of(text) if isinstance(text, str) else None
            found = named or self.fill_in(ConfigValue(given.line, text, text))
            if found is not None:
                inputs += found.text if isinstance(found.text, list) else [str(found.text)]
        if any(name == "-" or name.startswith("-:") for name in inputs):
            raise PipeError(self.pipe.place(given.line), "a step has no standard input; name a file, or a step")
        return ConfigValue(given.line, inputs, inputs)
