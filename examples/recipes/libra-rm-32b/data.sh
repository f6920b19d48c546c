#!/usr/bin/env bash
# The training data of Libra-RM-32B in DIR: data.sh DIR makes DIR/rl.jsonl, which libra grpo reads
# (16,874 score + 14,591 reason + 22,060 rank), and DIR/sft.jsonl, which libra sft reads
# (38,917 score + 186,731 reason + 25,706 rank + 26,232 general).
# GENERAL is a file of rows with a `question` of any kind. The other settings are those of libra-rm-32b-math/data.sh.
set -euo pipefail
general=$(realpath "${GENERAL:?names a file of rows with a question}")
read -ra pairs <<< "${PAIRS:---preset helpsteer2 --preset skywork-preference}"
read -ra engine <<< "${ENGINE:-}"
teacher=${TEACHER:-deepseek-ai/DeepSeek-R1}

"$(dirname "$0")/../libra-rm-32b-math/data.sh" "$1"    # score.jsonl and reason.jsonl, balanced.jsonl and problems.jsonl
cd "$1"

# rank: pairs with people's preference, each shown in one order; the judgments that agree with it.
libra collect "${pairs[@]}" -o pairs.jsonl
libra mix "balanced.jsonl:${RL_SCORE:-16874}" "problems.jsonl:${RL_REASON:-14591}" "pairs.jsonl:${RL_RANK:-22060}" --seed 2 \
    -o rl.jsonl --overwrite
libra judge "${engine[@]}" --model "$teacher" --task rank --orders random -k "${RANK_VOTES:-2}" -o ranked.jsonl pairs.jsonl
libra rs-filter ranked.jsonl --per-prompt 1 --even label --max-tokens 32000 --report rank-yield.json > rank.jsonl

# general: the teacher's answers as they are.
libra collect --no-reference --set task=general -o general-prompts.jsonl "$general"
printf '{{question}}' > as-it-stands.txt
libra rollout "${engine[@]}" --model "$teacher" --template as-it-stands.txt -o general-answers.jsonl general-prompts.jsonl
libra rs-filter general-answers.jsonl --max-tokens 32000 --report general-yield.json > general.jsonl

libra mix "score.jsonl:${SCORE:-38917}" "reason.jsonl:${REASON:-186731}" "rank.jsonl:${RANK:-25706}" \
    "general.jsonl:${GENERALS:-26232}" -o sft.jsonl --overwrite
