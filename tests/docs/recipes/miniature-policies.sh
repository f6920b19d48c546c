set -euo pipefail
mkdir -p miniature
python examples/recipes/miniature/tokenizer.py miniature/base  # base: not done yet
python examples/recipes/miniature/corpus.py $((32 * 500)) --seed 1 > miniature/corpus-1.jsonl  # corpus-1: not done yet
libra sft --config examples/recipes/miniature/policy.yaml --model miniature/base --from-scratch --schedule constant --save-dtype bf16 -o miniature/start miniature/corpus-1.jsonl  # start: not done yet
python examples/recipes/miniature/corpus.py $((32 * 300)) --seed 2 > miniature/corpus-2.jsonl  # corpus-2: not done yet
libra sft --config examples/recipes/miniature/policy.yaml --model miniature/start --schedule constant --save-dtype bf16 -o miniature/weak miniature/corpus-2.jsonl  # weak: not done yet
python examples/recipes/miniature/corpus.py $((32 * 300)) --seed 3 > miniature/corpus-3.jsonl  # corpus-3: not done yet
libra sft --config examples/recipes/miniature/policy.yaml --model miniature/weak --schedule constant --save-dtype bf16 -o miniature/medium miniature/corpus-3.jsonl  # medium: not done yet
python examples/recipes/miniature/corpus.py $((32 * 700)) --seed 4 > miniature/corpus-4.jsonl  # corpus-4: not done yet
libra sft --config examples/recipes/miniature/policy.yaml --model miniature/medium --schedule linear --save-dtype bf16 -o miniature/strong miniature/corpus-4.jsonl  # strong: not done yet
