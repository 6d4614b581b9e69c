"""The variables of a shell at one point of its script, also where it is not certain which way the script went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from .values import Choice, Place, Value, unknown

Changes = dict[str, "ShellVariable | None"]
"""What a way through the script does to variables; None for one that it unsets."""


class ShellVariable(NamedTuple):
    """A variable: what it holds, if anything, whether programs get it, and where it was set; None for what came in.

    Where that depends on the way that the script takes, it is not certain that programs get it.
    """

    value: Value | None
    is_exported: bool = False
    place: Place | None = None
    is_certain: bool = True

    def uncertain(self) -> ShellVariable:
        """The same where it may be missing, so that only the job will know what a program gets."""
        value = self.value or Value("")
        return self._replace(value=unknown(value.text, value.possible))


class ShellState:
    """The variables of a shell. A way that the script may take has its changes apart, until they are laid together."""

    def __init__(self, variables: Mapping[str, ShellVariable]) -> None:
        self.branches = 0
        """How many ways that may be taken, or may not, lead here: with none, the script is certain to come by."""
        self.exports_all = False
        """Whether `set -a` is in force."""
        self.may_export_all = False
        """Whether it may be, because it stands on a way that may be taken."""
        self._layers: list[Changes] = [dict(variables)]
        self._names = dict.fromkeys(variables)

    def get(self, name: str) -> ShellVariable | None:
        """A variable, or None where it is not set."""
        for layer in reversed(self._layers):
            if name in layer:
                return layer[name]
        return None

    def set(self, name: str, variable: ShellVariable | None) -> None:
        """Set a variable, or unset it."""
        self._layers[-1][name] = variable
        self._names.setdefault(name)

    def names_with(self, prefix: str) -> list[str]:
        """The variables whose names start so."""
        return [name for name in self._names if name.startswith(prefix) and self.get(name) is not None]

    @property
    def exported(self) -> Iterator[tuple[str, ShellVariable]]:
        """What a program gets that is started now, in the order in which the script came to it."""
        for name in self._names:
            variable = self.get(name)
            if variable and variable.is_exported and variable.value is not None:
                yield name, variable if variable.is_certain else variable.uncertain()

    @contextmanager
    def apart(self, is_branch: bool = False) -> Iterator[Changes]:
        """Keep the changes of a subshell, or of a way that may be taken, apart from what is there."""
        before = self.branches, self.exports_all
        changes: Changes = {}
        self._layers.append(changes)
        self.branches += is_branch
        try:
            yield changes
        finally:
            self._layers.pop()
            self.may_export_all = self.may_export_all or (is_branch and self.exports_all != before[1])
            self.branches, self.exports_all = before

    def lay_together(self, ways: Sequence[Changes]) -> None:
        """Go on where one of several ways was taken: what they disagree on is known only in the job."""
        found: dict[str, list[ShellVariable | None]] = {}
        for way in ways:
            for name, variable in way.items():
                found.setdefault(name, []).append(variable)
        for name, variables in found.items():
            others = [self.get(name)] if len(variables) < len(ways) else []
            self.set(name, _merged([*others, *variables]))


def _merged(variables: Sequence[ShellVariable | None]) -> ShellVariable | None:
    """A variable of which it is not certain which way it came."""
    found = [variable for variable in variables if variable is not None]
    if all(variable == variables[0] for variable in variables) or not found:
        return variables[0]
    is_exported = any(variable.is_exported for variable in found)
    is_same_way = len(found) == len(variables)  # one that is set anew where it is not there is not exported
    is_certain = not is_exported or (is_same_way and all(each.is_exported and each.is_certain for each in found))
    if all(variable.value is None for variable in found):
        return found[0]._replace(is_exported=is_exported, is_certain=is_certain)
    texts = {each.value.text if each.value and each.value.is_known else None for each in found}
    if is_same_way and len(texts) == 1 and None not in texts:
        return ShellVariable(found[0].value, is_exported, found[0].place, is_certain)
    choices = [
        Choice(choice.text, choice.place or variable.place)
        for variable in found
        for choice in (variable.value.possible if variable.value else ())
    ]
    last = next((variable for variable in reversed(found) if variable.place), found[-1])
    return ShellVariable(unknown(last.value.text if last.value else "", choices), is_exported, last.place, is_certain)
