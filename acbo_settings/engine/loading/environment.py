"""Environment variables: which name sets which setting, what a text stands for, what to say of unknown names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from ..canonical import KeyPath
from ..document import MAX_KEY_PARTS
from ..errors import MAX_PROBLEMS, Problem
from ..inputs import CONFIG_FILE, PREFIX
from ..schema import component_types, default_values
from ..spelling import closest_setting, normalized
from ..values import SourcedValue, Variable

DELIMITER = "__"
"""What stands between a component and its field in a variable's name."""

# What Kubernetes sets in every pod of a namespace that has a Service named acbo, and for one named acbo-something.
# Texts, because most environments have none of them: `re` compiles and keeps them when they are first used.
_KUBERNETES = r"ACBO_SERVICE_HOST|ACBO_SERVICE_PORT(_\w+)?|ACBO_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?"
_KUBERNETES_URLS = ("tcp://", "udp://", "sctp://")
_KUBERNETES_OTHER = r"ACBO_\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class SortedVariables:
    """The `ACBO_*` variables of an environment, sorted; `sort_variables` makes it.

    Attributes:
        settings: Variables that set one value each: a setting, or a custom key below `metadata`.
        tables: Variables that hold a whole table as JSON.
        problems: Known names with an unusable text, and keys that two variables set.
        unknown: Names that nothing here knows.

    >>> SortedVariables().unknown
    []
    """

    def __init__(self) -> None:
        self.settings: dict[KeyPath, Variable] = {}
        self.tables: dict[KeyPath, Variable] = {}
        self.problems: list[Problem] = []
        self.unknown: list[Problem] = []


def variable_name(path: KeyPath) -> str:
    """The environment variable that sets a key.

    Args:
        path: The key path.

    Returns:
        The name in upper case.

    >>> variable_name(("grpo", "group_size"))
    'ACBO_GRPO__GROUP_SIZE'
    """
    return PREFIX + DELIMITER.join(path).upper()


def parse_text(text: str, default: object) -> object:
    """The value that a variable's text stands for.

    Args:
        text: The text; white space around it does not count.
        default: A value of the type that is wanted: bool, int, float or str.

    Returns:
        A value of that type, or the text where it is none: validation says so then. pydantic's own reading of texts
        also takes `1_000`, `64.0` for an integer and `t` for true, which this package does not.

    >>> parse_text(" 128 ", 64), parse_text("1e-3", 0.5), parse_text("off", True), parse_text("64.0", 64)
    (128, 0.001, False, '64.0')
    """
    text = text.strip()
    if isinstance(default, bool):
        return _BOOLEANS.get(text.lower(), text)
    if not text.isascii() or "_" in text or isinstance(default, str):
        return text
    try:
        return int(text) if isinstance(default, int) else float(text)
    except ValueError:
        return text


def sort_variables(environ: Mapping[str, str]) -> SortedVariables:
    """Sort the variables of an environment whose names start with `ACBO_`, in any case.

    Args:
        environ: Names and texts, such as `os.environ`.

    Returns:
        Each of them in one of four places; what Kubernetes sets for a Service named acbo, and a good
        `ACBO_CONFIG_FILE`, in none.

    >>> found = sort_variables({"ACBO_TOTAL_STEPS": "7", "ACBO_GRPO_GROUP_SIZE": "128"})
    >>> found.settings["total_steps",].text, found.unknown[0].hint
    ('7', 'did you mean ACBO_GRPO__GROUP_SIZE?')
    """
    found = SortedVariables()
    named: dict[KeyPath, list[Variable]] = defaultdict(list)
    for name, text in environ.items():
        if not name.upper().startswith(PREFIX) or _is_kubernetes(name, text):
            continue
        path = _path_of(name)
        if path is None:
            hint = _hint(name) if len(found.unknown) < MAX_PROBLEMS else ""
            found.unknown.append(_unknown(Variable(name, text), hint))
        else:
            named[path].append(Variable(name, text))
    for path, variables in named.items():
        if problem := _find_problem(path, variables, named):
            found.problems.append(problem)
        else:
            _place(path, variables[0], found)
    return found


def _is_kubernetes(name: str, text: str) -> bool:
    if not name.startswith(("ACBO_SERVICE_", "ACBO_PORT")):
        return False
    is_url = str(text).startswith(_KUBERNETES_URLS)
    return re.fullmatch(_KUBERNETES, name) is not None or (name == "ACBO_PORT" and is_url)


def _path_of(name: str) -> KeyPath | None:
    """The key that a variable sets, or None for an unknown one; the configuration file's is `("config_file",)`."""
    path = tuple(name[len(PREFIX) :].lower().split(DELIMITER))
    if path in default_values() or path == ("config_file",):
        return path
    if len(path) == 1:
        return path if path[0] in component_types() or path == ("metadata",) else None
    return path if path[0] == "metadata" and all(path) and len(path) <= MAX_KEY_PARTS else None


def _place(path: KeyPath, variable: Variable, found: SortedVariables) -> None:
    if path == ("config_file",):
        return
    if path in default_values() or (path[0] == "metadata" and len(path) > 1):
        found.settings[path] = variable
    else:
        found.tables[path] = variable


def _find_problem(path: KeyPath, variables: list[Variable], named: Mapping[KeyPath, object]) -> Problem | None:
    """What makes a known variable unusable, whatever its setting's type."""
    variable = variables[0]
    path = (variable.name,) if path == ("config_file",) else path
    if len(variables) > 1:
        message = f"is set by {len(variables)} variables, whose names differ only in case: unset all but one"
        values = tuple(((v.name,), SourcedValue(v.text, v)) for v in variables)
        return Problem(path=path, message=message, values=values)
    above = [path[:length] for length in range(2, len(path)) if path[:length] in named]
    if not isinstance(variable.text, str):
        message = f"the environment holds text, not {type(variable.text).__name__}"
    elif not variable.text.strip():
        message = "is empty: give a value or unset it"
    elif path != (variable.name,) and any("\ud800" <= character <= "\udfff" for character in variable.text):
        message = "is not valid UTF-8"
    elif above:
        message = f"cannot be set below {'.'.join(above[0])}, which {variable_name(above[0])} sets to text"
    else:
        return None
    return Problem(path=path, message=message, values=((path, SourcedValue(variable.text, variable)),))


def _unknown(variable: Variable, hint: str) -> Problem:
    value = ((variable.name,), SourcedValue(variable.text, variable))
    message = "no such setting"
    return Problem(path=(variable.name,), message=message, values=(value,), hint=hint, at_key=True)


def _hint(name: str) -> str:
    rest = normalized(name)[len(normalized(PREFIX)) :]
    if rest.startswith("metadata") and len(rest) > len("metadata"):
        key = re.sub(r"(?i)^acbo\W*_*meta[\W_]*data[\W_]*", "", name)
        meant = f"{PREFIX}METADATA{DELIMITER}{re.sub('_{3,}', DELIMITER, key.strip('_')).upper()}"
        return f"did you mean {meant}?" if meant != name.upper() and key != name else ""
    if rest in ("config", "file", "configpath", "configfile", "toml", "tomlfile"):
        return f"did you mean {CONFIG_FILE}?"
    component, _, field = name[len(PREFIX) :].lower().partition(DELIMITER)
    if field and component in component_types():
        path = closest_setting(field, component)
    else:
        path = closest_setting(rest) or closest_setting(name.split(DELIMITER)[-1])
    if path:
        return f"did you mean {variable_name(path)}?"
    if re.fullmatch(_KUBERNETES_OTHER, name):
        return "if Kubernetes set it for a Service, put enableServiceLinks: false into the pod's spec"
    return ""
