"""What rules answer, by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from acbo_settings import TrainingConfig
from acbo_settings.engine.canonical import KeyPath, flatten
from acbo_settings.engine.declarations import Rule
from acbo_settings.engine.loading.validation import find_broken
from acbo_settings.engine.origins import Argument
from acbo_settings.engine.values import SourcedValue


def broken_rules(rules: Iterable[Rule], config: TrainingConfig, broken: set[KeyPath]) -> list[tuple[Rule, str]]:
    """The rules that a configuration does not keep, where some paths have no valid value, each with its sentence."""
    values = {path: SourcedValue(value, Argument("config")) for path, value in flatten(config).items()}
    return [(rule, problem.message) for rule in rules for problem in find_broken([rule], config, values, broken)]
