set -euo pipefail
mkdir -p miniature-grpo
libra collect --preset libra-mini --where 'level <= 2' -o miniature-grpo/bench-problems.jsonl  # bench-problems: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --samples 4 --seed 0 -o miniature-grpo/bench-responses.jsonl miniature-grpo/bench-problems.jsonl  # bench-responses: not done yet
libra verify -o miniature-grpo/bench-labelled.jsonl miniature-grpo/bench-responses.jsonl  # bench-labelled: not done yet
jq -s -c -f examples/recipes/miniature-grpo/pairs.jq miniature-grpo/bench-labelled.jsonl > miniature-grpo/bench.jsonl  # bench: not done yet
python examples/recipes/miniature-grpo/../miniature/world.py miniature-grpo/world-0.jsonl --training --seed $((1000 + 0)) --per-cell 120  # world-0: not done yet
python examples/recipes/miniature-grpo/../miniature/world.py miniature-grpo/world-1.jsonl --training --seed $((1000 + 1)) --per-cell 120  # world-1: not done yet
python examples/recipes/miniature-grpo/../miniature/world.py miniature-grpo/world-2.jsonl --training --seed $((1000 + 2)) --per-cell 120  # world-2: not done yet
libra collect --where 'level <= 2' -o miniature-grpo/new-problems-0.jsonl miniature-grpo/world-0.jsonl  # new-problems-0: not done yet
libra collect --where 'level <= 2' -o miniature-grpo/new-problems-1.jsonl miniature-grpo/world-1.jsonl  # new-problems-1: not done yet
libra collect --where 'level <= 2' -o miniature-grpo/new-problems-2.jsonl miniature-grpo/world-2.jsonl  # new-problems-2: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --samples 1 --seed 0 -o miniature-grpo/new-responses-0.jsonl miniature-grpo/new-problems-0.jsonl  # new-responses-0: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --samples 1 --seed 1 -o miniature-grpo/new-responses-1.jsonl miniature-grpo/new-problems-1.jsonl  # new-responses-1: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --samples 1 --seed 2 -o miniature-grpo/new-responses-2.jsonl miniature-grpo/new-problems-2.jsonl  # new-responses-2: not done yet
libra verify -o miniature-grpo/new-labelled-0.jsonl miniature-grpo/new-responses-0.jsonl  # new-labelled-0: not done yet
libra verify -o miniature-grpo/new-labelled-1.jsonl miniature-grpo/new-responses-1.jsonl  # new-labelled-1: not done yet
libra verify -o miniature-grpo/new-labelled-2.jsonl miniature-grpo/new-responses-2.jsonl  # new-labelled-2: not done yet
jq -c 'select(.index % 6 == 0)' miniature-grpo/new-labelled-0.jsonl | jq -s -c -f examples/recipes/miniature-grpo/pairs.jq > miniature-grpo/held-out-0.jsonl  # held-out-0: not done yet
jq -c 'select(.index % 6 == 0)' miniature-grpo/new-labelled-1.jsonl | jq -s -c -f examples/recipes/miniature-grpo/pairs.jq > miniature-grpo/held-out-1.jsonl  # held-out-1: not done yet
jq -c 'select(.index % 6 == 0)' miniature-grpo/new-labelled-2.jsonl | jq -s -c -f examples/recipes/miniature-grpo/pairs.jq > miniature-grpo/held-out-2.jsonl  # held-out-2: not done yet
jq -c 'select(.index % 6 != 0)' miniature-grpo/new-labelled-0.jsonl | jq -s -c -f examples/recipes/miniature-grpo/pairs.jq > miniature-grpo/train-0.jsonl  # train-0: not done yet
jq -c 'select(.index % 6 != 0)' miniature-grpo/new-labelled-1.jsonl | jq -s -c -f examples/recipes/miniature-grpo/pairs.jq > miniature-grpo/train-1.jsonl  # train-1: not done yet
jq -c 'select(.index % 6 != 0)' miniature-grpo/new-labelled-2.jsonl | jq -s -c -f examples/recipes/miniature-grpo/pairs.jq > miniature-grpo/train-2.jsonl  # train-2: not done yet
libra judge --model libra-mini/strong --task rank --orders first --votes 2 --seed 0 -o miniature-grpo/taught-0.jsonl miniature-grpo/train-0.jsonl  # taught-0: not done yet
libra judge --model libra-mini/strong --task rank --orders first --votes 2 --seed 1 -o miniature-grpo/taught-1.jsonl miniature-grpo/train-1.jsonl  # taught-1: not done yet
libra judge --model libra-mini/strong --task rank --orders first --votes 2 --seed 2 -o miniature-grpo/taught-2.jsonl miniature-grpo/train-2.jsonl  # taught-2: not done yet
libra rs-filter --per-prompt 1 --even label -o miniature-grpo/sft-0.jsonl miniature-grpo/taught-0.jsonl  # sft-0: not done yet
libra rs-filter --per-prompt 1 --even label -o miniature-grpo/sft-1.jsonl miniature-grpo/taught-1.jsonl  # sft-1: not done yet
libra rs-filter --per-prompt 1 --even label -o miniature-grpo/sft-2.jsonl miniature-grpo/taught-2.jsonl  # sft-2: not done yet
examples/recipes/miniature-grpo/early miniature-grpo/early-0 miniature-grpo/sft-0.jsonl miniature-grpo/held-out-0.jsonl 0 0.70 0.85 4 8 12 16 24 32  # early-0: not done yet
examples/recipes/miniature-grpo/early miniature-grpo/early-1 miniature-grpo/sft-1.jsonl miniature-grpo/held-out-1.jsonl 1 0.70 0.85 4 8 12 16 24 32  # early-1: not done yet
examples/recipes/miniature-grpo/early miniature-grpo/early-2 miniature-grpo/sft-2.jsonl miniature-grpo/held-out-2.jsonl 2 0.70 0.85 4 8 12 16 24 32  # early-2: not done yet
libra grpo --config examples/recipes/miniature-grpo/grpo.yaml --rewards examples/recipes/miniature-grpo/rewards.yaml --model miniature-grpo/early-0 --seed 0 --max-steps 40 --score miniature-grpo/held-out-0.jsonl '--score-with=--task rank --orders first' --score-every 10 -o miniature-grpo/reinforced-0 miniature-grpo/train-0.jsonl  # reinforced-0: not done yet
libra grpo --config examples/recipes/miniature-grpo/grpo.yaml --rewards examples/recipes/miniature-grpo/rewards.yaml --model miniature-grpo/early-1 --seed 1 --max-steps 40 --score miniature-grpo/held-out-1.jsonl '--score-with=--task rank --orders first' --score-every 10 -o miniature-grpo/reinforced-1 miniature-grpo/train-1.jsonl  # reinforced-1: not done yet
libra grpo --config examples/recipes/miniature-grpo/grpo.yaml --rewards examples/recipes/miniature-grpo/rewards.yaml --model miniature-grpo/early-2 --seed 2 --max-steps 40 --score miniature-grpo/held-out-2.jsonl '--score-with=--task rank --orders first' --score-every 10 -o miniature-grpo/reinforced-2 miniature-grpo/train-2.jsonl  # reinforced-2: not done yet
libra sft --config examples/recipes/miniature-grpo/continued.yaml --model miniature-grpo/early-0 --seed 0 --max-steps 640 --score miniature-grpo/held-out-0.jsonl '--score-with=--task rank --orders first' --score-every 161 -o miniature-grpo/continued-0 miniature-grpo/sft-0.jsonl  # continued-0: not done yet
libra sft --config examples/recipes/miniature-grpo/continued.yaml --model miniature-grpo/early-1 --seed 1 --max-steps 640 --score miniature-grpo/held-out-1.jsonl '--score-with=--task rank --orders first' --score-every 161 -o miniature-grpo/continued-1 miniature-grpo/sft-1.jsonl  # continued-1: not done yet
libra sft --config examples/recipes/miniature-grpo/continued.yaml --model miniature-grpo/early-2 --seed 2 --max-steps 640 --score miniature-grpo/held-out-2.jsonl '--score-with=--task rank --orders first' --score-every 161 -o miniature-grpo/continued-2 miniature-grpo/sft-2.jsonl  # continued-2: not done yet
libra grpo --config examples/recipes/miniature-grpo/grpo.yaml --rewards examples/recipes/miniature-grpo/rewards.yaml --model libra-mini/strong --seed 0 --max-steps 40 --score miniature-grpo/held-out-0.jsonl '--score-with=--task rank --orders first' --score-every 10 -o miniature-grpo/zero-0 miniature-grpo/train-0.jsonl  # zero-0: not done yet
libra grpo --config examples/recipes/miniature-grpo/grpo.yaml --rewards examples/recipes/miniature-grpo/rewards.yaml --model libra-mini/strong --seed 1 --max-steps 40 --score miniature-grpo/held-out-1.jsonl '--score-with=--task rank --orders first' --score-every 10 -o miniature-grpo/zero-1 miniature-grpo/train-1.jsonl  # zero-1: not done yet
libra grpo --config examples/recipes/miniature-grpo/grpo.yaml --rewards examples/recipes/miniature-grpo/rewards.yaml --model libra-mini/strong --seed 2 --max-steps 40 --score miniature-grpo/held-out-2.jsonl '--score-with=--task rank --orders first' --score-every 10 -o miniature-grpo/zero-2 miniature-grpo/train-2.jsonl  # zero-2: not done yet
libra judge --model libra-mini/strong --model miniature-grpo/early-0 --model miniature-grpo/reinforced-0 --model miniature-grpo/continued-0 --model miniature-grpo/zero-0 --judge-name start --judge-name early --judge-name grpo --judge-name 'more sft' --judge-name rl-zero --task rank --orders first --seed 0 -o miniature-grpo/judged-0.jsonl miniature-grpo/bench.jsonl  # judged-0: not done yet
libra judge --model libra-mini/strong --model miniature-grpo/early-1 --model miniature-grpo/reinforced-1 --model miniature-grpo/continued-1 --model miniature-grpo/zero-1 --judge-name start --judge-name early --judge-name grpo --judge-name 'more sft' --judge-name rl-zero --task rank --orders first --seed 1 -o miniature-grpo/judged-1.jsonl miniature-grpo/bench.jsonl  # judged-1: not done yet
libra judge --model libra-mini/strong --model miniature-grpo/early-2 --model miniature-grpo/reinforced-2 --model miniature-grpo/continued-2 --model miniature-grpo/zero-2 --judge-name start --judge-name early --judge-name grpo --judge-name 'more sft' --judge-name rl-zero --task rank --orders first --seed 2 -o miniature-grpo/judged-2.jsonl miniature-grpo/bench.jsonl  # judged-2: not done yet
libra score --json miniature-grpo/judged-0.jsonl > miniature-grpo/scores-0.json  # scores-0: not done yet
libra score --json miniature-grpo/judged-1.jsonl > miniature-grpo/scores-1.json  # scores-1: not done yet
libra score --json miniature-grpo/judged-2.jsonl > miniature-grpo/scores-2.json  # scores-2: not done yet
jq -c '.id += "-0"' miniature-grpo/judged-0.jsonl > miniature-grpo/named-0.jsonl  # named-0: not done yet
jq -c '.id += "-1"' miniature-grpo/judged-1.jsonl > miniature-grpo/named-1.jsonl  # named-1: not done yet
jq -c '.id += "-2"' miniature-grpo/judged-2.jsonl > miniature-grpo/named-2.jsonl  # named-2: not done yet
cat miniature-grpo/named-0.jsonl miniature-grpo/named-1.jsonl miniature-grpo/named-2.jsonl > miniature-grpo/all-judged.jsonl  # all-judged: not done yet
libra score --json miniature-grpo/all-judged.jsonl > miniature-grpo/scores.json  # all-scores: not done yet
python examples/recipes/miniature-grpo/report.py miniature-grpo 0 1 2 > miniature-grpo/report.txt  # report: not done yet
