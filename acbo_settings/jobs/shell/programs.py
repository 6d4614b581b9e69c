"""Which program a command of a script starts in the end, and whether that is a step of the job.

A step is what `srun` and `mpirun` start, and what runs Python: directly, or through a launcher or a container. A
program that is not known, such as a script, counts as one where a job has no other steps.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from .values import Value

Role = Literal["step", "perhaps", "no step"]
"""Whether a command is a step of the job; `perhaps`, where a job has no other."""

_PYTHON = re.compile(r"(python|pypy|ipython)[\d.]*")
_LAUNCHERS = frozenset(
    "torchrun accelerate deepspeed horovodrun mpirun mpiexec orterun prterun prun srun ibrun jsrun aprun apptainer"
    " singularity shifter ch-run enroot composer fabric papermill torchx".split()
)
_CONTAINERS = ("apptainer", "singularity")
_MPI = ("mpirun", "mpiexec", "orterun")
_RUNNERS = ("uv", "poetry", "pixi", "pipenv", "hatch", "conda", "mamba", "micromamba", "rye", "pdm")
_NO_STEPS = frozenset(
    "[ . : alias awk basename bc break bzip2 cat chmod chown clear column comm conda continue cp curl cut date df diff"
    " dirname disown dos2unix du echo egrep enroot-import expr false fg fgrep file free getconf git grep"
    " gunzip gzip head hostname id jobs join jq kill killall let ln local logger ls lscpu lsof mail mailx mamba md5sum"
    " micromamba mkdir mkfifo mktemp ml module mount mv nc nl nproc numfmt nvcc nvidia-smi od paste patch pgrep pigz"
    " pip pip3 pixi pkill popd poetry printenv printf ps pushd pwd quota read readlink realpath redis-server return"
    " rm rmdir rocm-smi rsync sacct sacctmgr sbatch scancel scontrol scp sed seq set sha256sum shift shopt shuf"
    " sinfo sleep sort split squeue squashfuse sstat stat stty sync tail tar tee test top touch tr trap true"
    " truncate tty type ulimit umask umount uname uniq unzip uptime uv virtualenv wait wc wget which who whoami"
    " xz yes zcat zip zstd".split()
)
_STARTERS = frozenset("clush find flock parallel pdsh ray runuser screen script ssh su tmux wandb watch xargs".split())
_NO_STEP_MODULES = frozenset("pip venv ensurepip http.server json.tool compileall site zipfile virtualenv".split())
_WRAPPERS: Mapping[str, str] = {  # with their options that take a value
    "time": "fo",
    "nohup": "",
    "nice": "n",
    "ionice": "cn",
    "exec": "a",
    "command": "",
    "builtin": "",
    "stdbuf": "ioe",
    "numactl": "NmCpi",
    "taskset": "",
    "timeout": "ks",
    "setsid": "",
    "catchsegv": "",
    "chrt": "",
    "sudo": "ugC",
    "env": "uCS",
}
_TAKES_A_WORD = frozenset(("timeout", "taskset", "chrt"))
_SRUN_FLAGS = frozenset(
    "contiguous disable-status exact exclusive help hold immediate interactive kill-on-bad-exit label multi-prog nice"
    " no-kill overcommit overlap oversubscribe preserve-env propagate pty quiet quit-on-interrupt reboot requeue"
    " resv-ports share spread-job test-only unbuffered use-min-nodes verbose version container-mount-home"
    " no-container-mount-home container-remap-root no-container-remap-root container-writable container-readonly"
    " container-entrypoint no-container-entrypoint".split()
)
_SRUN_SHORT_FLAGS = frozenset("EHhIKklOQsuVvXZ")


class EnvChanges:
    """What `env` does to an environment: the numbers of the words that assign, and what it takes out."""

    def __init__(self) -> None:
        self.assigned: list[tuple[int, Value]] = []
        self.removed: list[str] = []
        self.clears = False


class Program(NamedTuple):
    """What a command starts in the end.

    `words` are the program and its arguments, `options` those of `srun`, if that starts it, and `launcher` is `srun` or
    `mpirun`. `outside` is what `env` does to the environment of the launcher, or of a program without one, and `inside`
    what it does behind the launcher.
    """

    words: tuple[Value, ...]
    outside: EnvChanges
    inside: EnvChanges
    options: Mapping[str, tuple[int, str]] | None = None
    launcher: str = ""

    @property
    def name(self) -> str:
        """The program by its name, without the directory that it lies in."""
        return os.path.basename(self.words[0].text) if self.words else ""


def inside_container(name: str) -> str:
    """What a variable is called inside of a container: `APPTAINERENV_NAME` sets NAME there."""
    return re.sub(r"^(APPTAINER|SINGULARITY)ENV_", "", name)


def cleaning_option(program: Program) -> str:
    """The option by which a container gets an environment of its own; empty where it gets that of the script."""
    if program.name not in _CONTAINERS:
        return ""
    texts = [word.text for word in program.words]
    end = next(
        (at for at, text in enumerate(texts) if re.search(r"python|torchrun|\.(py|sif|img|sqsh)$|://", text)), None
    )
    return next((text for text in texts[:end] if text in ("--cleanenv", "-e", "--containall", "-C")), "")


def find_program(words: Sequence[Value]) -> Program:
    """What a command starts in the end, without `env`, `time`, `nohup`, `srun` and the like in front of it.

    What is assigned has the number of its word.
    """
    at, options, launcher = 0, None, ""
    outside, inside = EnvChanges(), EnvChanges()
    while at < len(words):
        name, rest = os.path.basename(words[at].text), words[at:]
        changes = inside if launcher else outside
        if name == "srun" and not launcher:
            options, taken = _srun_options(rest)
            options = {name: (at + index, value) for name, (index, value) in options.items()}
            launcher = name
        elif name in _MPI and not launcher:
            launcher = name
            inside.assigned += [(at + index, word) for index, word in _given_by_options(rest, ("-x",))]
            inside.assigned += [(at + index, word) for index, word in _behind_env(rest)]
            inside.assigned += [(at + index, word) for index, word in _given_in_pairs(rest)]
            break
        elif name in _WRAPPERS:
            taken = _past_options(rest, _WRAPPERS[name]) + (name in _TAKES_A_WORD)
            if name in ("env", "time", "sudo"):
                taken = _read_env(rest, taken, at, changes)
        elif name in _CONTAINERS:
            given = _given_by_options(rest, ("--env",))
            inside.assigned += [(at + index, each) for index, word in given for each in _at_commas(word)]
            break
        elif name in _RUNNERS and "run" in [word.text for word in rest[1:6]]:
            taken = _past_runner(rest)
        else:
            break
        at += taken
    return Program(tuple(words[at:]), outside, inside, options, launcher)


def _read_env(words: Sequence[Value], taken: int, at: int, changes: EnvChanges) -> int:
    """Note what `env` changes, and return the number of words up to its program."""
    changes.clears = changes.clears or any(word.text in ("-", "-i", "--ignore-environment") for word in words[1:taken])
    changes.removed += _removed_by_env(words[1:taken])
    while taken < len(words) and (re.match(r"[^\W\d]\w*=", words[taken].text) or _holds_options(words[taken:])):
        changes.assigned.append((at + taken, words[taken]))
        taken += 1
    return taken


def role_of(program: Program, input_text: str = "") -> Role:
    """Whether a program is a step of the job; `input_text` is what the script itself writes to its input."""
    name = program.name
    words = [word.text for word in program.words]
    if not words:
        return "perhaps" if program.launcher else "no step"
    if program.launcher in _MPI:
        return "step"
    if name == "acbo-settings" or words[1:3] == ["-m", "acbo_settings"]:
        return "step" if "freeze" in words[1:5] else "no step"
    if _PYTHON.fullmatch(name):
        return _role_of_python(words, input_text)
    if name in _LAUNCHERS or (name.endswith(".py") and name != ".py"):
        return "step"
    if name in ("bash", "sh", "zsh", "dash") and len(words) > 1 and words[1].endswith("c"):
        return "step" if program.launcher or re.search(r"python|torchrun|accelerate|srun", words[-1]) else "perhaps"
    if name in _STARTERS:
        return _role_of_starter(name, words[1:])
    if name in _NO_STEPS:
        return "no step"
    return "step" if program.launcher else "perhaps"


def _role_of_starter(name: str, words: Sequence[str]) -> Role:
    """Whether a program that starts others starts Python."""
    if name != "ssh" and any(re.search(r"\b(python|torchrun|accelerate)\b|\.py\b", word) for word in words):
        return "step"
    return "no step" if name in ("find", "flock", "script", "watch") else "perhaps"


def _role_of_python(words: Sequence[str], input_text: str) -> Role:
    """Whether a call of Python trains, or only helps the script."""
    index = 1
    while index < len(words) and re.fullmatch(r"-[bBdEiIOqsSuvx]+|-[WX].*", words[index]):
        index += 1 + (words[index] in ("-W", "-X"))
    first = words[index] if index < len(words) else "-"
    if first == "-c":
        return "step" if "acbo" in " ".join(words[index:]) else "perhaps"
    if first == "-":
        return "step" if "acbo" in input_text else "perhaps"
    if first == "-m":
        return "no step" if words[index + 1 : index + 2] and words[index + 1] in _NO_STEP_MODULES else "step"
    return "no step" if first.startswith(("-V", "--version", "-h", "--help")) else "step"


def _past_options(words: Sequence[Value], with_value: str) -> int:
    """The number of words that a program and its own options are."""
    index = 1
    while index < len(words) and words[index].text.startswith("-") and words[index].text != "--":
        word = words[index].text
        index += 2 if len(word) == 2 and word[1] in with_value else 1
    return index + (index < len(words) and words[index].text == "--")


def _past_runner(words: Sequence[Value]) -> int:
    """The number of words in front of the program that `uv run` or the like starts."""
    index = [word.text for word in words].index("run") + 1
    while index < len(words) and words[index].text.startswith("-") and words[index].text != "--":
        index += 2 if re.fullmatch(r"-[np]|--(name|prefix|with|project|python|extra|group)", words[index].text) else 1
    return index + (index < len(words) and words[index].text == "--")


def _removed_by_env(words: Sequence[Value]) -> list[str]:
    """The variables that the options of `env` take out."""
    texts = [word.text for word in words]
    joined = [text.partition("=")[2] if text.startswith("--unset=") else text[2:] for text in texts if _unsets(text)]
    return joined + [after for text, after in pairwise(texts) if text in ("-u", "--unset")]


def _unsets(text: str) -> bool:
    return text.startswith("--unset=") or (text.startswith("-u") and len(text) > 2)


def _given_by_options(words: Sequence[Value], options: Sequence[str]) -> list[tuple[int, Value]]:
    """What `mpirun -x NAME=value` and `apptainer exec --env NAME=value` set, with the number of the word."""
    pairs = enumerate(pairwise(words), 1)
    return [(at, following) for at, (word, following) in pairs if word.text in options and "=" in following.text]


def _at_commas(word: Value) -> list[Value]:
    """The assignments in the value of `--env`."""
    return [word._replace(text=text) for text in re.split(r",(?=[^\W\d]\w*=)", word.text)] if word.is_known else [word]


def _given_in_pairs(words: Sequence[Value]) -> list[tuple[int, Value]]:
    """What `mpiexec -genv NAME value` sets, with the number of the word that holds the name."""
    texts = [word.text for word in words]
    starts = [at for at, text in enumerate(texts[:-2]) if text in ("-genv", "-env")]
    return [(at + 1, words[at + 2]._replace(text=f"{texts[at + 1]}={texts[at + 2]}")) for at in starts]


def _behind_env(words: Sequence[Value]) -> list[tuple[int, Value]]:
    """What an `env` behind the options of `mpirun` sets, with the number of the word."""
    start = next((at for at, word in enumerate(words) if word.text == "env"), len(words))
    rest = enumerate(words[start + 1 :], start + 1)
    return [(at, word) for at, word in rest if re.match(r"[^\W\d]\w*=", word.text)]


def _srun_options(words: Sequence[Value]) -> tuple[dict[str, tuple[int, str]], int]:
    """The options of srun that say what its step is given, and the number of words up to the program."""
    options: dict[str, tuple[int, str]] = {}
    index = 1
    while index < len(words) and (
        (words[index].text.startswith("-") and words[index].text != "-") or _holds_options(words[index:])
    ):
        word = words[index].text
        index += 1
        if word == "--":
            break
        if not word.startswith("-"):
            options.setdefault("?", (index - 1, word))
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        is_long = word.startswith("--")
        if not is_long:
            name, equals, value = word[1], word[2:3], word[2:].removeprefix("=")
        is_flag = name in (_SRUN_FLAGS if is_long else _SRUN_SHORT_FLAGS)
        if not equals and not is_flag and index < len(words):
            value = words[index].text
            index += 1
        name = "chdir" if name == "D" and not is_long else "export" if is_long and name in ("exp", "expo") else name
        options[name] = (index - 1, value)
    return options, index


def _holds_options(words: Sequence[Value]) -> bool:
    """Whether a word of which only the job knows the text holds options, and not the program: that stands behind it."""
    is_bare = not words[0].is_known and words[0].text.startswith("$")
    return is_bare and len(words) > 1 and not words[1].text.startswith("-")
