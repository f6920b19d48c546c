"""Write a trained model in bf16, half as large: python pack.py TRAINED_DIR DIR."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save

CONFIGS = ("tokenizer_config.json", "config.json")
WEIGHTS = "model.safetensors"
COPIED = ("chat_template.jinja", "generation_config.json", "tokenizer.json")
PLACE = ("is_local", "local_files_only")  # where the tokenizer was loaded from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(args.trained / name, args.output / name)
    tokenizer, config = (json.loads((args.trained / name).read_text()) for name in CONFIGS)
    kept = {name: value for name, value in tokenizer.items() if name not in PLACE}
    for name, content in zip(CONFIGS, (kept, {**config, "dtype": "bfloat16"}), strict=True):
        (args.output / name).write_text(json.dumps(content, indent=2) + "\n")
    weights = {name: value.to(torch.bfloat16) for name, value in load_file(args.trained / WEIGHTS).items()}
    (args.output / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))


if __name__ == "__main__":
    main()
