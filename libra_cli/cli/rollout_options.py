"""Options of the trainers that sample from the model in training: prompts, rollouts, rewards and the loss."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from libra_cli import choices
from libra_cli.cli.engine_options import KeyValue, Markers
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.stage_options import option
from libra_cli.cli.training_options import CHAT_OPTIONS, ERRORS_OPTION

_prompt_option = partial(option, group="Data", shared=True)
_rollout_option = partial(option, group="Rollouts", shared=True)
_loss_option = partial(option, group="Rewards and loss", shared=True)


class TaskTemplate(click.ParamType):
    """TASK=FILE; converts to a (task, path) pair."""

    name = "task=file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            task, path = map(str, value)
        else:
            task, _, path = str(value).partition("=")
        known = [name for name in choices.TASKS if name != "general"]
        if task not in known or not path:
            self.fail(f"{value!r}: write TASK=FILE; the tasks are {', '.join(known)}", param, ctx)
        return task, path


PROMPT_OPTIONS = (
    _prompt_option(
        "--task",
        type=click.Choice([name for name in choices.TASKS if name != "general"]),
        help='Task of rows without "task". Default: by their fields: best for responses, rank for preference or '
        "chosen, score for label, else reason.",
    ),
    _prompt_option(
        "--template",
        multiple=True,
        type=TaskTemplate(),
        metavar="TASK=FILE",
        help="Prompt template to use for a task instead of the built-in one. Repeatable.",
    ),
    _prompt_option(
        "--system",
        metavar="TEXT",
        help="System prompt of all rows, in place of their own. Default: the row's own, if it has one.",
    ),
    *CHAT_OPTIONS,
    _prompt_option(
        "--thinking-markers",
        default="think",
        type=Markers(),
        metavar="NAME|OPEN,CLOSE",
        help="Markers around the model's thinking: think, thinking, reasoning, seed, magistral, channel, "
        "begin-of-thought, exaone, kimi, cohere or analysis, or the opening and closing text.",
    ),
    _prompt_option(
        "--max-length",
        type=NumberType(int, 2),
        default=36_864,
        metavar="TOKENS",
        help="Maximum length of prompt and response together. Prompts that leave less than --max-tokens are too long.",
    ),
    _prompt_option(
        "--too-long",
        type=click.Choice(choices.TOO_LONG),
        default="drop",
        help="Prompts that are too long: drop them and count them, or refuse them as errors.",
    ),
    ERRORS_OPTION,
)
"""Which rows are asked, and how."""

ROLLOUT_OPTIONS = (
    _rollout_option(
        "--prompts",
        first=True,
        type=NumberType(int, 1),
        default=256,
        metavar="N",
        help="Prompts of a rollout, at most: the last one of a run asks what is left of --epochs.",
    ),
    _rollout_option(
        "-n",
        "--samples",
        first=True,
        type=NumberType(int, 1),
        default=8,
        metavar="N",
        help="Responses to each prompt: a group.",
    ),
    _rollout_option(
        "--temperature",
        type=NumberType(float, 0, low_open=True),
        default=1.0,
        metavar="X",
        help="Sampling temperature. The loss uses log-probabilities at this temperature, too.",
    ),
    _rollout_option(
        "--max-tokens",
        first=True,
        type=NumberType(int, 1),
        default=32_768,
        metavar="TOKENS",
        help="Maximum length of a response.",
    ),
    _rollout_option(
        "--sampler",
        first=True,
        type=click.Choice(choices.SAMPLERS),
        default="auto",
        help="Engine that samples, in the training processes unless --sampler-url or --sampler-ranks says where else. "
        "auto: vllm on GPUs if it is installed, else transformers.",
    ),
    _rollout_option(
        "--sampler-arg",
        multiple=True,
        type=KeyValue(),
        metavar="KEY=VALUE",
        help="Engine argument of vLLM by its own name, such as tensor_parallel_size=4. Repeatable.",
    ),
    _rollout_option(
        "--sampler-url",
        multiple=True,
        metavar="URL",
        help="Address of a vLLM server that samples, on GPUs or a node of its own; it gets the weights in training "
        "before each rollout. Repeatable; servers share the prompts. See docs/training.md for how to start one.",
    ),
    _rollout_option(
        "--sampler-ranks",
        type=NumberType(int, 0),
        default=0,
        metavar="N",
        help="The last N processes only sample, each with a vLLM server on its own device, and the others only train. "
        "0: all do both, or servers of --sampler-url sample.",
    ),
    _rollout_option(
        "--async-steps",
        type=NumberType(int, 0),
        default=0,
        metavar="N",
        help="With --sampler-url or --sampler-ranks: sample the next rollout while the last N steps learn from this "
        "one; its weights are then N steps old when it is first learned from. At most the steps of a rollout. 0: "
        "sample by the latest ones.",
    ),
    _rollout_option(
        "--api-key-env",
        metavar="NAME",
        help="Environment variable with the API key of --sampler-url. Default: OPENAI_API_KEY.",
    ),
    _rollout_option(
        "--api-key-file",
        metavar="FILE",
        help="File with the API key of --sampler-url; nobody else may have permission to read it.",
    ),
    _rollout_option(
        "--sampler-batch-size",
        type=NumberType(int, 1),
        metavar="N",
        help="Sequences that transformers generates at once. Default: 64.",
    ),
    _rollout_option(
        "--old-log-probs",
        type=click.Choice(choices.OLD_LOG_PROBS),
        default="sampler",
        help="Log-probabilities that the policy's ratio starts from: those that the sampler reports, or those that the "
        "trainer computes before its first update (one more forward pass; --importance-cap then corrects for the gap).",
    ),
    _rollout_option(
        "--max-gap",
        type=NumberType(float, 0, low_open=True),
        metavar="NATS",
        help="Stop if the log-probabilities of sampler and trainer differ by more than this on average, right after "
        "the sampler got new weights. Default: 0.001 for fp32, 0.1 for bf16.",
    ),
    _rollout_option(
        "--refills",
        type=NumberType(int, 0),
        default=0,
        metavar="N",
        help="Sample up to N times more for a rollout, to replace prompts and responses that a filter of --rewards "
        "drops.",
    ),
    _rollout_option(
        "--save-rollouts",
        is_flag=True,
        help="Keep all responses with their grades and rewards in DIR/rollouts, as rows that libra score reads.",
    ),
    _rollout_option(
        "--save-token-ids",
        is_flag=True,
        help="With --save-rollouts: keep the token ids of the responses, too; recipes that credit tokens need them "
        "in a replay.",
    ),
    _rollout_option(
        "--replay",
        multiple=True,
        metavar="FILE",
        help="With --dry-run: compute the rewards and advantages of saved rollouts (--save-rollouts), of this file and "
        "all FILEs, instead of sampling. Repeatable.",
    ),
    _rollout_option(
        "--calibrate",
        metavar="RUN",
        help="With --dry-run: also predict the seconds of a rollout on devices like those of an earlier run (its -o "
        "DIR), such as a short one on one node, from the times and lengths of its rollouts.",
    ),
)
"""How responses are sampled."""

LOSS_OPTIONS = (
    _loss_option(
        "--rewards",
        first=True,
        metavar="FILE",
        help="Reward recipe (YAML): terms, gates, filters, the advantage, and a judge to score responses. Default: the "
        "paper's, correctness less a length penalty, and advantages by the mean and standard deviation of the group.",
    ),
    _loss_option(
        "--policy-loss",
        type=click.Choice(choices.POLICY_LOSSES),
        default="clip",
        help="clip: ratio of each token (PPO, GRPO); gspo: ratio of the whole response; cispo: clipped weights of the "
        "gradient.",
    ),
    _loss_option(
        "--aggregate",
        type=click.Choice(choices.LOSS_AGGREGATIONS),
        default="seq-mean-token-mean",
        help="How the losses of tokens become one. The default, the paper's, takes the mean over the tokens of a "
        "response, then over responses.",
    ),
    _loss_option(
        "--clip-low",
        type=NumberType(float, 0, 1),
        default=0.2,
        metavar="X",
        help="Lower clip: ratios below 1 - X have no gradient if the advantage is negative.",
    ),
    _loss_option(
        "--clip-high",
        type=NumberType(float, 0),
        default=0.28,
        metavar="X",
        help="Upper clip: ratios above 1 + X have no gradient if the advantage is positive.",
    ),
    _loss_option(
        "--kl",
        first=True,
        type=NumberType(float, 0),
        default=1e-3,
        metavar="X",
        help="Coefficient of the KL penalty to the starting model; 0 loads no reference.",
    ),
    _loss_option(
        "--importance-cap",
        type=NumberType(float, 0, low_open=True),
        default=2.0,
        metavar="X",
        help="With --old-log-probs trainer: upper limit of the importance weight of trainer over sampler.",
    ),
)
"""What is rewarded, and the objective."""
