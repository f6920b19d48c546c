set -e
mkdir -p rl-zero
libra grpo --config examples/recipes/rl-zero/grpo.yaml -o rl-zero/reinforced libra-rm-32b-math/rl.jsonl  # reinforced: not done yet
