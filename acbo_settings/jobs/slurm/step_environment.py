"""What a step gets of what its script exports: `env` changes it, and srun passes on what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..shell.programs import EnvChanges, cleaning_option, inside_container
from ..shell.state import ShellVariable
from ..shell.steps import Step
from ..shell.values import Choice, Place, Value, unknown
from .export_list import ExportList, parse_export
from .places import item_place
from .script_findings import ScriptFindings


class Given(NamedTuple):
    """What a step gets: variables; those of the script that do not reach it, by which `--export` and where that is."""

    variables: Mapping[str, ShellVariable]
    lost: Sequence[str] = ()
    text: str = ""
    place: Place | None = None
    loses_path: bool = False


class StepEnvironments:
    """What steps get; `is_ours` tells which variables count."""

    def __init__(self, is_ours: Callable[[str], bool], findings: ScriptFindings) -> None:
        self._is_ours = is_ours
        self._findings = findings

    def given(self, step: Step) -> Given:
        """What a step gets of what the script exports: `srun` passes on what it is told to, and so do containers."""
        script = self._changed(dict(step.environ), step, step.program.outside)
        told = self._export_list(step)
        if told is None:
            return Given(self._in_container(script, step))
        text, place = told
        listed = parse_export(text)
        passed = self._through_srun(script, listed, place, "export" in (step.program.options or ()))
        lost = [name for name, each in script.items() if each.place and not _is_same(passed.get(name), each)]
        loses_path = not listed.passes_all and "PATH" not in listed.named
        return Given(self._in_container(passed, step), lost, text, place, loses_path)

    def _in_container(self, passed: Mapping[str, ShellVariable], step: Step) -> dict[str, ShellVariable]:
        """What a program gets inside of a container, if it runs in one: that of the script, unless it has its own."""
        inside = {inside_container(name): each for name, each in passed.items() if inside_container(name) != name}
        outside = {name: each for name, each in passed.items() if inside_container(name) == name}
        program = step.program
        if option := cleaning_option(program):
            given = {*inside, *(word.text.partition("=")[0] for _, word in program.inside.assigned)}
            if lost := [name for name, each in outside.items() if each.place and name not in given]:
                hint = f"export APPTAINERENV_{lost[0]}, or write --env {lost[0]}=..."
                self._findings.line(f"{program.name} {option}", f"passes on {_neither(lost)}", step.place, hint)
            outside = {}
        is_container = program.name in ("apptainer", "singularity")
        return self._changed({**outside, **(inside if is_container else {})}, step, program.inside)

    def _export_list(self, step: Step) -> tuple[str, Place] | None:
        """What tells srun what to pass on, and where that stands; None where it passes on everything."""
        options = step.program.options
        if options is None:
            return None
        if "export" in options:
            at, text = options["export"]
            is_told = step.words[at].is_known or "," in text or text.upper() == "ALL"
            return (text, step.places[at]) if is_told else None
        if "?" in options:
            return None  # the option may stand in what only the job knows
        held, changes = step.export_list, step.program.outside
        for at, word in changes.assigned:
            if word.text.startswith("SLURM_EXPORT_ENV="):
                held = ShellVariable(Value(word.text.partition("=")[2]), True, step.places[at])
        if (
            changes.clears
            or "SLURM_EXPORT_ENV" in changes.removed
            or held is None
            or held.value is None
            or not held.value.is_known
        ):
            return None
        is_in_file = held.place is not None and held.place.position is not None
        return held.value.text, held.place if is_in_file and held.place else step.place

    def _through_srun(
        self, script: Mapping[str, ShellVariable], listed: ExportList, place: Place, is_option: bool
    ) -> dict[str, ShellVariable]:
        """What srun passes on under a list."""
        if listed.passes_nothing:
            return {}
        assigned = {}
        for name, text in listed.assigned:
            if self._is_ours(name):
                is_later = is_option and ("$" in text or "`" in text)
                assigned[name] = ShellVariable(
                    unknown(text) if is_later else Value(text), True, item_place(place, name)
                )
        if is_option:
            self._findings.tell_cut(listed, place)
        if listed.passes_all:
            for name, variable in assigned.items():
                if is_option and name in script and script[name].value != variable.value:
                    self._findings.tell_kept(name, script[name], variable)
            return {**assigned, **script}
        return {name: script[name] for name in listed.named if name in script} | assigned

    def _changed(
        self, variables: dict[str, ShellVariable], step: Step, changes: EnvChanges
    ) -> dict[str, ShellVariable]:
        """Variables under what `env` does to them."""
        if changes.clears:
            variables = {}
        for name in changes.removed:
            variables.pop(name, None)
        for at, word in changes.assigned:
            name, _, text = word.text.partition("=")
            if self._is_ours(name):
                value = Value(text) if word.is_known else unknown(text, _behind_sign(word, name))
                variables[name] = ShellVariable(value, True, item_place(step.places[at], name))
        return variables

    def tell_lost(self, step: Step, given: Given) -> None:
        """Say which variables do not reach a step, and what else it lacks."""
        lacks_path = given.loses_path and _is_by_name(step)
        is_meant = any(self._is_ours(name) for name, _ in parse_export(given.text).assigned)
        if given.place is None or not (given.lost or (lacks_path and is_meant)):
            return
        names = [*given.lost, *(["PATH"] if given.loses_path else [])]
        message = f"srun passes on {_neither(names)}"
        message += f", so that it does not find {step.program.name}" if lacks_path and step.program.name else ""
        self._findings.line(f"--export={given.text}", message, given.place, "use srun --export=ALL")


def _is_same(passed: ShellVariable | None, variable: ShellVariable) -> bool:
    """Whether a step gets what the script exports."""
    return passed is not None and (passed is variable or passed.value == variable.value)


def _behind_sign(word: Value, name: str) -> Iterator[Choice]:
    """The texts that may stand behind the equals sign of a word."""
    return (Choice(choice.text[len(name) + 1 :], choice.place) for choice in word.choices)


def _is_by_name(step: Step) -> bool:
    """Whether a step names its program without saying where that lies."""
    return not step.program.words or "/" not in step.program.words[0].text


def _neither(names: Sequence[str]) -> str:
    """That none of some names is there: of many, the first few."""
    if len(names) == 1:
        return f"no {names[0]}"
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return f"neither {', '.join(names[:-1])} nor {names[-1]}"
