set -euo pipefail
mkdir -p judge-as-reward
python examples/recipes/judge-as-reward/../miniature/world.py judge-as-reward/world-1.jsonl --training --seed $((100 + 1)) --per-cell 80  # world-1: not done yet
python examples/recipes/judge-as-reward/../miniature/world.py judge-as-reward/world-2.jsonl --training --seed $((100 + 2)) --per-cell 80  # world-2: not done yet
python examples/recipes/judge-as-reward/../miniature/world.py judge-as-reward/world-3.jsonl --training --seed $((100 + 3)) --per-cell 80  # world-3: not done yet
jq -c 'select(.level <= 3)' judge-as-reward/world-1.jsonl > judge-as-reward/rule-rows-1.jsonl  # rule-rows-1: not done yet
jq -c 'select(.level <= 3)' judge-as-reward/world-2.jsonl > judge-as-reward/rule-rows-2.jsonl  # rule-rows-2: not done yet
jq -c 'select(.level <= 3)' judge-as-reward/world-3.jsonl > judge-as-reward/rule-rows-3.jsonl  # rule-rows-3: not done yet
jq -c 'del(.reference)' judge-as-reward/rule-rows-1.jsonl > judge-as-reward/judge-rows-1.jsonl  # judge-rows-1: not done yet
jq -c 'del(.reference)' judge-as-reward/rule-rows-2.jsonl > judge-as-reward/judge-rows-2.jsonl  # judge-rows-2: not done yet
jq -c 'del(.reference)' judge-as-reward/rule-rows-3.jsonl > judge-as-reward/judge-rows-3.jsonl  # judge-rows-3: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/rule.yaml --seed 1 -o judge-as-reward/rule-1 judge-as-reward/rule-rows-1.jsonl  # rule-1: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/rule.yaml --seed 2 -o judge-as-reward/rule-2 judge-as-reward/rule-rows-2.jsonl  # rule-2: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/rule.yaml --seed 3 -o judge-as-reward/rule-3 judge-as-reward/rule-rows-3.jsonl  # rule-3: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/judge.yaml --seed 1 -o judge-as-reward/judge-1 judge-as-reward/judge-rows-1.jsonl  # judge-1: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/judge.yaml --seed 2 -o judge-as-reward/judge-2 judge-as-reward/judge-rows-2.jsonl  # judge-2: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/judge.yaml --seed 3 -o judge-as-reward/judge-3 judge-as-reward/judge-rows-3.jsonl  # judge-3: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/weak-judge.yaml --seed 1 -o judge-as-reward/weak-judge-1 judge-as-reward/judge-rows-1.jsonl  # weak-judge-1: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/weak-judge.yaml --seed 2 -o judge-as-reward/weak-judge-2 judge-as-reward/judge-rows-2.jsonl  # weak-judge-2: not done yet
libra grpo --config examples/recipes/judge-as-reward/grpo.yaml --rewards examples/recipes/judge-as-reward/weak-judge.yaml --seed 3 -o judge-as-reward/weak-judge-3 judge-as-reward/judge-rows-3.jsonl  # weak-judge-3: not done yet
libra collect --preset libra-mini --where true -o judge-as-reward/held-out.jsonl  # held-out: not done yet
libra rollout --model libra-mini/weak --model-name start --samples 4 --max-tokens 160 -o judge-as-reward/start-responses.jsonl judge-as-reward/held-out.jsonl  # start-responses: not done yet
libra verify -o judge-as-reward/start.jsonl judge-as-reward/start-responses.jsonl  # start: not done yet
libra rollout --model judge-as-reward/rule-1 --model-name rule-1 --samples 4 --max-tokens 160 -o judge-as-reward/responses-rule-1.jsonl judge-as-reward/held-out.jsonl  # responses-rule-1: not done yet
libra rollout --model judge-as-reward/rule-2 --model-name rule-2 --samples 4 --max-tokens 160 -o judge-as-reward/responses-rule-2.jsonl judge-as-reward/held-out.jsonl  # responses-rule-2: not done yet
libra rollout --model judge-as-reward/rule-3 --model-name rule-3 --samples 4 --max-tokens 160 -o judge-as-reward/responses-rule-3.jsonl judge-as-reward/held-out.jsonl  # responses-rule-3: not done yet
libra rollout --model judge-as-reward/judge-1 --model-name judge-1 --samples 4 --max-tokens 160 -o judge-as-reward/responses-judge-1.jsonl judge-as-reward/held-out.jsonl  # responses-judge-1: not done yet
libra rollout --model judge-as-reward/judge-2 --model-name judge-2 --samples 4 --max-tokens 160 -o judge-as-reward/responses-judge-2.jsonl judge-as-reward/held-out.jsonl  # responses-judge-2: not done yet
libra rollout --model judge-as-reward/judge-3 --model-name judge-3 --samples 4 --max-tokens 160 -o judge-as-reward/responses-judge-3.jsonl judge-as-reward/held-out.jsonl  # responses-judge-3: not done yet
libra rollout --model judge-as-reward/weak-judge-1 --model-name weak-judge-1 --samples 4 --max-tokens 160 -o judge-as-reward/responses-weak-judge-1.jsonl judge-as-reward/held-out.jsonl  # responses-weak-judge-1: not done yet
libra rollout --model judge-as-reward/weak-judge-2 --model-name weak-judge-2 --samples 4 --max-tokens 160 -o judge-as-reward/responses-weak-judge-2.jsonl judge-as-reward/held-out.jsonl  # responses-weak-judge-2: not done yet
libra rollout --model judge-as-reward/weak-judge-3 --model-name weak-judge-3 --samples 4 --max-tokens 160 -o judge-as-reward/responses-weak-judge-3.jsonl judge-as-reward/held-out.jsonl  # responses-weak-judge-3: not done yet
libra verify -o judge-as-reward/rule-1.jsonl judge-as-reward/responses-rule-1.jsonl  # measured-rule-1: not done yet
libra verify -o judge-as-reward/rule-2.jsonl judge-as-reward/responses-rule-2.jsonl  # measured-rule-2: not done yet
libra verify -o judge-as-reward/rule-3.jsonl judge-as-reward/responses-rule-3.jsonl  # measured-rule-3: not done yet
libra verify -o judge-as-reward/judge-1.jsonl judge-as-reward/responses-judge-1.jsonl  # measured-judge-1: not done yet
libra verify -o judge-as-reward/judge-2.jsonl judge-as-reward/responses-judge-2.jsonl  # measured-judge-2: not done yet
libra verify -o judge-as-reward/judge-3.jsonl judge-as-reward/responses-judge-3.jsonl  # measured-judge-3: not done yet
libra verify -o judge-as-reward/weak-judge-1.jsonl judge-as-reward/responses-weak-judge-1.jsonl  # measured-weak-judge-1: not done yet
libra verify -o judge-as-reward/weak-judge-2.jsonl judge-as-reward/responses-weak-judge-2.jsonl  # measured-weak-judge-2: not done yet
libra verify -o judge-as-reward/weak-judge-3.jsonl judge-as-reward/responses-weak-judge-3.jsonl  # measured-weak-judge-3: not done yet
python examples/recipes/judge-as-reward/report.py judge-as-reward > judge-as-reward/report.txt  # report: not done yet
