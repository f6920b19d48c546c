set -e
mkdir -p preference
libra rollout --model deepseek-ai/DeepSeek-R1-Distill-Qwen-7B --samples 4 --temperature 0.6 -o preference/responses.jsonl given.jsonl  # responses: not done yet
libra judge --model judge --threshold 2.5 -o preference/judged.jsonl preference/responses.jsonl  # judged: not done yet
libra dpo-pairs -o preference/pairs.jsonl preference/judged.jsonl  # pairs: not done yet
libra dpo --config examples/recipes/preference/dpo.yaml --model deepseek-ai/DeepSeek-R1-Distill-Qwen-7B -o preference/better preference/pairs.jsonl  # better: not done yet
libra rollout --model preference/better --samples 32 --temperature 0.6 -o preference/answers.jsonl given.jsonl  # answers: not done yet
libra verify -o preference/labelled.jsonl preference/answers.jsonl  # labelled: not done yet
libra score -o preference/scores.txt preference/labelled.jsonl  # scores: not done yet
