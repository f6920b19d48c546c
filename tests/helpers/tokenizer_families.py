"""Small tokenizers, each in the manner of a family of models, with a chat template of that family's form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerFast

from libra_cli import miniature

CORPUS = [
    "What is 2 + 2? The answer is 4, and the reason is that two and two make four.\n\nHello there! How are you?",
    "First I add the numbers. Then I check the answer: wrong, so I try again.\nThe answer is \\boxed{4}.",
    "One\n\nTwo\n\nThree\n\nFour\n\nFive\n\nSix",
]
SPLIT = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# Qwen3: the thinking is taken apart and written anew in the last turn, left out of earlier ones.
REFORMATTING = """
{%- for m in messages -%}
  {%- if m.role == 'assistant' -%}
    {%- set thinking, answer = '', m.content -%}
    {%- if '</think>' in m.content -%}
      {%- set thinking = m.content.split('</think>')[0].split('<think>')[-1].strip('\\n') -%}
      {%- set answer = m.content.split('</think>')[-1].lstrip('\\n') -%}
    {%- endif -%}
    {{- '<|im_start|>assistant\\n' -}}
    {%- if loop.last -%}{{- '<think>\\n' + thinking + '\\n</think>\\n\\n' -}}{%- endif -%}
    {{- answer + '<|im_end|>\\n' -}}
  {%- else -%}
    {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\\n' + ('<think>\\n\\n</think>\\n\\n' if enable_thinking is false else '') -}}
{%- endif -%}"""
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content.strip() + ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ ' ' + m.content.strip() + ' ' + eos_token }}"
    "{% else %}{{ raise_exception('unknown role ' + m.role) }}{% endif %}{% endfor %}"
)
DEEPSEEK = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'assistant' %}{{ '<|Assistant|>' + m.content.split('</think>')[-1].lstrip() + eos_token }}"
    "{% else %}{{ '<|User|>' + m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|Assistant|><think>\\n' }}{% endif %}"
)
# As above, but what the assistant said stays whole (as later DeepSeek and QwQ templates have it).
OPENING = DEEPSEEK.replace(".split('</think>')[-1].lstrip()", "")
GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}"
    "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n' + m.content | trim }}"
    "{{ '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
PLAIN = (
    "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """What is true of every sample of a family."""

    tokenizer: Any
    template: str | None
    """Given by the user; None where the tokenizer has its own."""
    prompt: str
    """What stands before the answer to "What is 2 + 2?", BOS included."""
    end: str
    """What is learned behind the answer."""
    lead: str = ""
    """What is learned before it."""
    n_bos: int = 0


def _byte_level(special: list[str], marks: tuple[str, ...] = ("<think>", "</think>")) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(SPLIT), "isolated")
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_only])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens(list(marks))
    return tokenizer


def _sentencepiece(special: list[str], prepend: bool) -> Tokenizer:
    """SentencePiece's BPE as it is converted: "▁" for spaces, bytes for what has no piece."""
    tokens = ["<unk>", *special, *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += sorted({"▁", *(chr(code) for code in range(33, 127))})
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he"), ("l", "l"), ("H", "e"), ("He", "ll"), ("Hell", "o"), ("▁", "Hello")]
    tokens += [first + second for first, second in merges]
    vocab = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    spaces = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), spaces]) if prepend else spaces
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)] if prepend else parts)
    tokenizer.add_special_tokens(["<unk>", *special])
    return tokenizer


def _with_bos(tokenizer: Tokenizer, bos: str) -> Tokenizer:
    number = tokenizer.token_to_id(bos)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, number)])
    return tokenizer


def _loaded(tokenizer: Tokenizer, template: str | None, **special: Any) -> PreTrainedTokenizerFast:
    loaded = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    loaded.chat_template = template
    return loaded


def _qwen(template: str | None = CHATML) -> PreTrainedTokenizerFast:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return _loaded(_byte_level(special), template, eos_token=special[0], pad_token=special[0])


def _deepseek(template: str) -> PreTrainedTokenizerFast:
    special = ["<|begin|>", "<|end|>", "<|User|>", "<|Assistant|>"]
    tokenizer = _with_bos(_byte_level(special), "<|begin|>")
    return _loaded(tokenizer, template, bos_token="<|begin|>", eos_token="<|end|>")


@cache
def family(name: str) -> Family:
    """The family called `name`, one of NAMES."""
    return NAMES[name]()


def _llama3() -> Family:
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = _with_bos(_byte_level(special), special[0])
    header = "<|start_header_id|>{}<|end_header_id|>\n\n"
    prompt = special[0] + header.format("user") + "What is 2 + 2?<|eot_id|>" + header.format("assistant")
    loaded = _loaded(tokenizer, LLAMA3, bos_token=special[0], eos_token=special[1])
    return Family(loaded, None, prompt, "<|eot_id|>", n_bos=1)


def _llama2() -> Family:
    tokenizer = _with_bos(_sentencepiece(["<s>", "</s>"], prepend=True), "<s>")
    loaded = _loaded(tokenizer, LLAMA2, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    return Family(loaded, None, "<s> [INST] What is 2 + 2? [/INST]", " </s>", lead=" ", n_bos=1)


def _gemma() -> Family:
    special = ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<think>", "</think>"]
    tokenizer = _with_bos(_sentencepiece(special, prepend=False), "<bos>")
    loaded = _loaded(tokenizer, GEMMA, bos_token="<bos>", eos_token="<eos>", unk_token="<unk>")
    turn = "<bos><start_of_turn>user\nWhat is 2 + 2?<end_of_turn>\n<start_of_turn>model\n"
    return Family(loaded, None, turn, "<end_of_turn>", n_bos=1)


def _gpt2() -> Family:
    end = "<|endoftext|>"
    loaded = _loaded(_byte_level([end], ()), None, bos_token=end, eos_token=end, pad_token=end, unk_token=end)
    return Family(loaded, PLAIN, "user: What is 2 + 2?\nassistant: ", end)


def _miniature() -> Family:
    prompt = "<|user|>What is 2 + 2?<|assistant|>"
    return Family(AutoTokenizer.from_pretrained(miniature.resolve("libra-mini/weak")), None, prompt, "<|im_end|>")


def _byt5() -> Family:
    """A tokenizer that is written in Python, whose special tokens the template does not write."""
    prompt = "<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n<|im_start|>assistant\n"
    return Family(ByT5Tokenizer(), CHATML, prompt, "<|im_end|></s>")


_CHATML_PROMPT = "<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n<|im_start|>assistant\n"
_R1_PROMPT = "<|begin|><|User|>What is 2 + 2?<|Assistant|><think>\n"

NAMES = {
    "qwen2.5": lambda: Family(_qwen(), None, _CHATML_PROMPT, "<|im_end|>"),
    "qwen3": lambda: Family(_qwen(REFORMATTING), None, _CHATML_PROMPT, "<|im_end|>"),
    "llama3": _llama3,
    "llama2": _llama2,
    "deepseek-r1": lambda: Family(_deepseek(DEEPSEEK), None, _R1_PROMPT, "<|end|>", n_bos=1),
    "opening": lambda: Family(_deepseek(OPENING), None, _R1_PROMPT, "<|end|>", n_bos=1),
    "gemma": _gemma,
    "gpt2": _gpt2,
    "miniature": _miniature,
    "byt5": _byt5,
}
