"""Training runs as facts and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from libra_cli.reports.figures import NOTHING, count, number, percent
from libra_cli.reports.layout import Column, Line, Report, ReportPart, Table
from libra_cli.stream.progress import clock

Shown = Callable[[float | None], str]

FIGURES: dict[str, tuple[str, Shown]] = {
    "score/accuracy": ("accuracy, %", percent),
    "rollout/correct": ("correct, %", percent),
    "rollout/reward": ("reward", number),
    "rollout/reward_std": ("reward, standard deviation", number),
    "rollout/length_mean": ("length, tokens", number),
    "rollout/truncated_share": ("cut short, %", percent),
    "rollout/zero_spread_share": ("prompts without spread, %", percent),
    "rollout/null_by_policy_share": ("null by the policy, %", percent),
    "rollout/null_by_verifier_share": ("null by the verifier, %", percent),
    "rollout/gap_mean": ("gap of sampler and trainer, nats", number),
    "eval/loss": ("held-out loss", number),
    "eval/reward_margin": ("held-out margin of rewards", number),
    "eval/reward_accuracy": ("held-out pairs or answers rewarded rightly, %", percent),
    "step/loss": ("loss", number),
    "step/reward_chosen": ("reward of chosen responses", number),
    "step/reward_rejected": ("reward of rejected responses", number),
    "step/reward_margin": ("margin of rewards", number),
    "step/reward_accuracy": ("pairs or answers rewarded rightly, %", percent),
    "step/logp_chosen": ("log-probability of chosen responses, nats", number),
    "step/logp_rejected": ("log-probability of rejected responses, nats", number),
    "step/reward_shift": ("shift of rewards", number),
    "step/kl": ("KL to the reference, nats", number),
    "step/entropy": ("entropy, nats", number),
    "step/clip_low": ("clipped below, %", percent),
    "step/clip_high": ("clipped above, %", percent),
    "step/grad_norm": ("norm of the gradient", number),
    "step/lr": ("learning rate", number),
    "step/tokens_per_second": ("tokens a second", number),
    "step/mfu": ("MFU, %", percent),
    "step/memory_gb": ("memory, GB", number),
}
"""Event and figure -> its name and form, in the order in which tables and charts show them."""
_OF_PARTS = {
    "rollout/correct_": ("correct: {}, %", percent),
    "rollout/reward_of_": ("reward of {}", number),
    "rollout/reward_": ("reward: {}", number),
}
"""Beginnings of figures that there is one of for each task or reward term; of two that fit, the first counts."""


def shown_figures(runs: Sequence[Report]) -> dict[str, tuple[str, Shown]]:
    """The figures that any of the runs has, with those of tasks and reward terms after their whole."""
    known = {name for run in runs for name in run["figures"]}
    shown: dict[str, tuple[str, Shown]] = {}
    for figure, name_and_form in FIGURES.items():
        if figure in known:
            shown[figure] = name_and_form
        for prefix, (name, form) in _OF_PARTS.items():
            for part in sorted(known) if prefix.startswith(f"{figure}_") else ():
                if part.startswith(prefix) and part not in FIGURES and part not in shown:
                    shown[part] = (name.format(part.removeprefix(prefix)), form)
    return shown


def runs_part(runs: Sequence[Report]) -> ReportPart:
    """How far each run came, and from what to what its figures went."""
    summary = Table(
        "Runs",
        (Column("run", is_number=False), Column("steps"), Column("time"), Column("tokens learned from")),
        tuple(Line((run["run"], count(run["steps"]), clock(run["seconds"]), count(run["tokens"]))) for run in runs),
    )
    several = len(runs) > 1
    has_best = any("score/accuracy" in run["figures"] for run in runs)
    lines = []
    for figure, (name, shown) in shown_figures(runs).items():
        for run in runs:
            if (known := run["figures"].get(figure)) is None:
                continue
            best = f"{shown(known['max'])} at {known['max_step']:,}" if figure == "score/accuracy" else NOTHING
            of_run = (run["run"],) if several else ()
            ends = shown(known["first"]), shown(known["last"])
            lines.append(Line((name, *of_run, *ends, *((best,) if has_best else ()))))
    of_run = (Column("run", is_number=False),) if several else ()
    best_at = (Column("best, at step", spare=1),) if has_best else ()
    columns = (Column("figure", is_number=False), *of_run, Column("begins at"), Column("ends at"), *best_at)
    return ReportPart(
        title="Training runs" if several else f"Training run {runs[0]['run']}",
        tables=(summary, Table("Figures", columns, tuple(lines))),
        notes=(
            "begins at, ends at: means over the first and the last tenth of the events with the figure",
            "time: of steps (with their rollouts) and checkpoints, without loading and evaluation",
        ),
        runs=runs,
    )
