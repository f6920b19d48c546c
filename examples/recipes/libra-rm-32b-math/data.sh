#!/usr/bin/env bash
# The training data of Libra-RM-32B-MATH in DIR: data.sh DIR makes DIR/rl.jsonl, which libra grpo reads (16,874 score +
# 14,591 reason), and DIR/sft.jsonl, which libra sft reads (38,917 score + 186,731 reason); data.sh DIR rl ends after the
# first, for which no teacher answers or judges anything (examples/recipes/rl-zero). Every step continues where it was stopped. What the models run on follows ENGINE, for example
#   ENGINE="--base-url http://node7:8000/v1" data.sh data          # a server that has them
#   ENGINE="--tensor-parallel-size 8" POLICIES="Qwen/QwQ-32B" TEACHER=Qwen/QwQ-32B data.sh data
set -euo pipefail
mkdir -p "$1" && cd "$1"
read -ra problems <<< "${PROBLEMS:---preset openr1-math --preset light-r1 --preset dapo-math}"
read -ra benchmark <<< "${BENCHMARK:---preset math500-level5 --preset aime2024 --preset aime2025}"
read -ra policies <<< "${POLICIES:-Qwen/QwQ-32B Qwen/Qwen3-32B deepseek-ai/DeepSeek-R1-Distill-Qwen-7B deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B}"
read -ra engine <<< "${ENGINE:-}"
teacher=${TEACHER:-deepseek-ai/DeepSeek-R1}
judged=${JUDGED:-20000}    # problems whose responses are judged; the others only teach to reason

# Problems with a golden answer, none of which is in what the judge will be measured on.
libra collect "${benchmark[@]}" -o benchmark.jsonl
libra collect "${problems[@]}" --decontaminate benchmark.jsonl -o problems.jsonl
libra mix "problems.jsonl:$judged" --seed 1 -o judged-problems.jsonl

# Responses of policies of differing strength, labelled by rule and by the teacher with the reference in view, as many
# correct as incorrect ones of each policy.
libra rollout "${engine[@]}" "${policies[@]/#/--model=}" -n "${RESPONSES:-4}" -o responses.jsonl judged-problems.jsonl
libra verify "${engine[@]}" --annotator "$teacher" -o labelled.jsonl responses.jsonl
libra balance labelled.jsonl --per-problem 1 -o balanced.jsonl

# Reinforcement learning needs no text to learn from, only what is right: the labels of these responses (score), and the
# references of the problems (reason).
libra mix "balanced.jsonl:${RL_SCORE:-16874}" "problems.jsonl:${RL_REASON:-14591}" --seed 2 -o rl.jsonl --overwrite
[ "${2:-}" != rl ] || exit 0

# reason: the teacher's answers that match the reference, at most two of a problem.
libra rollout "${engine[@]}" --model "$teacher" -n "${ANSWERS:-2}" -o answers.jsonl problems.jsonl
libra verify answers.jsonl | libra rs-filter --per-prompt 2 --max-tokens 32000 --report reason-yield.json > reason.jsonl

# score: the teacher's judgments that agree with the label.
libra judge "${engine[@]}" --model "$teacher" --task score -k "${VOTES:-4}" -o judgments.jsonl balanced.jsonl
libra rs-filter judgments.jsonl --per-prompt 1 --even label --max-tokens 32000 --report score-yield.json > score.jsonl

libra mix "score.jsonl:${SCORE:-38917}" "reason.jsonl:${REASON:-186731}" -o sft.jsonl --overwrite
