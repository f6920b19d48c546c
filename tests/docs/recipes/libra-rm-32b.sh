set -e
mkdir -p libra-rm-32b
libra collect --preset helpsteer2 --preset skywork-preference -o libra-rm-32b/pairs.jsonl  # pairs: not done yet
libra mix --seed 2 -o libra-rm-32b/rl.jsonl libra-rm-32b-math/balanced.jsonl:16874 libra-rm-32b-math/problems.jsonl:14591 libra-rm-32b/pairs.jsonl:22060  # rl: not done yet
libra judge --model deepseek-ai/DeepSeek-R1 --task rank --orders random --votes 2 -o libra-rm-32b/ranked.jsonl libra-rm-32b/pairs.jsonl  # ranked: not done yet
libra rs-filter --per-prompt 1 --even label --max-tokens 32000 --report libra-rm-32b/rank-yield.json -o libra-rm-32b/rank.jsonl libra-rm-32b/ranked.jsonl  # rank: not done yet
libra collect --no-reference --set task=general -o libra-rm-32b/general-prompts.jsonl given.jsonl  # general-prompts: not done yet
libra rollout --model deepseek-ai/DeepSeek-R1 --template examples/recipes/libra-rm-32b/as-it-stands.txt -o libra-rm-32b/general-answers.jsonl libra-rm-32b/general-prompts.jsonl  # general-answers: not done yet
libra rs-filter --max-tokens 32000 --report libra-rm-32b/general-yield.json -o libra-rm-32b/general-kept.jsonl libra-rm-32b/general-answers.jsonl  # general-kept: not done yet
libra mix -o libra-rm-32b/sft.jsonl libra-rm-32b-math/score.jsonl:38917 libra-rm-32b-math/reason.jsonl:186731 libra-rm-32b/rank.jsonl:25706 libra-rm-32b/general-kept.jsonl:26232  # sft: not done yet
libra sft --config examples/recipes/libra-rm-32b/sft.yaml -o libra-rm-32b/finetuned libra-rm-32b/sft.jsonl  # finetuned: not done yet
libra grpo --config examples/recipes/libra-rm-32b/grpo.yaml --model libra-rm-32b/finetuned -o libra-rm-32b/reinforced libra-rm-32b/rl.jsonl  # reinforced: not done yet
