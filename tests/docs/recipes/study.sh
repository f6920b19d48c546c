set -euo pipefail
mkdir -p study
python examples/recipes/study/../miniature/corpus.py $((32 * 100)) --seed 5 > study/pretrained-corpus.jsonl  # pretrained-corpus: not done yet
libra sft --config examples/recipes/study/../miniature/policy.yaml --model libra-mini/medium --schedule linear --save-dtype bf16 -o study/pretrained study/pretrained-corpus.jsonl  # pretrained: not done yet
libra collect --preset libra-mini --where true -o study/held-out.jsonl  # held-out: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --max-tokens 200 --samples 4 --seed 7 -o study/bench-responses.jsonl study/held-out.jsonl  # bench-responses: not done yet
libra verify -o study/bench-labelled.jsonl study/bench-responses.jsonl  # bench-labelled: not done yet
jq -c -f examples/recipes/study/split.jq study/bench-labelled.jsonl > study/bench-split.jsonl  # bench-split: not done yet
libra balance --per-cell 40 -o study/bench.jsonl study/bench-split.jsonl  # bench: not done yet
python examples/recipes/study/other.py study/other-base  # other-base: not done yet
python examples/recipes/study/other.py --corpus $((32 * 1000)) --seed 0 > study/other-corpus-0.jsonl  # other-corpus-0: not done yet
python examples/recipes/study/other.py --corpus $((32 * 1000)) --seed 1 > study/other-corpus-1.jsonl  # other-corpus-1: not done yet
python examples/recipes/study/other.py --corpus $((32 * 1000)) --seed 2 > study/other-corpus-2.jsonl  # other-corpus-2: not done yet
libra sft --config examples/recipes/study/other.yaml --model study/other-base --seed 0 -o study/other-0 study/other-corpus-0.jsonl  # other-0: not done yet
libra sft --config examples/recipes/study/other.yaml --model study/other-base --seed 1 -o study/other-1 study/other-corpus-1.jsonl  # other-1: not done yet
libra sft --config examples/recipes/study/other.yaml --model study/other-base --seed 2 -o study/other-2 study/other-corpus-2.jsonl  # other-2: not done yet
libra rollout --model study/other-0 --model-name other --max-tokens 200 --samples 8 --seed 0 -o study/other-responses-0.jsonl study/held-out.jsonl  # other-responses-0: not done yet
libra rollout --model study/other-1 --model-name other --max-tokens 200 --samples 8 --seed 1 -o study/other-responses-1.jsonl study/held-out.jsonl  # other-responses-1: not done yet
libra rollout --model study/other-2 --model-name other --max-tokens 200 --samples 8 --seed 2 -o study/other-responses-2.jsonl study/held-out.jsonl  # other-responses-2: not done yet
libra verify -o study/other-labelled-0.jsonl study/other-responses-0.jsonl  # other-labelled-0: not done yet
libra verify -o study/other-labelled-1.jsonl study/other-responses-1.jsonl  # other-labelled-1: not done yet
libra verify -o study/other-labelled-2.jsonl study/other-responses-2.jsonl  # other-labelled-2: not done yet
jq -c -f examples/recipes/study/split.jq study/other-labelled-0.jsonl > study/other-split-0.jsonl  # other-split-0: not done yet
jq -c -f examples/recipes/study/split.jq study/other-labelled-1.jsonl > study/other-split-1.jsonl  # other-split-1: not done yet
jq -c -f examples/recipes/study/split.jq study/other-labelled-2.jsonl > study/other-split-2.jsonl  # other-split-2: not done yet
libra balance --per-cell 80 -o study/other-bench-0.jsonl study/other-split-0.jsonl  # other-bench-0: not done yet
libra balance --per-cell 80 -o study/other-bench-1.jsonl study/other-split-1.jsonl  # other-bench-1: not done yet
libra balance --per-cell 80 -o study/other-bench-2.jsonl study/other-split-2.jsonl  # other-bench-2: not done yet
python examples/recipes/study/../miniature/world.py study/world-0.jsonl --training --seed $((2000 + 0)) --per-cell 120  # world-0: not done yet
python examples/recipes/study/../miniature/world.py study/world-1.jsonl --training --seed $((2000 + 1)) --per-cell 120  # world-1: not done yet
python examples/recipes/study/../miniature/world.py study/world-2.jsonl --training --seed $((2000 + 2)) --per-cell 120  # world-2: not done yet
libra collect --where 'level <= 3' -o study/problems-0.jsonl study/world-0.jsonl  # problems-0: not done yet
libra collect --where 'level <= 3' -o study/problems-1.jsonl study/world-1.jsonl  # problems-1: not done yet
libra collect --where 'level <= 3' -o study/problems-2.jsonl study/world-2.jsonl  # problems-2: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --max-tokens 200 --samples 1 --seed 0 -o study/responses-0.jsonl study/problems-0.jsonl  # responses-0: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --max-tokens 200 --samples 1 --seed 1 -o study/responses-1.jsonl study/problems-1.jsonl  # responses-1: not done yet
libra rollout --model libra-mini/weak --model libra-mini/medium --model libra-mini/strong --max-tokens 200 --samples 1 --seed 2 -o study/responses-2.jsonl study/problems-2.jsonl  # responses-2: not done yet
libra verify -o study/labelled-0.jsonl study/responses-0.jsonl  # labelled-0: not done yet
libra verify -o study/labelled-1.jsonl study/responses-1.jsonl  # labelled-1: not done yet
libra verify -o study/labelled-2.jsonl study/responses-2.jsonl  # labelled-2: not done yet
libra balance --seed 0 -o study/train-0.jsonl study/labelled-0.jsonl  # train-0: not done yet
libra balance --seed 1 -o study/train-1.jsonl study/labelled-1.jsonl  # train-1: not done yet
libra balance --seed 2 -o study/train-2.jsonl study/labelled-2.jsonl  # train-2: not done yet
jq -c 'del(.response_with_cot)' study/train-0.jsonl > study/train-answers-0.jsonl  # train-answers-0: not done yet
jq -c 'del(.response_with_cot)' study/train-1.jsonl > study/train-answers-1.jsonl  # train-answers-1: not done yet
jq -c 'del(.response_with_cot)' study/train-2.jsonl > study/train-answers-2.jsonl  # train-answers-2: not done yet
libra judge --model libra-mini/strong --max-tokens 200 --votes 2 --seed 0 -o study/taught-0.jsonl study/train-0.jsonl  # taught-0: not done yet
libra judge --model libra-mini/strong --max-tokens 200 --votes 2 --seed 1 -o study/taught-1.jsonl study/train-1.jsonl  # taught-1: not done yet
libra judge --model libra-mini/strong --max-tokens 200 --votes 2 --seed 2 -o study/taught-2.jsonl study/train-2.jsonl  # taught-2: not done yet
libra rs-filter --per-prompt 1 --even label -o study/score-rows-0.jsonl study/taught-0.jsonl  # score-rows-0: not done yet
libra rs-filter --per-prompt 1 --even label -o study/score-rows-1.jsonl study/taught-1.jsonl  # score-rows-1: not done yet
libra rs-filter --per-prompt 1 --even label -o study/score-rows-2.jsonl study/taught-2.jsonl  # score-rows-2: not done yet
libra rs-filter --per-prompt 1 -o study/reason-rows-0.jsonl study/labelled-0.jsonl  # reason-rows-0: not done yet
libra rs-filter --per-prompt 1 -o study/reason-rows-1.jsonl study/labelled-1.jsonl  # reason-rows-1: not done yet
libra rs-filter --per-prompt 1 -o study/reason-rows-2.jsonl study/labelled-2.jsonl  # reason-rows-2: not done yet
libra mix --seed 0 -o study/sft-rows-0.jsonl study/score-rows-0.jsonl study/reason-rows-0.jsonl  # sft-rows-0: not done yet
libra mix --seed 1 -o study/sft-rows-1.jsonl study/score-rows-1.jsonl study/reason-rows-1.jsonl  # sft-rows-1: not done yet
libra mix --seed 2 -o study/sft-rows-2.jsonl study/score-rows-2.jsonl study/reason-rows-2.jsonl  # sft-rows-2: not done yet
jq -c 'if .task == "score" then .messages[-1].content |= sub("<think>.*</think>"; "<think></think>"; "m") else . end' study/sft-rows-0.jsonl > study/direct-rows-0.jsonl  # direct-rows-0: not done yet
jq -c 'if .task == "score" then .messages[-1].content |= sub("<think>.*</think>"; "<think></think>"; "m") else . end' study/sft-rows-1.jsonl > study/direct-rows-1.jsonl  # direct-rows-1: not done yet
jq -c 'if .task == "score" then .messages[-1].content |= sub("<think>.*</think>"; "<think></think>"; "m") else . end' study/sft-rows-2.jsonl > study/direct-rows-2.jsonl  # direct-rows-2: not done yet
libra dpo-pairs --unpaired --by label -o study/implicit-rows-0.jsonl study/train-0.jsonl  # implicit-rows-0: not done yet
libra dpo-pairs --unpaired --by label -o study/implicit-rows-1.jsonl study/train-1.jsonl  # implicit-rows-1: not done yet
libra dpo-pairs --unpaired --by label -o study/implicit-rows-2.jsonl study/train-2.jsonl  # implicit-rows-2: not done yet
libra dpo-pairs --unpaired --by label -o study/scalar-rows-0.jsonl study/train-answers-0.jsonl  # scalar-rows-0: not done yet
libra dpo-pairs --unpaired --by label -o study/scalar-rows-1.jsonl study/train-answers-1.jsonl  # scalar-rows-1: not done yet
libra dpo-pairs --unpaired --by label -o study/scalar-rows-2.jsonl study/train-answers-2.jsonl  # scalar-rows-2: not done yet
cat study/train-answers-0.jsonl study/problems-0.jsonl > study/rl-rows-0.jsonl  # rl-rows-0: not done yet
cat study/train-answers-1.jsonl study/problems-1.jsonl > study/rl-rows-1.jsonl  # rl-rows-1: not done yet
cat study/train-answers-2.jsonl study/problems-2.jsonl > study/rl-rows-2.jsonl  # rl-rows-2: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 0 --max-steps 240 -o study/direct-0 study/direct-rows-0.jsonl  # direct-0: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 1 --max-steps 240 -o study/direct-1 study/direct-rows-1.jsonl  # direct-1: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 2 --max-steps 240 -o study/direct-2 study/direct-rows-2.jsonl  # direct-2: not done yet
libra dpo --config examples/recipes/study/implicit.yaml --model study/pretrained --seed 0 --max-steps 240 -o study/implicit-0 study/implicit-rows-0.jsonl  # implicit-0: not done yet
libra dpo --config examples/recipes/study/implicit.yaml --model study/pretrained --seed 1 --max-steps 240 -o study/implicit-1 study/implicit-rows-1.jsonl  # implicit-1: not done yet
libra dpo --config examples/recipes/study/implicit.yaml --model study/pretrained --seed 2 --max-steps 240 -o study/implicit-2 study/implicit-rows-2.jsonl  # implicit-2: not done yet
libra train-rm --config examples/recipes/study/scalar.yaml --model study/pretrained --seed 0 --max-steps 240 -o study/scalar-0 study/scalar-rows-0.jsonl  # scalar-0: not done yet
libra train-rm --config examples/recipes/study/scalar.yaml --model study/pretrained --seed 1 --max-steps 240 -o study/scalar-1 study/scalar-rows-1.jsonl  # scalar-1: not done yet
libra train-rm --config examples/recipes/study/scalar.yaml --model study/pretrained --seed 2 --max-steps 240 -o study/scalar-2 study/scalar-rows-2.jsonl  # scalar-2: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 0 --max-steps 240 -o study/judge-only-0 study/score-rows-0.jsonl  # judge-only-0: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 1 --max-steps 240 -o study/judge-only-1 study/score-rows-1.jsonl  # judge-only-1: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 2 --max-steps 240 -o study/judge-only-2 study/score-rows-2.jsonl  # judge-only-2: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 0 --max-steps 240 -o study/sft-0 study/sft-rows-0.jsonl  # sft-0: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 1 --max-steps 240 -o study/sft-1 study/sft-rows-1.jsonl  # sft-1: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 2 --max-steps 240 -o study/sft-2 study/sft-rows-2.jsonl  # sft-2: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 0 --max-steps 460 -o study/sft-long-0 study/sft-rows-0.jsonl  # sft-long-0: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 1 --max-steps 460 -o study/sft-long-1 study/sft-rows-1.jsonl  # sft-long-1: not done yet
libra sft --config examples/recipes/study/sft.yaml --model study/pretrained --seed 2 --max-steps 460 -o study/sft-long-2 study/sft-rows-2.jsonl  # sft-long-2: not done yet
libra grpo --config examples/recipes/study/grpo.yaml --rewards examples/recipes/study/rewards.yaml --model study/sft-0 --seed 0 --max-steps 40 -o study/sft-rl-0 study/rl-rows-0.jsonl  # sft-rl-0: not done yet
libra grpo --config examples/recipes/study/grpo.yaml --rewards examples/recipes/study/rewards.yaml --model study/sft-1 --seed 1 --max-steps 40 -o study/sft-rl-1 study/rl-rows-1.jsonl  # sft-rl-1: not done yet
libra grpo --config examples/recipes/study/grpo.yaml --rewards examples/recipes/study/rewards.yaml --model study/sft-2 --seed 2 --max-steps 40 -o study/sft-rl-2 study/rl-rows-2.jsonl  # sft-rl-2: not done yet
libra grpo --config examples/recipes/study/grpo.yaml --rewards examples/recipes/study/rewards.yaml --model study/pretrained --seed 0 --max-steps 82 -o study/rl-zero-0 study/rl-rows-0.jsonl  # rl-zero-0: not done yet
libra grpo --config examples/recipes/study/grpo.yaml --rewards examples/recipes/study/rewards.yaml --model study/pretrained --seed 1 --max-steps 82 -o study/rl-zero-1 study/rl-rows-1.jsonl  # rl-zero-1: not done yet
libra grpo --config examples/recipes/study/grpo.yaml --rewards examples/recipes/study/rewards.yaml --model study/pretrained --seed 2 --max-steps 82 -o study/rl-zero-2 study/rl-rows-2.jsonl  # rl-zero-2: not done yet
python examples/recipes/study/../miniature/world.py study/queries-world-0.jsonl --training --seed $((3000 + 0)) --per-cell 20  # queries-world-0: not done yet
python examples/recipes/study/../miniature/world.py study/queries-world-1.jsonl --training --seed $((3000 + 1)) --per-cell 20  # queries-world-1: not done yet
python examples/recipes/study/../miniature/world.py study/queries-world-2.jsonl --training --seed $((3000 + 2)) --per-cell 20  # queries-world-2: not done yet
libra collect -o study/query-problems-0.jsonl study/queries-world-0.jsonl  # query-problems-0: not done yet
libra collect -o study/query-problems-1.jsonl study/queries-world-1.jsonl  # query-problems-1: not done yet
libra collect -o study/query-problems-2.jsonl study/queries-world-2.jsonl  # query-problems-2: not done yet
libra rollout --model libra-mini/weak --model study/other-0 --model-name weak --model-name other --max-tokens 200 --samples 4 --temperature 1 --seed 0 -o study/query-responses-0.jsonl study/query-problems-0.jsonl  # query-responses-0: not done yet
libra rollout --model libra-mini/weak --model study/other-1 --model-name weak --model-name other --max-tokens 200 --samples 4 --temperature 1 --seed 1 -o study/query-responses-1.jsonl study/query-problems-1.jsonl  # query-responses-1: not done yet
libra rollout --model libra-mini/weak --model study/other-2 --model-name weak --model-name other --max-tokens 200 --samples 4 --temperature 1 --seed 2 -o study/query-responses-2.jsonl study/query-problems-2.jsonl  # query-responses-2: not done yet
libra verify -o study/query-labelled-0.jsonl study/query-responses-0.jsonl  # query-labelled-0: not done yet
libra verify -o study/query-labelled-1.jsonl study/query-responses-1.jsonl  # query-labelled-1: not done yet
libra verify -o study/query-labelled-2.jsonl study/query-responses-2.jsonl  # query-labelled-2: not done yet
(
jq -c '.part = "bench"' study/bench.jsonl
jq -c '.part = "other"' study/other-bench-0.jsonl
jq -c '.part = "queries"' study/query-labelled-0.jsonl
) > study/asked-0.jsonl  # asked-0: not done yet
(
jq -c '.part = "bench"' study/bench.jsonl
jq -c '.part = "other"' study/other-bench-1.jsonl
jq -c '.part = "queries"' study/query-labelled-1.jsonl
) > study/asked-1.jsonl  # asked-1: not done yet
(
jq -c '.part = "bench"' study/bench.jsonl
jq -c '.part = "other"' study/other-bench-2.jsonl
jq -c '.part = "queries"' study/query-labelled-2.jsonl
) > study/asked-2.jsonl  # asked-2: not done yet
libra judge --model study/pretrained --judge-name base --max-tokens 200 --seed 0 -o study/judged-base-0.jsonl study/asked-0.jsonl  # judged-base-0: not done yet
libra judge --model study/pretrained --judge-name base --max-tokens 200 --seed 1 -o study/judged-base-1.jsonl study/asked-1.jsonl  # judged-base-1: not done yet
libra judge --model study/pretrained --judge-name base --max-tokens 200 --seed 2 -o study/judged-base-2.jsonl study/asked-2.jsonl  # judged-base-2: not done yet
libra judge --model study/direct-0 --judge-name direct --no-thinking --max-tokens 200 --seed 0 -o study/judged-direct-0.jsonl study/asked-0.jsonl  # judged-direct-0: not done yet
libra judge --model study/direct-1 --judge-name direct --no-thinking --max-tokens 200 --seed 1 -o study/judged-direct-1.jsonl study/asked-1.jsonl  # judged-direct-1: not done yet
libra judge --model study/direct-2 --judge-name direct --no-thinking --max-tokens 200 --seed 2 -o study/judged-direct-2.jsonl study/asked-2.jsonl  # judged-direct-2: not done yet
libra judge --model study/implicit-0 --judge-name implicit --implicit --reference study/pretrained --beta 0.1 --threshold 0 --seed 0 -o study/judged-implicit-0.jsonl study/asked-0.jsonl  # judged-implicit-0: not done yet
libra judge --model study/implicit-1 --judge-name implicit --implicit --reference study/pretrained --beta 0.1 --threshold 0 --seed 1 -o study/judged-implicit-1.jsonl study/asked-1.jsonl  # judged-implicit-1: not done yet
libra judge --model study/implicit-2 --judge-name implicit --implicit --reference study/pretrained --beta 0.1 --threshold 0 --seed 2 -o study/judged-implicit-2.jsonl study/asked-2.jsonl  # judged-implicit-2: not done yet
libra judge --model study/scalar-0 --judge-name scalar --threshold 0 --seed 0 -o study/judged-scalar-0.jsonl study/asked-0.jsonl  # judged-scalar-0: not done yet
libra judge --model study/scalar-1 --judge-name scalar --threshold 0 --seed 1 -o study/judged-scalar-1.jsonl study/asked-1.jsonl  # judged-scalar-1: not done yet
libra judge --model study/scalar-2 --judge-name scalar --threshold 0 --seed 2 -o study/judged-scalar-2.jsonl study/asked-2.jsonl  # judged-scalar-2: not done yet
libra judge --model study/judge-only-0 --judge-name judge-only --max-tokens 200 --seed 0 -o study/judged-judge-only-0.jsonl study/asked-0.jsonl  # judged-judge-only-0: not done yet
libra judge --model study/judge-only-1 --judge-name judge-only --max-tokens 200 --seed 1 -o study/judged-judge-only-1.jsonl study/asked-1.jsonl  # judged-judge-only-1: not done yet
libra judge --model study/judge-only-2 --judge-name judge-only --max-tokens 200 --seed 2 -o study/judged-judge-only-2.jsonl study/asked-2.jsonl  # judged-judge-only-2: not done yet
libra judge --model study/sft-0 --judge-name sft --max-tokens 200 --seed 0 -o study/judged-sft-0.jsonl study/asked-0.jsonl  # judged-sft-0: not done yet
libra judge --model study/sft-1 --judge-name sft --max-tokens 200 --seed 1 -o study/judged-sft-1.jsonl study/asked-1.jsonl  # judged-sft-1: not done yet
libra judge --model study/sft-2 --judge-name sft --max-tokens 200 --seed 2 -o study/judged-sft-2.jsonl study/asked-2.jsonl  # judged-sft-2: not done yet
libra judge --model study/sft-long-0 --judge-name sft-long --max-tokens 200 --seed 0 -o study/judged-sft-long-0.jsonl study/asked-0.jsonl  # judged-sft-long-0: not done yet
libra judge --model study/sft-long-1 --judge-name sft-long --max-tokens 200 --seed 1 -o study/judged-sft-long-1.jsonl study/asked-1.jsonl  # judged-sft-long-1: not done yet
libra judge --model study/sft-long-2 --judge-name sft-long --max-tokens 200 --seed 2 -o study/judged-sft-long-2.jsonl study/asked-2.jsonl  # judged-sft-long-2: not done yet
libra judge --model study/sft-rl-0 --judge-name sft-rl --max-tokens 200 --seed 0 -o study/judged-sft-rl-0.jsonl study/asked-0.jsonl  # judged-sft-rl-0: not done yet
libra judge --model study/sft-rl-1 --judge-name sft-rl --max-tokens 200 --seed 1 -o study/judged-sft-rl-1.jsonl study/asked-1.jsonl  # judged-sft-rl-1: not done yet
libra judge --model study/sft-rl-2 --judge-name sft-rl --max-tokens 200 --seed 2 -o study/judged-sft-rl-2.jsonl study/asked-2.jsonl  # judged-sft-rl-2: not done yet
libra judge --model study/rl-zero-0 --judge-name rl-zero --max-tokens 200 --seed 0 -o study/judged-rl-zero-0.jsonl study/asked-0.jsonl  # judged-rl-zero-0: not done yet
libra judge --model study/rl-zero-1 --judge-name rl-zero --max-tokens 200 --seed 1 -o study/judged-rl-zero-1.jsonl study/asked-1.jsonl  # judged-rl-zero-1: not done yet
libra judge --model study/rl-zero-2 --judge-name rl-zero --max-tokens 200 --seed 2 -o study/judged-rl-zero-2.jsonl study/asked-2.jsonl  # judged-rl-zero-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-base-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-base-0.jsonl  # pairs-weak-base-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-base-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-base-1.jsonl  # pairs-weak-base-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-base-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-base-2.jsonl  # pairs-weak-base-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-direct-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-direct-0.jsonl  # pairs-weak-direct-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-direct-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-direct-1.jsonl  # pairs-weak-direct-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-direct-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-direct-2.jsonl  # pairs-weak-direct-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-implicit-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-implicit-0.jsonl  # pairs-weak-implicit-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-implicit-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-implicit-1.jsonl  # pairs-weak-implicit-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-implicit-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-implicit-2.jsonl  # pairs-weak-implicit-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-scalar-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-scalar-0.jsonl  # pairs-weak-scalar-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-scalar-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-scalar-1.jsonl  # pairs-weak-scalar-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-scalar-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-scalar-2.jsonl  # pairs-weak-scalar-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-judge-only-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-judge-only-0.jsonl  # pairs-weak-judge-only-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-judge-only-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-judge-only-1.jsonl  # pairs-weak-judge-only-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-judge-only-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-judge-only-2.jsonl  # pairs-weak-judge-only-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-sft-0.jsonl  # pairs-weak-sft-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-sft-1.jsonl  # pairs-weak-sft-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-sft-2.jsonl  # pairs-weak-sft-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-long-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-sft-long-0.jsonl  # pairs-weak-sft-long-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-long-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-sft-long-1.jsonl  # pairs-weak-sft-long-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-long-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-sft-long-2.jsonl  # pairs-weak-sft-long-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-rl-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-sft-rl-0.jsonl  # pairs-weak-sft-rl-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-rl-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-sft-rl-1.jsonl  # pairs-weak-sft-rl-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-sft-rl-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-sft-rl-2.jsonl  # pairs-weak-sft-rl-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-rl-zero-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-weak-rl-zero-0.jsonl  # pairs-weak-rl-zero-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-rl-zero-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-weak-rl-zero-1.jsonl  # pairs-weak-rl-zero-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/judged-rl-zero-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-weak-rl-zero-2.jsonl  # pairs-weak-rl-zero-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-base-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-base-0.jsonl  # pairs-other-base-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-base-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-base-1.jsonl  # pairs-other-base-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-base-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-base-2.jsonl  # pairs-other-base-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-direct-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-direct-0.jsonl  # pairs-other-direct-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-direct-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-direct-1.jsonl  # pairs-other-direct-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-direct-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-direct-2.jsonl  # pairs-other-direct-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-implicit-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-implicit-0.jsonl  # pairs-other-implicit-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-implicit-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-implicit-1.jsonl  # pairs-other-implicit-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-implicit-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-implicit-2.jsonl  # pairs-other-implicit-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-scalar-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-scalar-0.jsonl  # pairs-other-scalar-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-scalar-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-scalar-1.jsonl  # pairs-other-scalar-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-scalar-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-scalar-2.jsonl  # pairs-other-scalar-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-judge-only-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-judge-only-0.jsonl  # pairs-other-judge-only-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-judge-only-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-judge-only-1.jsonl  # pairs-other-judge-only-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-judge-only-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-judge-only-2.jsonl  # pairs-other-judge-only-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-sft-0.jsonl  # pairs-other-sft-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-sft-1.jsonl  # pairs-other-sft-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-sft-2.jsonl  # pairs-other-sft-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-long-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-sft-long-0.jsonl  # pairs-other-sft-long-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-long-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-sft-long-1.jsonl  # pairs-other-sft-long-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-long-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-sft-long-2.jsonl  # pairs-other-sft-long-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-rl-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-sft-rl-0.jsonl  # pairs-other-sft-rl-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-rl-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-sft-rl-1.jsonl  # pairs-other-sft-rl-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-sft-rl-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-sft-rl-2.jsonl  # pairs-other-sft-rl-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-rl-zero-0.jsonl | libra dpo-pairs --seed 0 > study/pairs-other-rl-zero-0.jsonl  # pairs-other-rl-zero-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-rl-zero-1.jsonl | libra dpo-pairs --seed 1 > study/pairs-other-rl-zero-1.jsonl  # pairs-other-rl-zero-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/judged-rl-zero-2.jsonl | libra dpo-pairs --seed 2 > study/pairs-other-rl-zero-2.jsonl  # pairs-other-rl-zero-2: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/asked-0.jsonl | libra dpo-pairs --by label --seed 0 > study/pairs-weak-rule-0.jsonl  # pairs-of-rule-weak-0: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/asked-1.jsonl | libra dpo-pairs --by label --seed 1 > study/pairs-weak-rule-1.jsonl  # pairs-of-rule-weak-1: not done yet
jq -c 'select(.part == "queries" and .model == "weak")' study/asked-2.jsonl | libra dpo-pairs --by label --seed 2 > study/pairs-weak-rule-2.jsonl  # pairs-of-rule-weak-2: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/asked-0.jsonl | libra dpo-pairs --by label --seed 0 > study/pairs-other-rule-0.jsonl  # pairs-of-rule-other-0: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/asked-1.jsonl | libra dpo-pairs --by label --seed 1 > study/pairs-other-rule-1.jsonl  # pairs-of-rule-other-1: not done yet
jq -c 'select(.part == "queries" and .model == "other")' study/asked-2.jsonl | libra dpo-pairs --by label --seed 2 > study/pairs-other-rule-2.jsonl  # pairs-of-rule-other-2: not done yet
examples/recipes/study/tune study/tuned-weak-base-0 libra-mini/weak study/pairs-weak-base-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-base-0: not done yet
examples/recipes/study/tune study/tuned-weak-base-1 libra-mini/weak study/pairs-weak-base-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-base-1: not done yet
examples/recipes/study/tune study/tuned-weak-base-2 libra-mini/weak study/pairs-weak-base-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-base-2: not done yet
examples/recipes/study/tune study/tuned-weak-direct-0 libra-mini/weak study/pairs-weak-direct-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-direct-0: not done yet
examples/recipes/study/tune study/tuned-weak-direct-1 libra-mini/weak study/pairs-weak-direct-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-direct-1: not done yet
examples/recipes/study/tune study/tuned-weak-direct-2 libra-mini/weak study/pairs-weak-direct-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-direct-2: not done yet
examples/recipes/study/tune study/tuned-weak-implicit-0 libra-mini/weak study/pairs-weak-implicit-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-implicit-0: not done yet
examples/recipes/study/tune study/tuned-weak-implicit-1 libra-mini/weak study/pairs-weak-implicit-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-implicit-1: not done yet
examples/recipes/study/tune study/tuned-weak-implicit-2 libra-mini/weak study/pairs-weak-implicit-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-implicit-2: not done yet
examples/recipes/study/tune study/tuned-weak-scalar-0 libra-mini/weak study/pairs-weak-scalar-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-scalar-0: not done yet
examples/recipes/study/tune study/tuned-weak-scalar-1 libra-mini/weak study/pairs-weak-scalar-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-scalar-1: not done yet
examples/recipes/study/tune study/tuned-weak-scalar-2 libra-mini/weak study/pairs-weak-scalar-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-scalar-2: not done yet
examples/recipes/study/tune study/tuned-weak-judge-only-0 libra-mini/weak study/pairs-weak-judge-only-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-judge-only-0: not done yet
examples/recipes/study/tune study/tuned-weak-judge-only-1 libra-mini/weak study/pairs-weak-judge-only-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-judge-only-1: not done yet
examples/recipes/study/tune study/tuned-weak-judge-only-2 libra-mini/weak study/pairs-weak-judge-only-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-judge-only-2: not done yet
examples/recipes/study/tune study/tuned-weak-sft-0 libra-mini/weak study/pairs-weak-sft-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-sft-0: not done yet
examples/recipes/study/tune study/tuned-weak-sft-1 libra-mini/weak study/pairs-weak-sft-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-sft-1: not done yet
examples/recipes/study/tune study/tuned-weak-sft-2 libra-mini/weak study/pairs-weak-sft-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-sft-2: not done yet
examples/recipes/study/tune study/tuned-weak-sft-long-0 libra-mini/weak study/pairs-weak-sft-long-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-sft-long-0: not done yet
examples/recipes/study/tune study/tuned-weak-sft-long-1 libra-mini/weak study/pairs-weak-sft-long-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-sft-long-1: not done yet
examples/recipes/study/tune study/tuned-weak-sft-long-2 libra-mini/weak study/pairs-weak-sft-long-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-sft-long-2: not done yet
examples/recipes/study/tune study/tuned-weak-sft-rl-0 libra-mini/weak study/pairs-weak-sft-rl-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-sft-rl-0: not done yet
examples/recipes/study/tune study/tuned-weak-sft-rl-1 libra-mini/weak study/pairs-weak-sft-rl-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-sft-rl-1: not done yet
examples/recipes/study/tune study/tuned-weak-sft-rl-2 libra-mini/weak study/pairs-weak-sft-rl-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-sft-rl-2: not done yet
examples/recipes/study/tune study/tuned-weak-rl-zero-0 libra-mini/weak study/pairs-weak-rl-zero-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-rl-zero-0: not done yet
examples/recipes/study/tune study/tuned-weak-rl-zero-1 libra-mini/weak study/pairs-weak-rl-zero-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-rl-zero-1: not done yet
examples/recipes/study/tune study/tuned-weak-rl-zero-2 libra-mini/weak study/pairs-weak-rl-zero-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-rl-zero-2: not done yet
examples/recipes/study/tune study/tuned-weak-rule-0 libra-mini/weak study/pairs-weak-rule-0.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 0 --max-steps 24  # tuned-weak-rule-0: not done yet
examples/recipes/study/tune study/tuned-weak-rule-1 libra-mini/weak study/pairs-weak-rule-1.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 1 --max-steps 24  # tuned-weak-rule-1: not done yet
examples/recipes/study/tune study/tuned-weak-rule-2 libra-mini/weak study/pairs-weak-rule-2.jsonl --config examples/recipes/study/dpo-weak.yaml --seed 2 --max-steps 24  # tuned-weak-rule-2: not done yet
examples/recipes/study/tune study/tuned-other-base-0 study/other-0 study/pairs-other-base-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-base-0: not done yet
examples/recipes/study/tune study/tuned-other-base-1 study/other-1 study/pairs-other-base-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-base-1: not done yet
examples/recipes/study/tune study/tuned-other-base-2 study/other-2 study/pairs-other-base-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-base-2: not done yet
examples/recipes/study/tune study/tuned-other-direct-0 study/other-0 study/pairs-other-direct-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-direct-0: not done yet
examples/recipes/study/tune study/tuned-other-direct-1 study/other-1 study/pairs-other-direct-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-direct-1: not done yet
examples/recipes/study/tune study/tuned-other-direct-2 study/other-2 study/pairs-other-direct-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-direct-2: not done yet
examples/recipes/study/tune study/tuned-other-implicit-0 study/other-0 study/pairs-other-implicit-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-implicit-0: not done yet
examples/recipes/study/tune study/tuned-other-implicit-1 study/other-1 study/pairs-other-implicit-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-implicit-1: not done yet
examples/recipes/study/tune study/tuned-other-implicit-2 study/other-2 study/pairs-other-implicit-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-implicit-2: not done yet
examples/recipes/study/tune study/tuned-other-scalar-0 study/other-0 study/pairs-other-scalar-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-scalar-0: not done yet
examples/recipes/study/tune study/tuned-other-scalar-1 study/other-1 study/pairs-other-scalar-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-scalar-1: not done yet
examples/recipes/study/tune study/tuned-other-scalar-2 study/other-2 study/pairs-other-scalar-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-scalar-2: not done yet
examples/recipes/study/tune study/tuned-other-judge-only-0 study/other-0 study/pairs-other-judge-only-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-judge-only-0: not done yet
examples/recipes/study/tune study/tuned-other-judge-only-1 study/other-1 study/pairs-other-judge-only-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-judge-only-1: not done yet
examples/recipes/study/tune study/tuned-other-judge-only-2 study/other-2 study/pairs-other-judge-only-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-judge-only-2: not done yet
examples/recipes/study/tune study/tuned-other-sft-0 study/other-0 study/pairs-other-sft-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-sft-0: not done yet
examples/recipes/study/tune study/tuned-other-sft-1 study/other-1 study/pairs-other-sft-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-sft-1: not done yet
examples/recipes/study/tune study/tuned-other-sft-2 study/other-2 study/pairs-other-sft-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-sft-2: not done yet
examples/recipes/study/tune study/tuned-other-sft-long-0 study/other-0 study/pairs-other-sft-long-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-sft-long-0: not done yet
examples/recipes/study/tune study/tuned-other-sft-long-1 study/other-1 study/pairs-other-sft-long-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-sft-long-1: not done yet
examples/recipes/study/tune study/tuned-other-sft-long-2 study/other-2 study/pairs-other-sft-long-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-sft-long-2: not done yet
examples/recipes/study/tune study/tuned-other-sft-rl-0 study/other-0 study/pairs-other-sft-rl-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-sft-rl-0: not done yet
examples/recipes/study/tune study/tuned-other-sft-rl-1 study/other-1 study/pairs-other-sft-rl-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-sft-rl-1: not done yet
examples/recipes/study/tune study/tuned-other-sft-rl-2 study/other-2 study/pairs-other-sft-rl-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-sft-rl-2: not done yet
examples/recipes/study/tune study/tuned-other-rl-zero-0 study/other-0 study/pairs-other-rl-zero-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-rl-zero-0: not done yet
examples/recipes/study/tune study/tuned-other-rl-zero-1 study/other-1 study/pairs-other-rl-zero-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-rl-zero-1: not done yet
examples/recipes/study/tune study/tuned-other-rl-zero-2 study/other-2 study/pairs-other-rl-zero-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-rl-zero-2: not done yet
examples/recipes/study/tune study/tuned-other-rule-0 study/other-0 study/pairs-other-rule-0.jsonl --config examples/recipes/study/dpo-other.yaml --seed 0 --max-steps 24  # tuned-other-rule-0: not done yet
examples/recipes/study/tune study/tuned-other-rule-1 study/other-1 study/pairs-other-rule-1.jsonl --config examples/recipes/study/dpo-other.yaml --seed 1 --max-steps 24  # tuned-other-rule-1: not done yet
examples/recipes/study/tune study/tuned-other-rule-2 study/other-2 study/pairs-other-rule-2.jsonl --config examples/recipes/study/dpo-other.yaml --seed 2 --max-steps 24  # tuned-other-rule-2: not done yet
libra rollout --model libra-mini/weak --model study/tuned-weak-base-0 --model study/tuned-weak-direct-0 --model study/tuned-weak-implicit-0 --model study/tuned-weak-scalar-0 --model study/tuned-weak-judge-only-0 --model study/tuned-weak-sft-0 --model study/tuned-weak-sft-long-0 --model study/tuned-weak-sft-rl-0 --model study/tuned-weak-rl-zero-0 --model study/tuned-weak-rule-0 --model-name start --model-name base --model-name direct --model-name implicit --model-name scalar --model-name judge-only --model-name sft --model-name sft-long --model-name sft-rl --model-name rl-zero --model-name rule --max-tokens 200 --samples 4 --seed 0 -o study/evaluated-weak-responses-0.jsonl study/held-out.jsonl  # evaluated-weak-responses-0: not done yet
libra rollout --model libra-mini/weak --model study/tuned-weak-base-1 --model study/tuned-weak-direct-1 --model study/tuned-weak-implicit-1 --model study/tuned-weak-scalar-1 --model study/tuned-weak-judge-only-1 --model study/tuned-weak-sft-1 --model study/tuned-weak-sft-long-1 --model study/tuned-weak-sft-rl-1 --model study/tuned-weak-rl-zero-1 --model study/tuned-weak-rule-1 --model-name start --model-name base --model-name direct --model-name implicit --model-name scalar --model-name judge-only --model-name sft --model-name sft-long --model-name sft-rl --model-name rl-zero --model-name rule --max-tokens 200 --samples 4 --seed 1 -o study/evaluated-weak-responses-1.jsonl study/held-out.jsonl  # evaluated-weak-responses-1: not done yet
libra rollout --model libra-mini/weak --model study/tuned-weak-base-2 --model study/tuned-weak-direct-2 --model study/tuned-weak-implicit-2 --model study/tuned-weak-scalar-2 --model study/tuned-weak-judge-only-2 --model study/tuned-weak-sft-2 --model study/tuned-weak-sft-long-2 --model study/tuned-weak-sft-rl-2 --model study/tuned-weak-rl-zero-2 --model study/tuned-weak-rule-2 --model-name start --model-name base --model-name direct --model-name implicit --model-name scalar --model-name judge-only --model-name sft --model-name sft-long --model-name sft-rl --model-name rl-zero --model-name rule --max-tokens 200 --samples 4 --seed 2 -o study/evaluated-weak-responses-2.jsonl study/held-out.jsonl  # evaluated-weak-responses-2: not done yet
libra verify -o study/evaluated-weak-0.jsonl study/evaluated-weak-responses-0.jsonl  # evaluated-weak-0: not done yet
libra verify -o study/evaluated-weak-1.jsonl study/evaluated-weak-responses-1.jsonl  # evaluated-weak-1: not done yet
libra verify -o study/evaluated-weak-2.jsonl study/evaluated-weak-responses-2.jsonl  # evaluated-weak-2: not done yet
libra rollout --model study/other-0 --model study/tuned-other-base-0 --model study/tuned-other-direct-0 --model study/tuned-other-implicit-0 --model study/tuned-other-scalar-0 --model study/tuned-other-judge-only-0 --model study/tuned-other-sft-0 --model study/tuned-other-sft-long-0 --model study/tuned-other-sft-rl-0 --model study/tuned-other-rl-zero-0 --model study/tuned-other-rule-0 --model-name start --model-name base --model-name direct --model-name implicit --model-name scalar --model-name judge-only --model-name sft --model-name sft-long --model-name sft-rl --model-name rl-zero --model-name rule --max-tokens 200 --samples 4 --seed 0 -o study/evaluated-other-responses-0.jsonl study/held-out.jsonl  # evaluated-other-responses-0: not done yet
libra rollout --model study/other-1 --model study/tuned-other-base-1 --model study/tuned-other-direct-1 --model study/tuned-other-implicit-1 --model study/tuned-other-scalar-1 --model study/tuned-other-judge-only-1 --model study/tuned-other-sft-1 --model study/tuned-other-sft-long-1 --model study/tuned-other-sft-rl-1 --model study/tuned-other-rl-zero-1 --model study/tuned-other-rule-1 --model-name start --model-name base --model-name direct --model-name implicit --model-name scalar --model-name judge-only --model-name sft --model-name sft-long --model-name sft-rl --model-name rl-zero --model-name rule --max-tokens 200 --samples 4 --seed 1 -o study/evaluated-other-responses-1.jsonl study/held-out.jsonl  # evaluated-other-responses-1: not done yet
libra rollout --model study/other-2 --model study/tuned-other-base-2 --model study/tuned-other-direct-2 --model study/tuned-other-implicit-2 --model study/tuned-other-scalar-2 --model study/tuned-other-judge-only-2 --model study/tuned-other-sft-2 --model study/tuned-other-sft-long-2 --model study/tuned-other-sft-rl-2 --model study/tuned-other-rl-zero-2 --model study/tuned-other-rule-2 --model-name start --model-name base --model-name direct --model-name implicit --model-name scalar --model-name judge-only --model-name sft --model-name sft-long --model-name sft-rl --model-name rl-zero --model-name rule --max-tokens 200 --samples 4 --seed 2 -o study/evaluated-other-responses-2.jsonl study/held-out.jsonl  # evaluated-other-responses-2: not done yet
libra verify -o study/evaluated-other-0.jsonl study/evaluated-other-responses-0.jsonl  # evaluated-other-0: not done yet
libra verify -o study/evaluated-other-1.jsonl study/evaluated-other-responses-1.jsonl  # evaluated-other-1: not done yet
libra verify -o study/evaluated-other-2.jsonl study/evaluated-other-responses-2.jsonl  # evaluated-other-2: not done yet
cat study/judged-base-0.jsonl study/judged-direct-0.jsonl study/judged-implicit-0.jsonl study/judged-scalar-0.jsonl study/judged-judge-only-0.jsonl study/judged-sft-0.jsonl study/judged-sft-long-0.jsonl study/judged-sft-rl-0.jsonl study/judged-rl-zero-0.jsonl | jq -c --arg part bench --arg seed 0 -f examples/recipes/study/part.jq > study/parts-bench-0.jsonl  # parts-bench-0: not done yet
cat study/judged-base-1.jsonl study/judged-direct-1.jsonl study/judged-implicit-1.jsonl study/judged-scalar-1.jsonl study/judged-judge-only-1.jsonl study/judged-sft-1.jsonl study/judged-sft-long-1.jsonl study/judged-sft-rl-1.jsonl study/judged-rl-zero-1.jsonl | jq -c --arg part bench --arg seed 1 -f examples/recipes/study/part.jq > study/parts-bench-1.jsonl  # parts-bench-1: not done yet
cat study/judged-base-2.jsonl study/judged-direct-2.jsonl study/judged-implicit-2.jsonl study/judged-scalar-2.jsonl study/judged-judge-only-2.jsonl study/judged-sft-2.jsonl study/judged-sft-long-2.jsonl study/judged-sft-rl-2.jsonl study/judged-rl-zero-2.jsonl | jq -c --arg part bench --arg seed 2 -f examples/recipes/study/part.jq > study/parts-bench-2.jsonl  # parts-bench-2: not done yet
cat study/judged-base-0.jsonl study/judged-direct-0.jsonl study/judged-implicit-0.jsonl study/judged-scalar-0.jsonl study/judged-judge-only-0.jsonl study/judged-sft-0.jsonl study/judged-sft-long-0.jsonl study/judged-sft-rl-0.jsonl study/judged-rl-zero-0.jsonl | jq -c --arg part hard --arg seed 0 -f examples/recipes/study/part.jq > study/parts-hard-0.jsonl  # parts-hard-0: not done yet
cat study/judged-base-1.jsonl study/judged-direct-1.jsonl study/judged-implicit-1.jsonl study/judged-scalar-1.jsonl study/judged-judge-only-1.jsonl study/judged-sft-1.jsonl study/judged-sft-long-1.jsonl study/judged-sft-rl-1.jsonl study/judged-rl-zero-1.jsonl | jq -c --arg part hard --arg seed 1 -f examples/recipes/study/part.jq > study/parts-hard-1.jsonl  # parts-hard-1: not done yet
cat study/judged-base-2.jsonl study/judged-direct-2.jsonl study/judged-implicit-2.jsonl study/judged-scalar-2.jsonl study/judged-judge-only-2.jsonl study/judged-sft-2.jsonl study/judged-sft-long-2.jsonl study/judged-sft-rl-2.jsonl study/judged-rl-zero-2.jsonl | jq -c --arg part hard --arg seed 2 -f examples/recipes/study/part.jq > study/parts-hard-2.jsonl  # parts-hard-2: not done yet
cat study/judged-base-0.jsonl study/judged-direct-0.jsonl study/judged-implicit-0.jsonl study/judged-scalar-0.jsonl study/judged-judge-only-0.jsonl study/judged-sft-0.jsonl study/judged-sft-long-0.jsonl study/judged-sft-rl-0.jsonl study/judged-rl-zero-0.jsonl | jq -c --arg part other --arg seed 0 -f examples/recipes/study/part.jq > study/parts-other-0.jsonl  # parts-other-0: not done yet
cat study/judged-base-1.jsonl study/judged-direct-1.jsonl study/judged-implicit-1.jsonl study/judged-scalar-1.jsonl study/judged-judge-only-1.jsonl study/judged-sft-1.jsonl study/judged-sft-long-1.jsonl study/judged-sft-rl-1.jsonl study/judged-rl-zero-1.jsonl | jq -c --arg part other --arg seed 1 -f examples/recipes/study/part.jq > study/parts-other-1.jsonl  # parts-other-1: not done yet
cat study/judged-base-2.jsonl study/judged-direct-2.jsonl study/judged-implicit-2.jsonl study/judged-scalar-2.jsonl study/judged-judge-only-2.jsonl study/judged-sft-2.jsonl study/judged-sft-long-2.jsonl study/judged-sft-rl-2.jsonl study/judged-rl-zero-2.jsonl | jq -c --arg part other --arg seed 2 -f examples/recipes/study/part.jq > study/parts-other-2.jsonl  # parts-other-2: not done yet
(
if [[ -s study/parts-bench-0.jsonl ]]; then libra score --json study/parts-bench-0.jsonl; else echo '{}'; fi
) > study/scores-bench-0.json  # scores-bench-0: not done yet
(
if [[ -s study/parts-bench-1.jsonl ]]; then libra score --json study/parts-bench-1.jsonl; else echo '{}'; fi
) > study/scores-bench-1.json  # scores-bench-1: not done yet
(
if [[ -s study/parts-bench-2.jsonl ]]; then libra score --json study/parts-bench-2.jsonl; else echo '{}'; fi
) > study/scores-bench-2.json  # scores-bench-2: not done yet
(
if [[ -s study/parts-hard-0.jsonl ]]; then libra score --json study/parts-hard-0.jsonl; else echo '{}'; fi
) > study/scores-hard-0.json  # scores-hard-0: not done yet
(
if [[ -s study/parts-hard-1.jsonl ]]; then libra score --json study/parts-hard-1.jsonl; else echo '{}'; fi
) > study/scores-hard-1.json  # scores-hard-1: not done yet
(
if [[ -s study/parts-hard-2.jsonl ]]; then libra score --json study/parts-hard-2.jsonl; else echo '{}'; fi
) > study/scores-hard-2.json  # scores-hard-2: not done yet
(
if [[ -s study/parts-other-0.jsonl ]]; then libra score --json study/parts-other-0.jsonl; else echo '{}'; fi
) > study/scores-other-0.json  # scores-other-0: not done yet
(
if [[ -s study/parts-other-1.jsonl ]]; then libra score --json study/parts-other-1.jsonl; else echo '{}'; fi
) > study/scores-other-1.json  # scores-other-1: not done yet
(
if [[ -s study/parts-other-2.jsonl ]]; then libra score --json study/parts-other-2.jsonl; else echo '{}'; fi
) > study/scores-other-2.json  # scores-other-2: not done yet
cat study/parts-bench-0.jsonl study/parts-bench-1.jsonl study/parts-bench-2.jsonl > study/whole-parts-bench.jsonl  # whole-parts-bench: not done yet
cat study/parts-hard-0.jsonl study/parts-hard-1.jsonl study/parts-hard-2.jsonl > study/whole-parts-hard.jsonl  # whole-parts-hard: not done yet
cat study/parts-other-0.jsonl study/parts-other-1.jsonl study/parts-other-2.jsonl > study/whole-parts-other.jsonl  # whole-parts-other: not done yet
(
if [[ -s study/whole-parts-bench.jsonl ]]; then libra score --json study/whole-parts-bench.jsonl; else echo '{}'; fi
) > study/scores-bench.json  # whole-scores-bench: not done yet
(
if [[ -s study/whole-parts-hard.jsonl ]]; then libra score --json study/whole-parts-hard.jsonl; else echo '{}'; fi
) > study/scores-hard.json  # whole-scores-hard: not done yet
(
if [[ -s study/whole-parts-other.jsonl ]]; then libra score --json study/whole-parts-other.jsonl; else echo '{}'; fi
) > study/scores-other.json  # whole-scores-other: not done yet
python examples/recipes/study/report.py points study 0 1 2 > study/points.jsonl  # points: not done yet
libra score correlate --json --x accuracy --y pass@1 --group group study/points.jsonl > study/correlation.json  # correlation: not done yet
python examples/recipes/study/report.py report study full 0 1 2 > study/findings.txt  # report: not done yet
