"""The files that a step of a batch script finds, in the directory in which it starts."""

from __future__ import annotations

import os
from fnmatch import fnmatch

from ...engine.inputs import RawFile, read_if_there, read_raw_file, unknown_file
from ...engine.origins import JobLine
from ...engine.toml_document import Excerpt
from ..shell.state import ShellVariable
from ..shell.steps import Step
from ..shell.values import Value, unknown
from ..shell.walk import ShellWalk


class ScriptFiles:
    """The files that a step finds in its working directory, some of which the script may make first."""

    def __init__(self, directory: ShellVariable, walk: ShellWalk, is_in_container: bool = False) -> None:
        held = directory.value or unknown("$PWD")
        self.directory = os.path.abspath(held.text) if held.is_known else None
        self.place = directory.place
        self.chosen_at = JobLine(directory.place.document, exact=directory.place.position) if directory.place else None
        self._name = held.text
        self._written = walk.written
        self._texts = walk.texts
        self._named = walk.named
        self._unpacks = walk.unpacks
        self._is_in_container = is_in_container

    def read(self, name: str, named_by: str = "", inside: str = "") -> RawFile:
        """Read a file as the step would, unless only the job will know it."""
        path = os.path.join(self._name, name)
        if made := self._made(name, named_by):
            return made
        if self._is_unknown(name):
            return unknown_file(path, named_by)
        file = read_raw_file(path, named_by, inside)
        file.path = file.name[len(path) - len(name) :]
        return file

    def read_if_there(self, name: str) -> RawFile | None:
        """The same for a file that need not be there."""
        path = os.path.join(self._name, name)
        if made := self._made(name):
            return made
        if self._is_unknown(name) or (self._name and not os.path.isdir(self._name)):
            return unknown_file(path)
        file = read_if_there(path)
        if file is not None:
            file.path = name
        return file

    def _made(self, name: str, named_by: str = "") -> RawFile | None:
        """A file that the script makes of a text of its own."""
        text, place = self._texts.get(os.path.normpath(os.path.join(self._name, name)), ("", None))
        if place is None or place.position is None:
            return None
        file = RawFile(place.document.name, named_by, text.encode(), place=(-1, place.position.line))
        file.path = name
        file.excerpt = Excerpt(place.document, place.position.line, 1, True)
        return file

    def _is_unknown(self, name: str) -> bool:
        """Whether the script makes the file, or it lies where this machine has nothing."""
        base = os.path.basename(name)
        if any(fnmatch(base, written) for written in self._written if base[:1] == written[:1] or "*" in written):
            return True
        if not os.path.lexists(os.path.join(self._name, name)):
            may_come = base in self._named or (self._unpacks and self.place is not None)
            if may_come or (self._is_in_container and os.path.isabs(name)):
                return True
        if not os.path.isabs(name):
            return self.directory is None
        return not os.path.isdir(os.sep + name.split(os.sep)[1])

    def local_path(self, name: str) -> str | None:
        """Where the directory of a run, or of a sweep, is here; None where this machine cannot have it."""
        if os.path.isabs(name):
            is_elsewhere = self._is_in_container or not os.path.isdir(os.sep + name.split(os.sep)[1])
            return None if is_elsewhere else name
        return None if self.directory is None else os.path.join(self._name, name)

    def __str__(self) -> str:
        return self.directory or "a directory that only the job knows"


def directory_of(step: Step) -> ShellVariable:
    """The directory in which a step starts: srun and containers may choose another one than the script's."""
    options = step.program.options or {}
    texts = [word.text for word in step.program.words]
    if is_in_container(step) and any(text.split("=")[0] in ("--pwd", "-W", "--workdir") for text in texts):
        return ShellVariable(unknown("$PWD"), True, step.place)
    for name in ("container-workdir", "chdir", "container-image"):
        if name not in options:
            continue
        at, text = options[name]
        place = step.places[min(at, len(step.places) - 1)]
        held = step.directory.value
        if name == "chdir" and held is not None and held.is_known and step.words[at].is_known:
            path = os.path.normpath(os.path.join(held.text, text))
            return ShellVariable(Value("" if path == "." else path), True, place)
        return ShellVariable(unknown(text), True, place)
    return step.directory


def is_in_container(step: Step) -> bool:
    """Whether a step runs in a container, where paths are others."""
    has_image = any(name.startswith("container") for name in step.program.options or ())
    return has_image or step.program.name in ("apptainer", "singularity", "shifter", "ch-run", "enroot")
