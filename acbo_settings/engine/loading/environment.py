"""Environment variables as sources: which name sets what, what a text stands for, and what to say of unknown names."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from ..canonical import KeyPath
from ..inputs import Inputs
from ..names import DELIMITER, did_you_mean, find_path, meant_setting, variable_name
from ..origins import Origin, SourcedValue, Variable
from ..problems import MAX_PROBLEMS, Problem
from ..schema import Schema
from .source import Source, settings_class

# What Kubernetes sets in every pod for a Service with the name of the prefix, and for one whose name only starts so.
_KUBERNETES = r"{0}SERVICE_HOST|{0}SERVICE_PORT(_\w+)?|{0}PORT_\d+_(TCP|UDP|SCTP)(_\w+)?"
_KUBERNETES_URLS = ("tcp://", "udp://", "sctp://")
_KUBERNETES_OTHER = r"{0}\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class _Texts(EnvSettingsSource):
    """The reader of pydantic-settings over recognized variables, whose texts it leaves as they are."""

    def __init__(self, schema: Schema, variables: Mapping[KeyPath, Variable]) -> None:
        self._variables = variables
        super().__init__(settings_class(schema), case_sensitive=False)

    def _load_env_vars(self) -> dict[str, str | None]:
        return {DELIMITER.join(path).lower(): variable.text for path, variable in self._variables.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Leave the text of a table or of a nested variable, which pydantic-settings would take for JSON."""
        return value


def read_environment(inputs: Inputs) -> tuple[list[Source], list[Problem]]:
    """The variables as sources, those that hold whole tables first, and what is wrong with names and texts."""
    schema = inputs.schema
    variables, problems = sort_variables(inputs)
    is_table = {path: path in schema.sections or path == ("metadata",) for path in variables}
    sources = []
    for path in sorted((path for path in variables if is_table[path]), key=len):
        if table := _read_table(schema, path, variables[path], problems):
            sources.append(table)
    if singles := {path: variable for path, variable in variables.items() if not is_table[path]}:
        sources.append(_read_singles(schema, singles))
    return sources, problems


def _read_table(schema: Schema, path: KeyPath, variable: Variable, problems: list[Problem]) -> Source | None:
    """A variable that holds a whole table as JSON, its keys and values typed as JSON has them."""
    try:
        table = _parse_json_table(variable.text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        values = ((path, SourcedValue(variable.text, variable)),)
        problems.append(Problem(path=path, message=f"should be a table as JSON: {reason}", values=values))
        return None
    tree = _Texts(schema, {path: variable})()
    above = tree
    for name in path[:-1]:
        above = above[name]
    above[path[-1]] = table
    return Source(tree, lambda _: variable)


def _read_singles(schema: Schema, variables: Mapping[KeyPath, Variable]) -> Source:
    """The variables that set one value each, parsed for the type of the setting; a text that cannot be stays text."""
    first: dict[KeyPath, Origin] = {}  # of a custom table that several variables fill, too
    for path, variable in variables.items():
        for length in range(1, len(path) + 1):
            first.setdefault(path[:length], variable)
    return Source(_parse_texts(schema, _Texts(schema, variables)()), first.__getitem__)


def _parse_texts(schema: Schema, tree: dict[str, Any], prefix: KeyPath = ()) -> dict[str, Any]:
    """A tree of texts with each setting parsed for its type; custom keys stay text."""
    parsed: dict[str, Any] = {}
    for key, value in tree.items():
        path = (*prefix, key)
        if isinstance(value, dict):
            parsed[key] = _parse_texts(schema, value, path)
        else:
            parsed[key] = parse_text(value, schema.setting(path).type) if path in schema.defaults else value.strip()
    return parsed


def parse_text(text: str, wanted: type) -> object:
    """The value of a type that a variable's text stands for, or the text where it is none: validation says so then.

    White space around it does not count. pydantic's own reading of texts also takes `1_000`, `64.0` for an integer and
    `t` for true, which this package does not.

    >>> parse_text(" 128 ", int), parse_text("1e-3", float), parse_text("off", bool), parse_text("64.0", int)
    (128, 0.001, False, '64.0')
    """
    text = text.strip()
    if wanted is bool:
        return _BOOLEANS.get(text.lower(), text)
    if not text.isascii() or "_" in text or wanted not in (int, float):
        return text
    try:
        value: object = wanted(text)
    except ValueError:
        return text
    return value


def _parse_json_table(text: str) -> dict[str, Any]:
    """A JSON object; ValueError for anything else, for a key that stands twice, and for NaN and infinities."""
    table = json.loads(
        text, object_pairs_hook=_require_unique, parse_constant=_refuse_constant, parse_int=_parse_integer
    )
    if not isinstance(table, dict):
        raise ValueError(f"{text.strip()[:40]} is not an object")
    return table


def _require_unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r} stands in it twice")
    return table


def _parse_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a number has too many digits") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")


def sort_variables(inputs: Inputs) -> tuple[dict[KeyPath, Variable], list[Problem]]:
    """The usable variables by the key that they set, and what is wrong with the others.

    Those that Kubernetes sets for a Service, and the one that names the configuration file, are left out.
    """
    schema, application = inputs.schema, inputs.schema.application
    named: dict[KeyPath, list[Variable]] = defaultdict(list)
    unknown: list[Problem] = []
    for name, text in inputs.environ.items():
        if _is_kubernetes(application.prefix, name, text):
            continue
        path = ("",) if name.upper() == application.file_variable else find_path(schema, name)
        if path:
            named[path].append(Variable(name, text))
        else:
            hint = hint_for_variable(schema, name) if len(unknown) < MAX_PROBLEMS else ""
            unknown.append(_unknown(Variable(name, text), hint, inputs.strict))
    found = {path: (variables[0], _find_problem(schema, path, variables, named)) for path, variables in named.items()}
    usable = {path: variable for path, (variable, problem) in found.items() if path != ("",) and not problem}
    return usable, [*(problem for _, problem in found.values() if problem), *unknown]


def _is_kubernetes(prefix: str, name: str, text: str) -> bool:
    if not name.startswith((f"{prefix}SERVICE_", f"{prefix}PORT")):
        return False
    is_url = str(text).startswith(_KUBERNETES_URLS)
    return re.fullmatch(_KUBERNETES.format(prefix), name) is not None or (name == f"{prefix}PORT" and is_url)


def _find_problem(
    schema: Schema, path: KeyPath, variables: Sequence[Variable], named: Mapping[KeyPath, object]
) -> Problem | None:
    """What makes a known variable unusable, whatever its setting's type; the file's has the path `("",)`."""
    variable = variables[0]
    is_setting = path != ("",)
    path = path if is_setting else (variable.name,)
    if len(variables) > 1:
        message = f"is set by {len(variables)} variables, whose names differ only in case: unset all but one"
        values = tuple(((v.name,), SourcedValue(v.text, v)) for v in variables)
        return Problem(path=path, message=message, values=values)
    above = [path[:length] for length in range(2, len(path)) if path[0] == "metadata" and path[:length] in named]
    if not isinstance(variable.text, str):
        message = f"the environment holds text, not {type(variable.text).__name__}"
    elif not variable.text.strip():
        message = "is empty: give a value or unset it"
    elif is_setting and any("\ud800" <= character <= "\udfff" for character in variable.text):
        message = "is not valid UTF-8"
    elif above:
        message = f"cannot be set below {'.'.join(above[0])}, which {variable_name(schema, above[0])} sets to text"
    else:
        return None
    return Problem(path=path, message=message, values=((path, SourcedValue(variable.text, variable)),))


def _unknown(variable: Variable, hint: str, strict: bool) -> Problem:
    path = (variable.name,)
    severity: Any = "error" if strict else "advice"
    values = ((path, SourcedValue(variable.text, variable)),)
    return Problem(path=path, message="no such setting", values=values, hint=hint, at_key=True, severity=severity)


def hint_for_variable(schema: Schema, name: str) -> str:
    """What may have been meant by a variable that sets nothing."""
    from ..spelling import normalized

    application, prefix = schema.application, schema.application.prefix
    rest = normalized(name)[len(normalized(prefix)) :]
    if rest.startswith("metadata") and len(rest) > len("metadata"):
        return _metadata_hint(schema, name)
    if rest in ("config", "file", "configpath", "configfile", "toml", "tomlfile"):
        return did_you_mean(application.file_variable)
    section, field = _section_of(schema, name[len(prefix) :].lower())
    if section and field:
        path = meant_setting(schema, field, section)
    else:
        path = meant_setting(schema, rest) or meant_setting(schema, name.split(DELIMITER)[-1])
    if path:
        return did_you_mean(variable_name(schema, path))
    if re.fullmatch(_KUBERNETES_OTHER.format(prefix), name):
        return "if Kubernetes set it for a Service, put enableServiceLinks: false into the pod's spec"
    return ""


def _section_of(schema: Schema, rest: str) -> tuple[KeyPath, str]:
    """The innermost section that the start of a variable's name spells, and what stands behind it."""
    parts = rest.split(DELIMITER)
    length = next((n for n in range(len(parts) - 1, 0, -1) if tuple(parts[:n]) in schema.sections), 0)
    return tuple(parts[:length]), DELIMITER.join(parts[length:])


def _metadata_hint(schema: Schema, name: str) -> str:
    stem = re.escape(schema.application.prefix.rstrip("_"))
    key = re.sub(rf"(?i)^{stem}\W*_*meta[\W_]*data[\W_]*", "", name)
    parts = re.sub("_{3,}", DELIMITER, key.strip("_")).upper()
    meant = variable_name(schema, ("metadata", parts))
    return did_you_mean(meant) if meant != name.upper() and key != name else ""
