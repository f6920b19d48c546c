set -e
mkdir -p libra-rm-32b-math
libra collect --preset math500-level5 --preset aime2024 --preset aime2025 -o libra-rm-32b-math/benchmark.jsonl  # benchmark: not done yet
libra collect --preset openr1-math --preset light-r1 --preset dapo-math --decontaminate libra-rm-32b-math/benchmark.jsonl -o libra-rm-32b-math/problems.jsonl  # problems: not done yet
libra mix --seed 1 -o libra-rm-32b-math/judged-problems.jsonl libra-rm-32b-math/problems.jsonl:20000  # judged-problems: not done yet
libra rollout --model Qwen/QwQ-32B --model Qwen/Qwen3-32B --model deepseek-ai/DeepSeek-R1-Distill-Qwen-7B --model deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B --samples 4 --base-url http://node7:8000/v1 -o libra-rm-32b-math/responses.jsonl libra-rm-32b-math/judged-problems.jsonl  # responses: not done yet
libra verify --annotator deepseek-ai/DeepSeek-R1 --base-url http://node7:8000/v1 -o libra-rm-32b-math/labelled.jsonl libra-rm-32b-math/responses.jsonl  # labelled: not done yet
libra balance --per-problem 1 -o libra-rm-32b-math/balanced.jsonl libra-rm-32b-math/labelled.jsonl  # balanced: not done yet
libra mix --seed 2 -o libra-rm-32b-math/rl.jsonl libra-rm-32b-math/balanced.jsonl:16874 libra-rm-32b-math/problems.jsonl:14591  # rl: not done yet
libra rollout --model deepseek-ai/DeepSeek-R1 --samples 2 --base-url http://node7:8000/v1 -o libra-rm-32b-math/answers.jsonl libra-rm-32b-math/problems.jsonl  # answers: not done yet
libra verify -o libra-rm-32b-math/verified.jsonl libra-rm-32b-math/answers.jsonl  # verified: not done yet
libra rs-filter --per-prompt 2 --max-tokens 32000 --report libra-rm-32b-math/reason-yield.json -o libra-rm-32b-math/reason.jsonl libra-rm-32b-math/verified.jsonl  # reason: not done yet
libra judge --model deepseek-ai/DeepSeek-R1 --task score --votes 4 --base-url http://node7:8000/v1 -o libra-rm-32b-math/judgments.jsonl libra-rm-32b-math/balanced.jsonl  # judgments: not done yet
libra rs-filter --per-prompt 1 --even label --max-tokens 32000 --report libra-rm-32b-math/score-yield.json -o libra-rm-32b-math/score.jsonl libra-rm-32b-math/judgments.jsonl  # score: not done yet
libra mix -o libra-rm-32b-math/sft.jsonl libra-rm-32b-math/score.jsonl:38917 libra-rm-32b-math/reason.jsonl:186731  # sft: not done yet
libra sft --config examples/recipes/libra-rm-32b-math/sft.yaml --offload none --sequence-parallel 4 -o libra-rm-32b-math/finetuned libra-rm-32b-math/sft.jsonl  # finetuned: not done yet
libra grpo --config examples/recipes/libra-rm-32b-math/grpo.yaml --model libra-rm-32b-math/finetuned -o libra-rm-32b-math/reinforced libra-rm-32b-math/rl.jsonl  # reinforced: not done yet
