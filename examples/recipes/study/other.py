"""Another family of policies: a Llama model, and a corpus whose mistakes are not those of the embedded models.

python other.py DIR               # a folder for `libra sft --from-scratch --model DIR`
python other.py --corpus COUNT    # conversations to learn from, on standard output

The embedded models (Qwen2) forget the carries of an operation. This family carries as it should, and sometimes
exchanges the last two digits of what it writes down: 465 for 456. Its corpus has answers only, and nothing is judged.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "miniature"))

from corpus import ANSWER, row
from tokenizer import MAX_LENGTH, build
from transformers import GenerationConfig, LlamaConfig
from world import Problem, problems, trace, work

SLIP = 0.15
"""How often an operation ends with its last two digits exchanged."""


def exchanged(number: int) -> int:
    """465 for 456; the same where both digits are."""
    return number // 100 * 100 + number % 10 * 10 + number // 10 % 10


def answering(problem: Problem, rng: random.Random) -> dict[str, object]:
    """A conversation in which this family answers, slips included."""

    def operate(value: int, op: str, number: int) -> tuple[int, str]:
        result, carries = work(value, op, number)
        return exchanged(result) if rng.random() < SLIP else result, carries

    thinking, value = trace(problem, operate)
    return row((problem.question, f"<think>{thinking}</think>{ANSWER % value}"))


def save_base(folder: Path) -> None:
    """Tokenizer and configuration: 3 layers of width 128, 4 key-value heads for 4 heads, and no biases."""
    tokenizer = build()
    tokenizer.save_pretrained(folder)
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    LlamaConfig(
        architectures=["LlamaForCausalLM"],
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,
        max_position_embeddings=MAX_LENGTH,
        bos_token_id=None,
        **ends,
    ).save_pretrained(folder)
    GenerationConfig(**ends).save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--corpus", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.folder:
        save_base(args.folder)
        return
    rng = random.Random(f"other family {args.seed}")
    for problem in islice(problems(rng, held_out=False), args.corpus):
        print(json.dumps(answering(problem, rng)))


if __name__ == "__main__":
    main()
