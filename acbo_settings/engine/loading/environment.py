"""Environment variables as sources: which name sets what, what a text stands for, and what to say of unknown names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from ..canonical import KeyPath, nested
from ..credentials import HIDDEN, SECRET, is_secret, own_variable
from ..inputs import Inputs
from ..names import DELIMITER, did_you_mean, find_path, meant_setting, meant_variable, variable_name
from ..origins import Origin, Variable
from ..printable import LATER
from ..problems import MAX_PROBLEMS, Problem, variable_problem
from ..schema import Schema
from ..values import SourcedValue
from .keys import way_out
from .source import Source, settings_class
from .texts import is_table, parse_table, parse_value

KUBERNETES = r"(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
"""What Kubernetes sets in every pod for a Service, behind the name of that."""

_KUBERNETES_URLS = ("tcp://", "udp://", "sctp://")


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
    later = {path: variable for path, variable in variables.items() if not variable.is_known}
    tables = {path: variable for path, variable in variables.items() if is_table(schema, path)}
    sources = []
    for path in sorted(tables, key=len):
        read = _read_later if path in later else _read_table
        if table := read(schema, path, variables[path], problems):
            sources.append(table)
    singles = {path: variable for path, variable in variables.items() if path not in tables}
    if known := {path: variable for path, variable in singles.items() if path not in later}:
        sources.append(_read_singles(schema, known))
    sources += [_read_later(schema, path, singles[path], problems) for path in singles if path in later]
    return sources, problems


def _read_later(schema: Schema, path: KeyPath, variable: Variable, problems: list[Problem]) -> Source:
    """A variable whose text only the job will know: any of the settings that it can give may have any value."""
    now = schema.current(path)
    note = {} if path == ("metadata",) else {path: f"{LATER}: {variable.text}"}
    values = dict.fromkeys(schema.below(now), LATER) if now[0] != "metadata" else note
    return Source(nested(values), lambda _: variable)


def _read_table(schema: Schema, path: KeyPath, variable: Variable, problems: list[Problem]) -> Source | None:
    """A variable that holds a whole table."""
    table = parse_table(schema, path, variable.text, variable)
    if isinstance(table, Problem):
        problems.append(table)
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
            now = schema.current(path)
            parsed[key] = parse_value(value, schema.setting(now).kind) if now in schema.defaults else value.strip()
    return parsed


def sort_variables(inputs: Inputs) -> tuple[dict[KeyPath, Variable], list[Problem]]:
    """The usable variables by the key that they set, and what is wrong with the others.

    Those that Kubernetes sets for a Service, and the one that names the configuration file, are left out.
    """
    schema, application = inputs.schema, inputs.schema.application
    named: dict[KeyPath, list[Variable]] = defaultdict(list)
    unknown: list[Problem] = []
    of_services = find_services(application.prefix, inputs.environ)
    for name, text in inputs.environ.items():
        if name in of_services:
            continue
        path = ("",) if name.upper() == application.file_variable else find_path(schema, name)
        if path and name.upper().startswith(application.prefix):
            named[path].append(inputs.variables.get(name) or Variable(name, text))
        else:
            variable = inputs.variables.get(name) or Variable(name, text)
            unknown.append(_unknown(schema, variable, inputs.strict, len(unknown) < MAX_PROBLEMS))
    found = {path: (variables[0], _find_problem(schema, path, variables, named)) for path, variables in named.items()}
    usable = {path: variable for path, (variable, problem) in found.items() if path != ("",) and not problem}
    return usable, [*(problem for _, problem in found.values() if problem), *unknown]


def find_services(prefix: str, environ: Mapping[str, str]) -> set[str]:
    """The variables that Kubernetes sets in every pod for a Service whose name is that of the prefix, or starts so.

    Of the first kind any one is known; of the second kind only a whole set, whose addresses agree.
    """
    found = {name for name, text in environ.items() if _is_of_own_service(prefix, name, text)}
    stems = {name.removesuffix("SERVICE_HOST") for name in environ if name.endswith("_SERVICE_HOST")}
    if stems := {stem for stem in stems if stem.startswith(prefix) and _is_service(stem, environ)}:
        lengths = {len(stem) for stem in stems}
        found |= {name for name in environ if _is_of_service(stems, lengths, name)}
    return found


def _is_of_service(stems: Container[str], lengths: Container[int], name: str) -> bool:
    """Whether the name of a variable starts as that of a Service, and goes on as Kubernetes has it.

    A long name can have thousands of places where it might go on so: only those are looked at where a stem can end.
    """
    starts = (match.start() for match in re.finditer("SERVICE_|PORT", name))
    ends = (start for start in starts if start in lengths and name[:start] in stems)
    return any(re.fullmatch(KUBERNETES, name[end:]) for end in ends)


def _is_of_own_service(prefix: str, name: str, text: str) -> bool:
    if not name.startswith((f"{prefix}SERVICE_", f"{prefix}PORT")):
        return False
    is_url = str(text).startswith(_KUBERNETES_URLS)
    return re.fullmatch(re.escape(prefix) + KUBERNETES, name) is not None and (name != f"{prefix}PORT" or is_url)


def _is_service(stem: str, environ: Mapping[str, str]) -> bool:
    """Whether host, port and address of a Service are all there, and agree."""
    host, port = (str(environ.get(f"{stem}SERVICE_{part}")) for part in ("HOST", "PORT"))
    address = f"[{host}]" if ":" in host else host
    return environ.get(f"{stem}PORT") in [f"{scheme}{address}:{port}" for scheme in _KUBERNETES_URLS]


def _find_problem(
    schema: Schema, path: KeyPath, variables: Sequence[Variable], named: Mapping[KeyPath, object]
) -> Problem | None:
    """What makes a known variable unusable, whatever its setting's type; the file's has the path `("",)`."""
    variable = variables[0]
    is_setting = path != ("",)
    path = path if is_setting else (variable.name,)
    is_unset = path in schema.defaults and not str(variable.text).strip() and schema.setting(path).kind.is_optional
    if not variable.is_known and len(variables) == 1:
        return None
    if not is_unset and (problem := variable_problem(path, variables)):
        return problem
    above = [path[:length] for length in range(2, len(path)) if path[0] == "metadata" and path[:length] in named]
    if is_setting and any("\ud800" <= character <= "\udfff" for character in variable.text):
        message = "is not valid UTF-8"
    elif above:
        message = f"cannot be set below {'.'.join(above[0])}, which {variable_name(schema, above[0])} sets to text"
    else:
        return None
    return Problem(path=path, message=message, values=((path, SourcedValue(variable.text, variable)),))


def _unknown(schema: Schema, variable: Variable, strict: bool, is_hinted: bool) -> Problem:
    """The problem with a variable that sets nothing; with a hint, as long as these are shown."""
    path = (variable.name,)
    severity: Any = "error" if strict else "advice"
    message, hint, value = "no such setting", "", variable.text
    if is_secret(variable.name) and not meant_variable(schema, variable.name):
        rest = variable.name[len(schema.application.prefix) :]
        message, hint, value = SECRET, own_variable(tuple(rest.split(DELIMITER))), HIDDEN
    elif is_hinted:
        parts = tuple(variable.name[len(schema.application.prefix) :].lower().split(DELIMITER))
        hint = hint_for_variable(schema, variable.name) or way_out(schema, parts, variable)
    values = ((path, SourcedValue(value, variable)),)
    return Problem(path=path, message=message, values=values, hint=hint, at_key=True, severity=severity)


def hint_for_variable(schema: Schema, name: str) -> str:
    """What may have been meant by a variable that sets nothing."""
    from ..spelling import closest, normalized

    application, prefix = schema.application, schema.application.prefix
    if meant := meant_variable(schema, name):
        return did_you_mean(meant)
    rest = normalized(name)[len(normalized(prefix)) :]
    if rest.startswith("metadata") and len(rest) > len("metadata"):
        return _metadata_hint(schema, name)
    if rest in ("config", "file", "configpath", "toml", "tomlfile"):
        return did_you_mean(application.file_variable)
    if special := closest(name, (application.file_variable, *application.run_variables), 1):
        return did_you_mean(special)
    section, field = _section_of(schema, name[len(prefix) :].lower())
    if section and field:
        path = meant_setting(schema, field, section)
    else:
        path = meant_setting(schema, rest) or meant_setting(schema, name.split(DELIMITER)[-1])
    if path:
        return did_you_mean(variable_name(schema, path))
    # The first condition is part of the rest, and spares a long name that is none the search for every end.
    if re.fullmatch(rf"(?=\w+\Z){re.escape(prefix)}\w+_{KUBERNETES}", name):
        return "if Kubernetes set it for a Service, put enableServiceLinks: false into the pod's spec"
    return ""


def _section_of(schema: Schema, rest: str) -> tuple[KeyPath, str]:
    """The innermost section that the start of a variable's name spells, and what stands behind it."""
    parts = rest.split(DELIMITER)
    longest = min(len(parts) - 1, max(map(len, schema.sections)))  # a name can have 100,000 parts
    length = next((n for n in range(longest, 0, -1) if tuple(parts[:n]) in schema.sections), 0)
    return tuple(parts[:length]), DELIMITER.join(parts[length:])


def _metadata_hint(schema: Schema, name: str) -> str:
    stem = re.escape(schema.application.prefix.rstrip("_"))
    key = re.sub(rf"(?i)^{stem}\W*_*meta[\W_]*data[\W_]*", "", name)
    parts = re.sub("_{3,}", DELIMITER, key.strip("_")).upper()
    meant = variable_name(schema, ("metadata", parts))
    return did_you_mean(meant) if meant != name.upper() and key != name else ""
