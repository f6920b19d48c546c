"""What the miniature begins with: the model's configuration, and a tokenizer with one token a byte and one a phrase.

python tokenizer.py DIR     # a folder for `libra sft --from-scratch --model DIR`

The tokenizer has to be a `Qwen2Tokenizer`: transformers 5 loads that class for every directory of model type qwen2,
whatever class saved it. Without merges it spells any text byte by byte, so that any text comes back as it was (after
the NFC normalisation that Qwen2 always applies).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tokenizers import AddedToken
from tokenizers.pre_tokenizers import ByteLevel
from transformers import GenerationConfig, Qwen2Config, Qwen2Tokenizer
from world import MODULAR, PICKS, UNKNOWN

MAX_LENGTH = 512
PAD, END, USER, ASSISTANT = "<|endoftext|>", "<|im_end|>", "<|user|>", "<|assistant|>"
PHRASES = (
    "<think>",
    "</think>",
    "The answer is \\boxed{",
    " carry ",
    MODULAR,
    UNKNOWN,
    *(f"the {pick} of " for pick in PICKS),
    *(f"{pick} of " for pick in PICKS),
    " and ",
    "Judge: ",
    "Compare: ",
    "Verify: ",
    " Answer: ",
    " A: ",
    " B: ",
    "[[score=",
    "[[A>>B]]",
    "[[A=B]]",
    "[[B>>A]]",
    "[[Correct]]",
    "[[Wrong]]",
    "]]",
)


def build() -> Qwen2Tokenizer:
    """The tokenizer with its chat template; 284 tokens."""
    vocab = {symbol: index for index, symbol in enumerate([*sorted(ByteLevel.alphabet()), PAD, END])}
    tokenizer = Qwen2Tokenizer(
        vocab=vocab,
        merges=[],
        unk_token=None,
        eos_token=END,
        pad_token=PAD,
        padding_side="left",
        model_max_length=MAX_LENGTH,
    )
    tokenizer.add_tokens([AddedToken(role, normalized=False, special=True) for role in (USER, ASSISTANT)])
    tokenizer.add_tokens([AddedToken(phrase, normalized=False, special=False) for phrase in PHRASES])
    tokenizer.chat_template = Path(__file__).with_name("chat_template.jinja").read_text()
    return tokenizer


def configuration(tokenizer: Qwen2Tokenizer) -> Qwen2Config:
    """0.48 million parameters with a tied head."""
    return Qwen2Config(
        architectures=["Qwen2ForCausalLM"],
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_position_embeddings=MAX_LENGTH,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    folder, tokenizer = parser.parse_args().output, build()
    tokenizer.save_pretrained(folder)
    configuration(tokenizer).save_pretrained(folder)
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    GenerationConfig(**ends).save_pretrained(folder)


if __name__ == "__main__":
    main()
