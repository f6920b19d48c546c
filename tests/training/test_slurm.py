"""Ranks as real tasks of a real Slurm, of two nodes that may be one machine, and the script that puts them there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grpo_runs
import psutil
import pytest
import sft_runs
from local_slurm import PATIENCE, QUEUE, wait_for
from policy_models import WEAK
from servers.real import ARGUMENTS, ENVIRONMENT, SAMPLING
from servers.scripted import unused_port

LAUNCHED = str(Path(__file__).parents[1] / "helpers" / "launched.py")
SCRIPTS = Path(__file__).resolve().parents[2] / "examples" / "slurm"
SCRIPT = str(SCRIPTS / "train.sbatch")


on_two_nodes = pytest.mark.usefixtures("two_nodes")


@on_two_nodes
@pytest.mark.parametrize(("tasks_per_node", "nproc"), [(1, 2), (2, 1)])
def test_ranks_of_two_nodes_find_each_other(shell, tasks_per_node, nproc):
    step = ["srun", "--nodes=2", f"--ntasks-per-node={tasks_per_node}"]
    ended = shell([*step, sys.executable, LAUNCHED, "reduce", str(nproc), "20"])
    assert ended.status == 0, ended.err.decode()
    assert ended.out.decode() == "4 ranks: 6\n"


LISTEN = (
    'import socket, sys, time; held = socket.create_server(("", int(sys.argv[1]))); print(flush=True); time.sleep(600)'
)
BUSY = f"""#!/bin/sh
port=$((15000 + SLURM_JOB_ID * 7 % 15000))
{sys.executable} -c '{LISTEN}' $port > busy &
while ! [ -s busy ]; do sleep 0.1; done
step="srun --oversubscribe --nodes=2 --ntasks-per-node=1 {sys.executable} {LAUNCHED} reduce 1 20"
$step > free.out 2> free.err
echo $? > free.status
MASTER_PORT=$port BUSY_SECONDS=2 $step > own.out 2> own.err
echo $? > own.status
kill $!
"""


@on_two_nodes
def test_ranks_of_a_step_meet_at_another_port_where_theirs_is_busy(slurm_shell, tmp_path):
    (tmp_path / "busy.sh").write_text(BUSY)
    slurm_shell.run(*QUEUE, "--wait", "--nodes=2", "--ntasks=2", "busy.sh")
    assert (tmp_path / "free.status").read_text() == "0\n", (tmp_path / "free.err").read_text()
    assert (tmp_path / "free.out").read_text() == "2 ranks: 1\n"
    assert (tmp_path / "own.status").read_text() == "6\n"
    assert (tmp_path / "own.err").read_text().count("is in use by another program; set MASTER_PORT to another") == 2


@on_two_nodes
def test_a_step_that_is_told_to_stop_saves_on_every_rank(environment, tmp_path):
    command = ["srun", "--nodes=2", "--ntasks-per-node=1", "--job-name", tmp_path.name,
               sys.executable, LAUNCHED, "stop", "2", "20", "1"]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    wait_for(lambda: len(list(tmp_path.glob("ready.*"))) == 4, "four ranks")
    subprocess.run(["scancel", "--signal=USR1", "--name", tmp_path.name], check=True)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 75
    assert b"rank" not in err
    assert sorted(path.name for path in tmp_path.glob("saved.*")) == [f"saved.{rank}" for rank in range(4)]


@on_two_nodes
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["STOP", "KILL"])
def test_a_rank_that_is_lost_on_another_node_ends_the_step_and_is_named(environment, tmp_path, kind):
    words = ["srun", "--nodes=2", "--ntasks-per-node=1", "--wait=20", sys.executable, LAUNCHED]
    words += ["watched", "1", "20", "6", "600"]
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len([path for path in tmp_path.glob("ready.*") if path.stat().st_size]) == 2, "two ranks")
    subprocess.run(["kill", f"-{kind}", (tmp_path / "ready.1").read_text()], check=True)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 137, err
    said = [line for line in err.splitlines() if "is gone" in line]
    assert len(said) == 1, err
    assert re.search(r"libra sft: rank 1 on \S+ is gone \(killed, frozen, or cut off\)", said[0])
    assert "Traceback" not in err


# -- examples/slurm/train.sbatch ------------------------------------------------------------------------------------

JOB = {"SLURM_JOB_ID": "8", "SLURM_CPUS_ON_NODE": "16"}
TASK = {**JOB, "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}
OWN_TASK = {**TASK, "RECORD": "JobId=8 ArrayJobId=7 ArrayTaskId=1 JobName=a NumTasks=1"}
OF_ANOTHER = {**TASK, "RECORD": "JobId=8 JobName=a NumTasks=1"}
"""The variables of a task of an array in which sbatch was called, and what Slurm knows of the job itself."""


@pytest.mark.parametrize(
    ("variables", "ended", "saves", "trained", "requeued"),
    [
        (JOB, 0, True, "-o judge", None),
        (JOB, 75, False, "-o judge", "requeue 8\n"),
        (TASK, 75, False, "--seed 1 -o judge.1", "requeue 7_1\n"),
        (OWN_TASK, 75, False, "--seed 1 -o judge.1", "requeue 7_1\n"),
        (OF_ANOTHER, 75, False, "-o judge", "requeue 8\n"),
        (JOB, 143, True, "-o judge", None),
        (JOB, 6, False, "-o judge", None),
        (JOB, 6, True, "-o judge", "requeue 8\n"),
        (TASK, 137, True, "--seed 1 -o judge.1", "requeue 7_1\n"),
        (JOB, 1, True, "-o judge", None),
    ],
)
def test_the_script_queues_a_job_again(shell, environment, tmp_path, variables, ended, saves, trained, requeued):
    """Slurm's commands are stand-ins here: what is tested is what the script makes of them."""
    stand_in = '#!/bin/sh\n[ "$1" = show ] && { echo "$RECORD"; exit; }\n'
    stand_in += 'printf "%s" "$*" > "$(basename "$0")"\n[ "$(basename "$0")" = scontrol ] && exit\n'
    saved = f"{trained.split()[-1]}/checkpoints"
    os.makedirs(tmp_path / saved / "step-1")
    os.utime(tmp_path / saved / "step-1", (0, 0))  # of an earlier attempt
    stand_in += f"mkdir {saved}/step-2\n" if saves else ""
    stand_in += f"exit {ended}\n"
    (tmp_path / "bin").mkdir()
    for name in ("srun", "scontrol"):
        (tmp_path / "bin" / name).write_text(stand_in)
        (tmp_path / "bin" / name).chmod(0o755)
    path = f"{tmp_path / 'bin'}:{environment['PATH']}"
    done = shell([SCRIPT, "sft", "judge", "--config", "a.yaml", "my data.jsonl"], env={**variables, "PATH": path})
    assert done.status == ended, done.err.decode()
    command = f"libra sft --config a.yaml my data.jsonl {trained} --resume auto --grace 240"
    assert (tmp_path / "srun").read_text() == f"--cpus-per-task=16 --wait=300 {command}"
    log = tmp_path / "scontrol"
    assert (log.read_text() + "\n" if log.exists() else None) == requeued


ASKED = {"SLURM_MEM_PER_NODE": "500", "SLURM_CPUS_PER_TASK": "4", "SLURM_NTASKS": "2", "SLURM_GPUS_PER_NODE": "8"}
ITS_RECORD = "JobId=8 JobName=a NumTasks=2 CPUs/Task=4 MinCPUsNode=4 MinMemoryNode=500M TresPerNode=gres/gpu:8 "
INHERITED = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3", "SLURM_CPU_BIND": "quiet,map_cpu:0",
             "SLURM_CPU_BIND_LIST": "0", "SLURM_MEM_PER_CPU": "300", "SLURM_GPUS": "1",
             "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MAX": "3"}  # fmt: skip


@pytest.mark.parametrize("script", ["train", "grpo-servers", "pipe", "of a pipeline"])
@pytest.mark.parametrize("inside", [False, True], ids=["from outside", "from inside a job"])
def test_a_script_has_the_variables_of_its_own_job_only(shell, environment, tmp_path, script, inside):
    dump = "env | grep ^SLURM_ | sort > seen\n"
    show = 'case "$2" in job) echo "$RECORD";; hostnames) echo node1;; node) echo NodeAddr=127.0.0.1;; esac\n'
    serve = 'case "$*" in *" vllm serve "*) exec sleep 60;; esac\n'
    programs = {"srun": serve + dump, "scontrol": show, "curl": "", "libra": dump}
    words = [str(SCRIPTS / f"{script}.sbatch"), "sft", "judge"]
    if script == "of a pipeline":
        (tmp_path / "tasks.jsonl").write_text('{"id": "a", "question": "1+1?", "reference": "2"}\n')
        (tmp_path / "pipe.yaml").write_text(PIPE)
        assert shell(["libra", "run", "--slurm", "pipe.yaml"]).status == 0
        words = ["bash", "made/slurm/judge.sbatch"]
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + text)
        (tmp_path / "bin" / name).chmod(0o755)
    own = {"SLURM_JOB_ID": "8", "SLURM_NNODES": "2", "SLURM_NODELIST": "node[0-1]", "SLURM_CPUS_ON_NODE": "16", **ASKED}
    other = INHERITED if inside else {}
    path = f"{tmp_path / 'bin'}:{environment['PATH']}"
    done = shell(words, env={**own, **other, "RECORD": ITS_RECORD, "PATH": path})
    assert done.status == 0, done.err.decode()
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    if script == "pipe":  # which starts no steps of Slurm
        seen = {name: value for name, value in seen.items() if name not in ("SLURM_MEM_PER_CPU", "SLURM_GPUS")}
    if script == "of a pipeline" and inside:  # libra run --job is what runs here, and it is no array
        seen = {name: value for name, value in seen.items() if "ARRAY" not in name}
    handed_on = {} if script == "pipe" else {"SLURM_EXPORT_ENV": "ALL"}  # to the tasks of srun
    assert seen == own | handed_on


@pytest.mark.parametrize(("asked", "cores"), [({}, "16"), ({"SLURM_NTASKS_PER_NODE": "8"}, "2")])
def test_the_one_core_of_a_job_that_submits_is_not_taken_for_that_of_the_training(
    shell, environment, tmp_path, asked, cores
):
    (tmp_path / "bin").mkdir()
    for name, text in (("scontrol", "echo JobId=8 JobName=a CPUs/Task=1 MinCPUsNode=1"), ("srun", 'echo "$1"')):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    path = f"{tmp_path / 'bin'}:{environment['PATH']}"
    done = shell([SCRIPT, "sft", "judge"], env={**JOB, **asked, "SLURM_CPUS_PER_TASK": "1", "PATH": path})
    assert done.out.decode() == f"--cpus-per-task={cores}\n", done.err.decode()


@pytest.mark.parametrize("script", ["train", "rollout", "judge", "pipe", "of a pipeline"])
def test_a_job_without_libra_says_how_it_gets_it(shell, environment, tmp_path, script):
    words = [str(SCRIPTS / f"{script}.sbatch"), "sft", "judge"]
    if script == "of a pipeline":
        (tmp_path / "tasks.jsonl").write_text('{"id": "a", "question": "1+1?", "reference": "2"}\n')
        (tmp_path / "pipe.yaml").write_text(PIPE)
        assert shell(["libra", "run", "--slurm", "pipe.yaml"]).status == 0
        words = ["bash", "made/slurm/judge.sbatch"]
    done = shell(words, env={**TASK, "PATH": "/usr/bin:/bin", "RECORD": ITS_RECORD})
    assert done.status == 127
    last = done.err.decode().splitlines()[-1]
    assert last.startswith("libra is not on PATH in this job; ")
    assert ("activate:" if script == "of a pipeline" else "ACTIVATE") in last


STAND_INS = {
    "srun": """case "$*" in *" vllm serve "*) exec sleep 60;; esac\n{trains}""",
    "libra": "{trains}",
    "scontrol": """case "$1 $2" in "show hostnames") echo node1;; "show node") echo NodeAddr=127.0.0.1;; """
    """"show job") ;; *) echo "$@" >> requeued;; esac""",
    "curl": "exit 0",
}
"""What programs do in a job without Slurm."""
PIPE = """
output: made
steps:
  judge: {stage: grpo, inputs: tasks.jsonl, model: libra-mini/weak, slurm: {nodes: 2}}
"""


@pytest.mark.parametrize("script", ["grpo-servers", "of a pipeline"])
@pytest.mark.parametrize(
    ("ended", "saves", "again"),
    [(75, False, True), (6, False, False), (6, True, True), (137, True, True), (1, True, False)],
)
def test_other_scripts_that_train_queue_a_job_again_likewise(shell, environment, tmp_path, script, ended, saves, again):
    (tmp_path / "tasks.jsonl").write_text('{"id": "a", "question": "1+1?", "reference": "2"}\n')
    (tmp_path / "pipe.yaml").write_text(PIPE)
    words = [str(SCRIPTS / "grpo-servers.sbatch"), "model", "made/judge", "tasks.jsonl"]
    if script == "of a pipeline":
        assert shell(["libra", "run", "--slurm", "pipe.yaml"]).status == 0
        words = ["bash", "made/slurm/judge.sbatch"]
    os.makedirs(tmp_path / "made/judge/checkpoints/step-1")
    os.utime(tmp_path / "made/judge/checkpoints/step-1", (0, 0))  # of an earlier attempt
    trains = ("mkdir made/judge/checkpoints/step-2\n" if saves else "") + f"exit {ended}"
    (tmp_path / "bin").mkdir()
    for name, text in STAND_INS.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + text.replace("{trains}", trains))
        (tmp_path / "bin" / name).chmod(0o755)
    job = {"SLURM_JOB_ID": "8", "SLURM_CPUS_ON_NODE": "16", "SLURM_NNODES": "2", "SLURM_NODELIST": "node[0-1]"}
    done = shell(words, env={**job, "PATH": f"{tmp_path / 'bin'}:{environment['PATH']}"})
    assert done.status == ended, done.err.decode()
    requeued = tmp_path / "requeued"
    assert (requeued.read_text() if requeued.exists() else "") == ("requeue 8\n" if again else "")


@pytest.mark.parametrize("script", ["train", "grpo-servers", "of a pipeline"])
def test_a_job_that_is_told_to_stop_while_it_loads_ends_after_three_times_in_a_row(
    shell, environment, tmp_path, script
):
    """It saves something the third time, which begins the count anew."""
    (tmp_path / "tasks.jsonl").write_text('{"id": "a", "question": "1+1?", "reference": "2"}\n')
    (tmp_path / "pipe.yaml").write_text(PIPE)
    words = [str(SCRIPTS / "grpo-servers.sbatch"), "model", "made/judge", "tasks.jsonl"]
    if script == "train":
        words = [SCRIPT, "sft", "made/judge", "tasks.jsonl"]
    elif script == "of a pipeline":
        assert shell(["libra", "run", "--slurm", "pipe.yaml"]).status == 0
        words = ["bash", "made/slurm/judge.sbatch"]
    (tmp_path / "bin").mkdir()
    attempt = 'echo >> attempts; [ "$(wc -l < attempts)" = 3 ] && mkdir -p made/judge/checkpoints/step-1; exit 75'
    for name, text in STAND_INS.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + text.replace("{trains}", attempt))
        (tmp_path / "bin" / name).chmod(0o755)
    job = {
        **JOB,
        "SLURM_NNODES": "2",
        "SLURM_NODELIST": "node[0-1]",
        "PATH": f"{tmp_path / 'bin'}:{environment['PATH']}",
    }
    requeued, said = [], []
    for _ in range(6):
        ended = shell(words, env=job)
        assert ended.status == 75
        requeued.append((tmp_path / "requeued").read_text().count("requeue 8"))
        for saved in tmp_path.glob("made/judge/checkpoints/*"):  # before the next attempt begins, which may be at once
            os.utime(saved, (0, 0))
        said.append(b"made/judge: told to stop three times in a row before a step" in ended.err)
    assert requeued == [1, 2, 3, 4, 5, 5]
    assert said == [False] * 5 + [True]
    assert not list(tmp_path.rglob("*.stalled"))


STEPS = 60
TRAINING = ["--config", "sft.yaml", "sums.jsonl"]
CONFIG = f"""
model: libra-mini/weak
batch-size: 16
max-length: 256
lr: 1.0e-3
epochs: 50
max-steps: {STEPS}
save-every: 10
"""


def losses(log: Path) -> list[tuple[int, float]]:
    """(step, loss) of every step that a log tells of, in its order."""
    lines = log.read_text().splitlines() if log.exists() else []
    rows = [json.loads(line) for line in lines if line.startswith('{"event":"step"')]
    return [(row["step"], row["loss"]) for row in rows]


def sums(count: int) -> str:
    """Conversations, each about another sum."""
    turns = (
        (f"What is {n} + {3 * n}?", f"<think>\n{n} and {3 * n} make {4 * n}.\n</think>\n\n\\boxed{{{4 * n}}}")
        for n in range(count)
    )
    return "".join(
        json.dumps({"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}) + "\n"
        for asked, said in turns
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_array_that_is_requeued_ends_with_the_same_weights(slurm_shell, tmp_path):
    """Each task trains on both nodes; the second is requeued in the middle. Its twin runs here, without Slurm."""
    (tmp_path / "sums.jsonl").write_text(sums(64))
    (tmp_path / "sft.yaml").write_text(CONFIG)
    run = slurm_shell.run
    words = [*QUEUE, "--array=0-1", "--nodes=2", "--mem=1000", "--gpus-per-node=0", "--output=log.%a"]
    job = run(*words, SCRIPT, "sft", "judge", *TRAINING).strip()
    wait_for(lambda: len(losses(tmp_path / "log.1")) >= STEPS // 3, "a third of the steps")
    run("scontrol", "requeue", f"{job}_1")
    slurm_shell.starts_again(f"{job}_1")
    twin = run("libra", "sft", *TRAINING, "--nproc", "2", "--seed", "1", "-o", "twin")
    (tmp_path / "log.twin").write_text(twin)
    slurm_shell.ended(job)

    continued = re.findall(r"continues after step (\d+)", (tmp_path / "log.1").read_text())
    assert len(continued) == 1
    assert 10 <= int(continued[0]) < STEPS
    assert dict(losses(tmp_path / "log.1")) == dict(losses(tmp_path / "log.twin"))
    weights = [(tmp_path / folder / "model.safetensors").read_bytes() for folder in ("judge.0", "judge.1", "twin")]
    assert weights[1] == weights[2]
    assert weights[0] != weights[2]  # another seed


GRPO_STEPS = 12
GRPO = [*grpo_runs.COMMON, "--max-steps", str(GRPO_STEPS), "--save-every", "1", "tasks.jsonl"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        (["--zero", "3"], False),
        (["--zero", "3"], True),
        (["--sampler-ranks", "1"], False),
        (["--sampler-ranks", "1"], True),
    ],
    ids=["requeued", "its node lost", "a node samples, requeued", "the node that samples lost"],
)
def test_reinforcement_learning_that_is_requeued_ends_with_the_same_weights(slurm_shell, tmp_path, kind, lost):
    """A rank on each of two nodes, requeued in the middle of a rollout; its twin runs here, without Slurm."""
    if "--sampler-ranks" in kind:
        pytest.importorskip("vllm")
    grpo_runs.write_tasks(tmp_path / "tasks.jsonl")
    run, words = slurm_shell.run, [*GRPO, *kind]
    queue = [*QUEUE, "--nodes=2", "--mem=2000", "--gpus-per-node=0", "--output=log"]
    job = run(*queue, SCRIPT, "grpo", "judge", *words).strip()
    wait_for(lambda: len(losses(tmp_path / "log")) >= 3, "the middle of a rollout")
    node = slurm_shell.lose_node(job) if lost else ""
    if not lost:
        run("scontrol", "requeue", job)
    slurm_shell.starts_again(job, node)
    twin = run("libra", "grpo", *words, "--nproc", "2", "-o", "twin")
    (tmp_path / "log.twin").write_text(twin)
    slurm_shell.ended(job)

    continued = re.findall(r"continues after step (\d+)", (tmp_path / "log").read_text())
    assert len(continued) == 1
    assert 1 <= int(continued[0]) < GRPO_STEPS
    assert dict(losses(tmp_path / "log")) == pytest.approx(dict(losses(tmp_path / "log.twin")), rel=1e-5, abs=1e-6)
    assert sft_runs.difference(tmp_path / "judge", tmp_path / "twin") < 1e-5


# -- examples/slurm/grpo-servers.sbatch -----------------------------------------------------------------------------

VLLM = """#!/bin/sh
shift
exec python -m vllm.entrypoints.openai.api_server --model "$@"
"""
"""`vllm serve MODEL`, whose own script asks for a package of the name vllm; that for CPUs has another."""


@on_two_nodes
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("more", "status"), [("", 0), ("--no-such-option", 6)], ids=["served", "not served"])
def test_the_last_node_of_a_job_samples_for_the_others(environment, tmp_path, more, status):
    pytest.importorskip("vllm")
    grpo_runs.write_tasks(tmp_path / "tasks.jsonl")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "vllm").write_text(VLLM)
    (tmp_path / "bin" / "vllm").chmod(0o755)
    on_cpu = [word.replace(" ", "") for word in (*ARGUMENTS, *SAMPLING)]  # SERVE is split at its spaces
    serve = " ".join([*on_cpu, "--dtype float32 --max-model-len 512", more])
    own = {"PATH": f"{tmp_path / 'bin'}:{environment['PATH']}", "PORT": str(unused_port()), "SERVE": serve}
    queue = ["sbatch", "--wait", "--nodes=2", "--oversubscribe", "--mem=2000", "--gpus-per-node=0", "--time=15"]
    script = [str(SCRIPTS / "grpo-servers.sbatch"), str(WEAK), "judge", *grpo_runs.COMMON[2:], "--max-steps", "2"]
    words = [*queue, "--output=log", *script, "tasks.jsonl"]
    done = subprocess.run(words, cwd=tmp_path, env={**environment, **ENVIRONMENT, **own}, check=False)
    log = (tmp_path / "log").read_text()
    assert done.returncode == status, log
    assert [step for step, _ in losses(tmp_path / "log")] == ([] if status else [1, 2])
    assert (tmp_path / "judge" / "model.safetensors").exists() == (not status)
    wait_for(lambda: not serving(own["PORT"]), "the server has ended")


def serving(port: str) -> bool:
    """Whether a server with this port is at work on this machine."""
    return any(port in (each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))


# -- examples/slurm/pipe.sbatch -------------------------------------------------------------------------------------

CASE = Path(__file__).parents[1] / "cases" / "run" / "a-pipeline"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("variables", "queued"), [(JOB, "8"), (TASK, "7_1")], ids=["job", "task of an array"])
@pytest.mark.parametrize("words", ["pipe.sbatch pipe.yaml", "grpo-servers.sbatch model made/judge tasks.jsonl"])
def test_of_an_array_only_the_task_itself_is_queued_again(shell, environment, tmp_path, words, variables, queued):
    (tmp_path / "bin").mkdir()
    for name, text in STAND_INS.items():
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n" + text.replace("{trains}", "exit 75"))
        (tmp_path / "bin" / name).chmod(0o755)
    script, *rest = words.split()
    nodes = {"SLURM_NNODES": "2", "SLURM_NODELIST": "node[0-1]", "PATH": f"{tmp_path / 'bin'}:{environment['PATH']}"}
    done = shell([str(SCRIPTS / script), *rest], env={**variables, **nodes})
    assert done.status == 75, done.err.decode()
    assert (tmp_path / "requeued").read_text() == f"requeue {queued}\n"


def test_a_pipeline_that_is_told_to_stop_is_queued_again_and_ends(slurm_shell, tmp_path):
    """The job reads a pipe that nobody has filled yet; USR1, as before its time limit, stops it there."""
    for name in ("pipe.yaml", "problems.jsonl", "recorded.jsonl"):
        shutil.copy(CASE / name, tmp_path)
    problems = tmp_path / "problems.jsonl"
    rows = problems.read_bytes()
    problems.unlink()
    os.mkfifo(problems)

    run = slurm_shell.run
    queue = [*QUEUE, "--mem=1000", "--cpus-per-task=1", "--gpus=0", "--output=log"]
    job = run(*queue, str(SCRIPTS / "pipe.sbatch"), "pipe.yaml", "--until", "labelled").strip()
    with open(problems, "wb", buffering=0) as writer:  # as soon as the first step reads
        writer.write(rows.splitlines(keepends=True)[0])
        wait_for((tmp_path / "made/responses-one.jsonl.part").exists, "the step reads")
        run("scancel", "--signal=USR1", "--batch", job)
        slurm_shell.is_queued_again(job)
    problems.unlink()
    problems.write_bytes(rows)
    slurm_shell.starts_again(job)
    slurm_shell.ended(job)
    assert "stopped; the same command continues" in (tmp_path / "log").read_text()
    assert len((tmp_path / "made/labelled.jsonl").read_bytes().splitlines()) == 4
