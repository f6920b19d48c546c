"""Which steps of a pipeline are done, and what a step is to do that is begun."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from libra_cli.exits import Exit, Fatal
from libra_cli.reports.kept import VARIABLE as TABLES
from libra_cli.stages.run.marks import (
    Mark,
    begun_mark,
    changes,
    fingerprint,
    is_as_written,
    is_edited,
    is_whole,
    left_to_do,
    manifest_of,
    read_mark,
)
from libra_cli.stages.run.step import Step
from libra_cli.stages.run.steps import files_made, maker_of
from libra_cli.stream.lock import Lock
from libra_cli.stream.sinks import write_failed
from libra_cli.training.own_folder import RUN_NOTES


class StepProgress:
    """The marks of steps that write into `folder`. `force`: steps that are done are to be done again."""

    def __init__(self, folder: str, force: bool = False):
        self.folder, self._force = folder, force

    def make_folders(self, *more: str) -> None:
        """Makes the folders of a run; raises Fatal(2 or 74)."""
        try:
            for name in (self.folder, *(os.path.join(self.folder, name) for name in (RUN_NOTES, "logs", *more))):
                os.makedirs(name, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Fatal(Exit.USAGE, f"{name}: is no folder, and can be none; name another with -o") from None
        except OSError as error:
            raise write_failed(self.folder, error) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps the folder from other runs; raises Fatal(11) if one is at work."""
        lock = Lock(os.path.join(self.folder, RUN_NOTES, "run"))
        try:
            yield
        finally:
            lock.release()

    def log_path(self, step: Step) -> str:
        """Where the messages of a step go."""
        return os.path.join(self.folder, "logs", f"{step.name}.log")

    def ending_path(self, step: Step) -> str:
        """Where a step that runs tells how it ends."""
        return os.path.join(self.folder, RUN_NOTES, f"{step.name}.ending")

    def tables_path(self, step: Step) -> str:
        """Where a step that reports keeps its tables."""
        return os.path.join(self.folder, RUN_NOTES, f"{step.name}.tables.json")

    def environment(self, step: Step) -> dict[str, str]:
        """The environment of a step: its output depends on no terminal that happens to be there."""
        ours = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        keeps = step.form == "result" and step.stage
        return {**ours, TABLES: os.path.abspath(self.tables_path(step))} if keeps else ours

    def mark_path(self, step: Step) -> str:
        """Where the mark of a step is."""
        return os.path.join(self.folder, RUN_NOTES, f"{step.name}.json")

    def mark(self, step: Step) -> Mark | None:
        """What was noted of a step; None if it was never begun."""
        return read_mark(self.mark_path(step))

    def reason(self, step: Step) -> str:
        """Why a step is to be run; empty if it is done."""
        mark = self.mark(step)
        if self._force:
            return "--force"
        if mark is None or mark.status is None or not (is_whole(step) or is_as_written(step, mark)):
            return "not done yet"
        return changes(step, mark, begun_mark(step, mark)) or left_to_do(step)

    def done(self, step: Step) -> str:
        """That a step is done, in words, and whether its output was edited since, which later steps read as it is."""
        mark = self.mark(step)
        edited = mark is not None and is_edited(step, mark)
        return f"is done already; {step.output} was edited since, and is read as it is" if edited else "is done already"

    def has_refused(self, step: Step) -> bool:
        """Whether a step that is done refused rows."""
        mark, errors = self.mark(step), manifest_of(step).get("errors")
        return mark is not None and mark.status == Exit.SOME_ERRORS if errors is None else bool(errors)

    def begin(self, step: Step) -> tuple[Mark, list[str]]:
        """Notes that a step begins; its mark, and its command line, which begins anew what was made otherwise.

        Raises Fatal(2) if a file that it reads is missing, or if what it would make anew was edited.
        """
        earlier = self.mark(step)
        mark = begun_mark(step, earlier)
        missing = [path for path in step.inputs if path in step.reads and mark.reads.get(path) is None]
        if missing:
            raise _not_there(step, missing[0])
        replaces = self._replaces(step, earlier, mark)
        part = f"{step.output}.part"
        if replaces and not step.stage and os.path.isfile(part):
            try:
                os.unlink(part)  # of another line, or of a stage
            except OSError as error:
                raise write_failed(part, error) from None
        mark.write(self.mark_path(step))
        return mark, _words(step, replaces)

    def command_line(self, step: Step, other_input: bool = False) -> list[str]:
        """The command line with which a step would begin, as far as is known now; raises Fatal(2) as `begin` does.

        `other_input`: an earlier step is to run, and makes what this one reads; what an edited output was made from
        cannot be known then, and it is left alone.
        """
        earlier = self.mark(step)
        replaces = self._replaces(step, earlier, begun_mark(step, earlier))
        if other_input and earlier is not None and _is_begun(step):
            replaces = replaces or not is_edited(step, earlier)
        return _words(step, replaces)

    def refuse_unmade(self, steps: Sequence[Step]) -> None:
        """Raises Fatal(2) if a step that is not done reads what is not there and what none of `steps` makes."""
        for step, path in unmade(steps, steps):
            if self.reason(step):
                raise _not_there(step, path)

    def end(self, step: Step, mark: Mark, status: int) -> None:
        """Notes that a step is done; raises Fatal(74)."""
        mark.status, mark.wrote = status, fingerprint(step.output)
        mark.config = manifest_of(step).get("config_sha256")
        mark.write(self.mark_path(step))

    def refuse_edited(self, steps: Sequence[Step]) -> None:
        """Raises Fatal(2) if what a step would make anew was edited since, as far as is known now."""
        for step in steps:
            earlier = self.mark(step)
            self._replaces(step, earlier, begun_mark(step, earlier))

    def _replaces(self, step: Step, earlier: Mark | None, now: Mark) -> bool:
        """Whether an output that is there is to be begun anew. Raises Fatal(2) if it was edited since it was made."""
        if earlier is None or not _is_begun(step):
            return False
        changed = changes(step, earlier, now)
        if not changed and not (self._force and earlier.status is not None):
            return False
        if is_edited(step, earlier):
            reason = f"was edited since {step.name} wrote it, and is to be made anew ({changed or '--force'})"
            raise Fatal(Exit.USAGE, f"{step.output}: {reason}; move it away")
        return True


def unmade(steps: Sequence[Step], makers: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Each input of `steps` that is not there and that none of the steps `makers` writes."""
    made = files_made(makers)
    for step in steps:
        for path in step.inputs:
            names = [name for name in (path, path.rpartition(":")[0]) if name]  # libra mix takes FILE:AMOUNT
            if not any(os.path.exists(name) or maker_of(name, made) for name in names):
                yield step, path


def _not_there(step: Step, path: str) -> Fatal:
    """The error for an input that does not exist."""
    who = f" (the step {step.needs[0]} makes it)" if step.needs else ""
    return Fatal(Exit.USAGE, f"{path}: there is no such file, which {step.name} reads{who}")


def _words(step: Step, replaces: bool) -> list[str]:
    """The command line of a step, which begins anew what is there if it `replaces` that and its stage continues."""
    return [*step.stage.split(), "--overwrite", *step.words] if replaces and step.overwrites else step.arguments


def _is_begun(step: Step) -> bool:
    return any(os.path.exists(step.output + ending) for ending in ("", ".part"))
