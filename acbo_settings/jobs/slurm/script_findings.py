"""What is wrong with a batch script itself, in sentences."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from ...engine.loading.environment import hint_for_variable
from ...engine.loading.surroundings import REPLACING
from ...engine.names import is_variable
from ...engine.origins import JobVariable
from ...engine.run_arguments import ON_CHANGE
from ...engine.schema import Schema
from ...engine.toml_document import Document
from ..findings import Findings
from ..shell.assignments import Told
from ..shell.state import ShellVariable
from ..shell.steps import Step
from ..shell.syntax import Script
from ..shell.values import Place, Value
from ..shell.walk import ShellWalk
from .export_list import ExportList
from .places import item_place
from .script_files import ScriptFiles
from .submission import Submission


class ScriptFindings(Findings):
    """What is wrong with a batch script itself; `shell` has the names of the variables of the shell that submits."""

    def __init__(self, schema: Schema, is_ours: Callable[[str], bool], shell: Mapping[str, str]) -> None:
        super().__init__()
        self._schema = schema
        self._is_ours = is_ours
        self._shell = shell
        self._is_broken = False

    def line(self, name: str, message: str, place: Place, hint: str = "", is_advice: bool = False) -> None:
        """Tell of a line that sets no variable."""
        self.tell(place.document, place.position, message, hint, "advice" if is_advice else "error", name)

    def variable(
        self, name: str, message: str, place: Place, hint: str = "", at_key: bool = True, is_advice: bool = False
    ) -> None:
        """Tell of a variable."""
        origin = JobVariable(name, "", place.document, place.position)
        self.tell_of(origin, message, hint, "advice" if is_advice else "error", at_key)

    def tell_cut(self, listed: ExportList, place: Place) -> None:
        """Say where a comma cuts off what belongs to a value."""
        settings = [name for name, _ in listed.assigned if self._is_ours(name)]
        cut = {name: [item for before, item in listed.cut if before == name] for name in settings}
        strays = [name for name in listed.named if name.islower() and name not in self._shell]
        if settings:
            cut[settings[-1]] += strays
        for name, items in cut.items():
            if items:
                message = f"its value ends at the comma, so that {', '.join(items)} is no part of it"
                hint = f"write export {name}=... in the script"
                self.variable(name, message, item_place(place, name), hint, at_key=False)

    def tell_kept(self, name: str, kept: ShellVariable, listed: ShellVariable) -> None:
        """Say that srun keeps what the script exports, against its own option."""
        if kept.place is not None and kept.value is not None and listed.place is not None:
            shown = kept.value.text if kept.value.is_known else "what only the job knows"
            message = f"has no effect: with ALL in it, srun keeps the {shown} that the script exports"
            self.variable(name, message, listed.place, f"write {name}=... in front of srun", at_key=False)

    def tell_freeze(self, step: Step) -> None:
        """Say where `acbo-settings freeze` would not take its option, and where it replaces at every start."""
        if "freeze" not in [word.text for word in step.words]:
            return
        for at, (word, following) in enumerate(pairwise(step.words)):
            name, equals, text = word.text.partition("=")
            value = Value(text, word.is_known) if equals else following
            if name != "--on-change" or not value.is_known:
                continue
            if value.text not in ON_CHANGE:
                self.line(name, f"should be error, keep or replace, not {value.text}", step.places[at])
            elif value.text == "replace":
                message, hint = REPLACING
                self.line(name, message, step.places[at], hint, is_advice=True)

    def tell_directory(self, files: ScriptFiles, environ: Mapping[str, str]) -> None:
        """Advise where a step finds another configuration file than lies where the script is submitted."""
        application = self._schema.application
        if files.place is None or any(name.upper() == application.file_variable for name in environ):
            return
        if files.directory is None or not files.directory:
            return
        there, here = os.path.join(files.directory, application.file_name), application.file_name
        if os.path.isfile(there) and os.path.isfile(here) and not os.path.samefile(there, here):
            message = f"the step reads {os.path.relpath(there)}, not the one where the script is submitted"
            self.line(here, message, files.place, is_advice=True)

    def tell_directives(self, document: Document, submission: Submission, walk: ShellWalk) -> None:
        """Say which directives SLURM ignores, or takes for something else."""
        for option in submission.ignored:
            is_told = self._schema.application.prefix in option.value.upper()
            is_told = is_told or (option.name == "chdir" and os.path.isdir(option.value))
            if is_told and option.position and option.position.line in walk.comments:
                message = "SLURM ignores a directive below the first command"
                place = Place(document, option.position)
                self.line(f"#SBATCH --{option.name}", message, place, "move it up")
        for option in submission.refused:
            place = Place(document, option.position)
            word = option.value.partition("=")[0]
            if option.name and self._is_ours(re.sub(r".*[=,](\w+)=.*", r"\1", option.value)):
                self.line(word, f"sbatch takes it for its option {option.name}", place, f"write -{word}")
            elif self._is_ours(word):
                self.line(word, "sbatch refuses a directive with it", place, "no blank may stand in --export")

    def tell_syntax(self, script: Script) -> None:
        """Say where bash stops reading the script; what it cannot read, no other shell can."""
        if mistake := script.find_mistake():
            self._is_broken = True
            place, message, hint = mistake
            self.line("bash", f"cannot read the script: {message}", place, hint)

    def tell_walk(self, walk: ShellWalk, has_steps: bool) -> None:
        """Say what the walk found wrong with variables."""
        for told in walk.told:
            self._tell_syntax(told)
        for name, place in walk.unexported.items():
            if name in walk.handed_on or (name in walk.used and not is_variable(self._schema, name)):
                continue
            meant = "" if is_variable(self._schema, name) else hint_for_variable(self._schema, name)
            if not meant and not is_variable(self._schema, name):
                continue  # a variable of the script's own
            hint = meant or f"write export {name}=..."
            how = "loses its export here" if name in walk.taken_back else "is assigned, but not exported"
            self.variable(name, f"{how}, so that no step gets it", place, hint)
        for name, place in walk.unseen.items() if has_steps and not walk.runs_later else ():
            self.variable(name, "is exported behind the last step, which does not see it", place, "move it up")
        for place, text in () if self._is_broken else walk.unread:
            names = re.findall(r"([^\W\d]\w*)=", text)
            for name in (name for name in names if self._is_ours(name)):
                message = "could not be read here, so that it is not checked; bash may well read the line"
                self.variable(name, message, place, at_key=True, is_advice=True)

    def _tell_syntax(self, told: Told) -> None:
        """Say what the walk found wrong with one statement."""
        name, text = told.name, told.text
        sentences = {
            "spaces": ("is not set: blanks stand around the equals sign", f"write export {name}=value"),
            "dollar": ("is not set: a dollar stands in front of its name", f"write export {name}=value"),
            "json": (f"the shell takes the JSON apart, so that it is {text}", f"use single quotes: {name}='{{...}}'"),
            "subshell": ("is exported where no step sees it: a subshell ends with its line", "export it by itself"),
            "sign": ("is not set: the shell sets a variable by NAME=value", f"write export {name}=value"),
            "name": ("is no name that the shell takes: only letters, digits and underscores are", "write __ for a dot"),
            "other": (f"is set for {text} alone, which is no step of the job", f"write export {name}=..."),
            "program": ("srun takes it for the name of a program", f"write it in front of srun, or env {name}=..."),
        }
        message, hint = sentences[told.what]
        self.variable(name, message, told.place, hint, at_key=told.what != "json")
