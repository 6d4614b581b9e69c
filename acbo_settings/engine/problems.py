"""What is wrong, or advised, as facts; and the one exception and the one warning that carry them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from . import PickledByName, Record, public
from .canonical import KeyPath
from .credentials import HIDDEN, find_secret, is_secret
from .metadata import MAX_VALUES
from .origins import File, Origin, Variable
from .toml_document import Document
from .values import SourcedValue

Scope = TypeVar("Scope")

MAX_PROBLEMS = 20
"""Problems that one report spells out; the rest is counted, and gets no suggestions."""


@public
@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Problem(Record):
    """One thing that is wrong, or one piece of advice, as facts.

    Args:
        path: The setting or key concerned, as it was given; empty when it is a whole source.
        message: What is wrong, or what was expected, in one sentence without its end.
        values: The values that it is about, each with its key path and origin.
        hint: What to do about it, such as a name that may have been meant; may be empty.
        at_key: Whether the key is wrong, and not its value.
        severity: `error`; or `advice`, for what is legal but will hardly do what was meant.
        scope: What it concerns alone where several configurations are judged together, such as a step of a job; empty
            when it concerns all of them.

    >>> from acbo_settings import ConfigurationError, create_training_config
    >>> try:
    ...     create_training_config(grpo={"group_sise": 128})
    ... except ConfigurationError as error:
    ...     error.problems[0].hint
    'did you mean grpo.group_size?'
    """

    path: KeyPath
    message: str
    values: tuple[tuple[KeyPath, SourcedValue], ...] = ()
    hint: str = ""
    at_key: bool = False
    severity: Literal["error", "advice"] = "error"
    scope: str = ""

    def __post_init__(self) -> None:
        values = tuple((path, _without_secrets(path, sourced)) for path, sourced in self.values)
        object.__setattr__(self, "values", values)


def _without_secrets(path: KeyPath, sourced: SourcedValue) -> SourcedValue:
    """The same value, and what it shadows, in which no secret is left: a problem is shown, logged and pickled."""
    *above, lowest = sourced, *sourced.shadowed
    hidden = _hiding(path, lowest, None)
    for each in reversed(above):
        hidden = _hiding(path, each, hidden)
    return hidden


def _hiding(path: KeyPath, sourced: SourcedValue, over: SourcedValue | None) -> SourcedValue:
    """One value without a secret, over another one."""
    origin = sourced.origin.without_secrets(path)
    value = sourced.value
    if isinstance(value, str | list | tuple) and (any(map(is_secret, path[-1:])) or origin != sourced.origin):
        value = HIDDEN
    if isinstance(value, Mapping | list | tuple) and find_secret({"value": value}, MAX_VALUES):
        value = HIDDEN
    if value is sourced.value and origin == sourced.origin and over is sourced.over:
        return sourced
    return SourcedValue(value, origin, over)


class ProblemSet:
    """Problems of which somebody asks whether one is among them; they have no hash, because values can be anything."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._alike: dict[tuple[object, ...], list[Problem]] = {}
        self.add(problems)

    def add(self, problems: Iterable[Problem]) -> None:
        """Add some more."""
        for problem in problems:
            self._alike.setdefault(_marks(problem), []).append(problem)

    def __contains__(self, problem: Problem) -> bool:
        return problem in self._alike.get(_marks(problem), ())


def _marks(problem: Problem) -> tuple[object, ...]:
    """What equal problems share, and hardly any others do."""
    return problem.path, problem.message, *(sourced.origin.mark for _, sourced in problem.values)


class SharedProblems(Generic[Scope]):
    """What is wrong with several configurations that are judged together, such as the steps of a job, or is advised.

    What some have in common is told once, with those that have it.
    """

    def __init__(self) -> None:
        self._found: dict[object, Problem] = {}
        self._scopes: dict[object, list[Scope]] = {}

    def add(self, problems: Iterable[Problem], scope: Scope | None = None) -> None:
        """Add the problems of one configuration, or of all of them."""
        for problem in problems:
            key = shared_marks(problem)
            self._found.setdefault(key, problem)
            if scope is not None:
                self._scopes.setdefault(key, []).append(scope)

    def told(self) -> Iterator[tuple[Problem, Sequence[Scope]]]:
        """Each problem, and the configurations that have it; none where that is of no matter."""
        return ((problem, self._scopes.get(key, ())) for key, problem in self._found.items())


def shared_marks(problem: Problem) -> tuple[object, ...]:
    """What is the same of a problem that several configurations have."""
    return *place_marks(problem), problem.message, problem.hint


def place_marks(problem: Problem) -> tuple[object, ...]:
    """What a problem is about: the setting, and where its values stand."""
    return problem.path, tuple(sourced.origin.common_place for _, sourced in problem.values)


def file_problem(name: str, message: str, hint: str = "") -> Problem:
    """A problem with a file as a whole; the message is a sentence without its subject."""
    return whole_problem(File(Document(name, "")), None, message, hint)


def whole_problem(origin: Origin, value: object, message: str, hint: str = "") -> Problem:
    """A problem with a whole source: a file, a variable or an argument."""
    return Problem(path=(), message=message, values=(((), SourcedValue(value, origin)),), hint=hint)


def variable_problem(path: KeyPath, variables: Sequence[Variable]) -> Problem | None:
    """What makes the variables of one name unusable, whatever they set; None for a single one that holds a text."""
    variable = variables[0]
    if len(variables) > 1:
        message = f"is set by {len(variables)} variables, whose names differ only in case: unset all but one"
        return Problem(
            path=path, message=message, values=tuple(((v.name,), SourcedValue(v.text, v)) for v in variables)
        )
    if not isinstance(variable.text, str):
        message = f"the environment holds text, not {type(variable.text).__name__}"
    elif not variable.text.strip():
        message = "is empty: give a value or unset it"
    else:
        return None
    return Problem(path=path, message=message, values=((path, SourcedValue(variable.text, variable)),))


@public
class ConfigurationError(ValueError, PickledByName):
    """The configuration is not valid. The text is the whole report; `problems` are its facts.

    Args:
        report: The text, ready to be printed.
        problems: Everything that is wrong, not just the first thing.

    >>> from acbo_settings import create_training_config
    >>> create_training_config(warmup_steps=6000)
    Traceback (most recent call last):
    ...
    acbo_settings.ConfigurationError: Configuration validation failed: 1 problem
    <BLANKLINE>
      warmup_steps: Warmup steps must be less than total steps (6000 is not less than 5000)
        --> warmup_steps from keyword arguments, total_steps is the default
    """

    def __init__(self, report: str, problems: Sequence[Problem]) -> None:
        super().__init__(report, tuple(problems))

    @property
    def report(self) -> str:
        """The text, ready to be printed."""
        return str(self.args[0])

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, in the order of the report."""
        if len(self.args) < 2:  # a copy by others, such as Ray's, which then asks the error that it holds
            raise AttributeError("problems")
        problems: tuple[Problem, ...] = self.args[1]
        return problems

    @classmethod
    def _field_names(cls) -> list[str]:
        return ["report", "problems"]

    def __str__(self) -> str:
        return self.report

    def __reduce__(self) -> Any:
        is_own = len(self.args) > 1
        return PickledByName.__reduce__(self) if is_own else ValueError.__reduce__(self)


@public
class ConfigurationWarning(UserWarning):
    """The configuration is legal, but something in it will probably not do what was meant.

    >>> import warnings
    >>> from acbo_settings import create_training_config
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     config = create_training_config(evaluation={"early_stopping_patience": 5})
    >>> print(str(caught[0].message).splitlines()[0])
    evaluation.early_stopping_patience: Early stopping patience has no effect while early_stopping_enabled is false
    """
