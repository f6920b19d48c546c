set -euo pipefail
mkdir -p miniature
python examples/recipes/miniature/world.py miniature/world.jsonl --training --seed 1 --per-cell 120  # world: not done yet
libra collect -o miniature/train-problems.jsonl miniature/world.jsonl  # train-problems: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --samples 2 -o miniature/train-responses.jsonl miniature/train-problems.jsonl  # train-responses: not done yet
libra verify -o miniature/train-labelled.jsonl miniature/train-responses.jsonl  # train-labelled: not done yet
libra balance -o miniature/train.jsonl miniature/train-labelled.jsonl  # train: not done yet
libra collect --preset libra-mini --where true -o miniature/bench-problems.jsonl  # bench-problems: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --samples 2 -o miniature/bench-responses.jsonl miniature/bench-problems.jsonl  # bench-responses: not done yet
libra verify -o miniature/bench-labelled.jsonl miniature/bench-responses.jsonl  # bench-labelled: not done yet
libra balance -o miniature/bench.jsonl miniature/bench-labelled.jsonl  # bench: not done yet
libra judge --model libra-mini/strong --judge-name strong --votes 2 -o miniature/judged.jsonl miniature/train.jsonl  # judged: not done yet
libra rs-filter --per-prompt 1 --even label -o miniature/score.jsonl miniature/judged.jsonl  # score: not done yet
libra rs-filter --per-prompt 1 -o miniature/reason.jsonl miniature/train-labelled.jsonl  # reason: not done yet
jq -c '.messages[-1].content |= sub("<think>.*</think>"; "<think></think>"; "m")' miniature/score.jsonl > miniature/score-direct.jsonl  # score-direct: not done yet
libra mix -o miniature/direct-rows.jsonl miniature/score-direct.jsonl miniature/reason.jsonl  # direct-rows: not done yet
libra mix -o miniature/judge-rows.jsonl miniature/score.jsonl miniature/reason.jsonl  # judge-rows: not done yet
libra sft --config examples/recipes/miniature/judge.yaml --model libra-mini/strong --save-dtype bf16 -o miniature/judge miniature/judge-rows.jsonl  # judge: not done yet
libra sft --config examples/recipes/miniature/judge.yaml --model libra-mini/strong --save-dtype bf16 -o miniature/direct miniature/direct-rows.jsonl  # direct: not done yet
libra judge --model libra-mini/strong --model miniature/judge --judge-name policy --judge-name judge -o miniature/by-thinking.jsonl miniature/bench.jsonl  # by-thinking: not done yet
libra judge --no-thinking --model miniature/direct --judge-name 'without thinking' -o miniature/by-direct.jsonl miniature/bench.jsonl  # by-direct: not done yet
libra score -o miniature/scores.txt miniature/by-thinking.jsonl miniature/by-direct.jsonl  # scores: not done yet
