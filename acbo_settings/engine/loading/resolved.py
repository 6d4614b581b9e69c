"""From merged layers to a frozen, validated `TrainingConfig` with the origin of each value, or all that is wrong."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...config import TrainingConfig
from ..canonical import KeyPath, nested, value_at
from ..errors import ConfigurationWarning, Problem
from ..schema import component_types
from ..values import Argument, SourcedValue

if TYPE_CHECKING:
    from ...rules import Rule
    from .layers import MergedLayers


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """A configuration, with the origin of each of its values; `resolve_training_config` makes it.

    Attributes:
        config: The validated configuration.
        values: Each of the 36 settings by key path, such as `("grpo", "group_size")`: the value as its layer gave it,
            its origin, and what it shadows.
        custom: The same for each custom key of the metadata, by paths such as `("metadata", "experiment")`.
        file: The file that was read, as it was named, or None.
        advice: What `resolve_training_config` warned about.

    >>> from acbo_settings import resolve_training_config
    >>> resolved = resolve_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    >>> resolved.explain("grpo.group_size")
    '128, from ACBO_GRPO__GROUP_SIZE, over the default 64'
    """

    config: TrainingConfig
    values: Mapping[KeyPath, SourcedValue]
    custom: Mapping[KeyPath, SourcedValue]
    file: str | None = None
    advice: tuple[Problem, ...] = ()

    def explain(self, key: str | KeyPath) -> str:
        """Say where a value came from and what it shadows.

        Args:
            key: A setting or custom key, such as `"grpo.group_size"`, `("grpo", "group_size")` or `"metadata.note"`.

        Returns:
            One line.

        Raises:
            KeyError: When there is no such setting.

        >>> from acbo_settings import resolve_training_config
        >>> resolve_training_config(environ={}).explain("total_steps")
        '5000, the default'
        """
        from ..report import dotted, explain_value

        path = tuple(key.split(".")) if isinstance(key, str) else key
        if sourced := self.values.get(path) or self.custom.get(path):
            return explain_value(sourced)
        from ..spelling import closest_setting

        meant = (closest_setting(path[-1], path[0]) if path else None) or ()
        hint = f"; did you mean {dotted(meant)}?" if meant in self.values else ""
        raise KeyError(f"no such setting: {dotted(path)}{hint}")


def create_training_config(config_dict: Mapping[str, Any] | None = None, **kwargs: Any) -> TrainingConfig:
    """Create a validated configuration from a dict, keyword arguments, or both.

    Args:
        config_dict: Settings, nested as in `acbo.toml`. What is given is recorded in `metadata`, keys at the top level
            that are not settings included. It is not changed.
        **kwargs: The same; they win over the dict. Components are merged key by key.

    Returns:
        The validated, frozen configuration.

    Raises:
        ConfigurationError: A ValueError, with everything that is wrong.

    Warns:
        ConfigurationWarning: For suspicious combinations, and for a component's field at the top level.

    >>> config = create_training_config({"grpo": {"group_size": 128}}, total_steps=10000, note="scm20")
    >>> config.grpo.group_size, config.total_steps, config.metadata["note"]
    (128, 10000, 'scm20')
    """
    from .arguments import read_argument_layers
    from .layers import merge_sources

    problems: list[Problem] = []
    arguments = {"config_dict": config_dict, "keyword arguments": kwargs}
    sources = read_argument_layers(arguments, problems, is_call=True)
    resolved = judge_layers(merge_sources(sources, problems))
    warn(resolved.advice)
    return resolved.config


def create_default_training_config() -> TrainingConfig:
    """Create the default configuration, with the recommended settings.

    Returns:
        The defaults, with empty metadata.

    >>> create_default_training_config().grpo.group_size
    64
    """
    return TrainingConfig()


def validate_training_config(config: TrainingConfig) -> bool:
    """Check a configuration, however it was built: types, ranges, and rules across settings.

    Args:
        config: The configuration. Besides what loading and creating check, its `eval_frequency` and its
            `surrogate_update_frequency` must not be above `total_steps`. What its metadata holds is not checked.

    Returns:
        True.

    Raises:
        ConfigurationError: A ValueError, with everything that is wrong.

    >>> validate_training_config(TrainingConfig(total_steps=10000))
    True
    """
    from ...rules import CONSISTENCY_ERRORS, ERRORS, broken_rules
    from .validation import validate_fields

    _, problems = validate_fields(config, {})
    for rule, sentence in broken_rules(ERRORS + CONSISTENCY_ERRORS, config, {problem.path for problem in problems}):
        values = {path: SourcedValue(value_at(config, path), Argument("config")) for path in rule.reads}
        problems.append(_rule_problem(rule, sentence, values))
    if problems:
        from ..report import refusal

        raise refusal(problems)
    return True


def judge_layers(layers: MergedLayers, strict: bool = True) -> ResolvedConfig:
    """Judge merged layers; what is advised stands in the result, and `warn` tells it.

    Args:
        layers: What was read, and what was wrong with reading it.
        strict: Whether an unknown `ACBO_*` variable is an error.

    Returns:
        The configuration and the origins of its values.

    Raises:
        ConfigurationError: With everything that is wrong.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> from acbo_settings.engine.loading.layers import read_layers
    >>> judge_layers(read_layers(read_inputs(environ={"ACBO_LOG_FREQUENCY": "6000"}))).advice[0].path
    ('log_frequency',)
    """
    from ...rules import ERRORS, broken_rules
    from .validation import validate_fields

    values = layers.values
    config, problems = validate_fields(_build(values), values)
    problems = [*layers.unreadable, *problems]
    broken = {problem.path for problem in [*problems, *layers.misplaced]}
    candidate = config or _build({path: value for path, value in values.items() if path not in broken})
    problems += [_rule_problem(rule, text, values) for rule, text in broken_rules(ERRORS, candidate, broken)]
    problems += layers.misplaced
    if strict:
        problems += layers.unknown
    if problems or config is None:
        from ..report import refusal

        raise refusal(problems)
    advice = (*(() if strict else layers.unknown), *layers.advice, *_advise(config, values))
    config = replace(config, metadata=_metadata(config, layers))
    return ResolvedConfig(config, values, layers.custom, layers.file, advice)


def _advise(config: TrainingConfig, values: Mapping[KeyPath, SourcedValue]) -> list[Problem]:
    """What is suspicious about a valid configuration."""
    from ...rules import ADVICE, broken_rules

    return [
        _rule_problem(rule, text, values)
        for rule, text in broken_rules(ADVICE, config, set())
        if not rule.causes or not all(values[path].is_default for path in rule.causes)
    ]


def _build(values: Mapping[KeyPath, SourcedValue]) -> TrainingConfig:
    """An unchecked configuration of these values, with defaults where there are none."""
    fields: dict[str, dict[str, Any]] = {name: {} for name in component_types()}
    top: dict[str, Any] = {}
    for path, sourced in values.items():
        (top if len(path) == 1 else fields[path[0]])[path[-1]] = sourced.value
    components = {name: component_types()[name](**given) for name, given in fields.items()}
    return TrainingConfig(**top, **components)


def _rule_problem(rule: Rule, sentence: str, values: Mapping[KeyPath, SourcedValue]) -> Problem:
    return Problem(path=rule.reads[0], message=sentence, values=tuple((path, values[path]) for path in rule.reads))


def _metadata(config: TrainingConfig, layers: MergedLayers) -> Any:
    """The settings that were given, plus custom keys, frozen."""
    from .metadata import freeze_metadata

    given = {path: value_at(config, path) for path, sourced in layers.values.items() if not sourced.is_default}
    return freeze_metadata(nested(given) | layers.metadata)


def warn(advice: Sequence[Problem]) -> None:
    """Give a `ConfigurationWarning` for each piece of advice, attributed to the first caller outside of this package.

    Args:
        advice: What is legal but will hardly do what was meant.

    >>> warn(())
    """
    if not advice:
        return
    from ..report import format_problem

    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(f"{package}."):
        level, frame = level + 1, frame.f_back
    for problem in advice:
        warnings.warn(ConfigurationWarning(format_problem(problem)), stacklevel=level)
