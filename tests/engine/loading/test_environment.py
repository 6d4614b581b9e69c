"""Variables: which name sets which setting, and what is said of all other names."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.loading.environment import read_environment, sort_variables
from acbo_settings.engine.loading.source import Source
from acbo_settings.engine.names import MAX_KEY_PARTS, is_variable, variable_name
from acbo_settings.engine.origins import Variable
from acbo_settings.engine.problems import MAX_PROBLEMS, Problem

from ...strategies import SCHEMA, layers, text_of

SETTINGS = list(SCHEMA.defaults)
GROUP_SIZE = ("grpo", "group_size")


class Found(NamedTuple):
    """The variables of an environment, by what they are."""

    settings: dict[KeyPath, Variable]
    tables: dict[KeyPath, Variable]
    problems: list[Problem]
    unknown: list[Problem]


def sort(environ: dict[str, Any]) -> Found:
    """Sort the variables of an environment: those of one value, of a whole table, unusable ones, unknown ones."""
    usable, problems = sort_variables(read_start(SCHEMA, environ=environ).inputs)
    tables = {path for path in usable if path in SCHEMA.sections or path == ("metadata",)}
    return Found(
        {path: variable for path, variable in usable.items() if path not in tables},
        {path: usable[path] for path in usable if path in tables},
        [problem for problem in problems if not problem.at_key],
        [problem for problem in problems if problem.at_key],
    )


def contents(environ: dict[str, Any]) -> dict[str, Any]:
    """What is found in an environment, by place; places that hold nothing are left out."""
    return {place: found for place, found in sort(environ)._asdict().items() if found}


def only_problem(environ: dict[str, Any]) -> Problem:
    """The one problem with known variables; nothing else may be found in the environment."""
    found = contents(environ)
    (problem,) = found.pop("problems")
    assert found == {}
    assert isinstance(problem, Problem)
    return problem


def only_unknown(environ: dict[str, Any]) -> Problem:
    """The one unknown variable; nothing else may be found in the environment."""
    found = contents(environ)
    (problem,) = found.pop("unknown")
    assert found == {}
    assert isinstance(problem, Problem)
    return problem


def mixed(name: str) -> str:
    """A name in upper and lower case by turns."""
    return "".join(letter.lower() if place % 2 else letter for place, letter in enumerate(name))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("total_steps",), "ACBO_TOTAL_STEPS"),
        (GROUP_SIZE, "ACBO_GRPO__GROUP_SIZE"),
        (("grpo",), "ACBO_GRPO"),
        (("metadata", "a", "b_c"), "ACBO_METADATA__A__B_C"),
    ],
)
def test_variable_name(path: KeyPath, name: str) -> None:
    """A variable is the prefix and the key's parts in upper case, with two underscores between the parts."""
    assert variable_name(SCHEMA, path) == name


@pytest.mark.parametrize("spell", [str.upper, str.lower, mixed], ids=["upper", "lower", "mixed"])
def test_every_setting_has_a_variable(spell: Callable[[str], str]) -> None:
    """Each setting is set by its variable, in any case, and keeps the name as it is spelled."""
    environ = {spell(variable_name(SCHEMA, path)): f"text of {path}" for path in SETTINGS}
    expected = {path: Variable(spell(variable_name(SCHEMA, path)), f"text of {path}") for path in SETTINGS}
    assert contents(environ) == {"settings": expected}


@pytest.mark.parametrize("spell", [str.upper, str.lower, mixed], ids=["upper", "lower", "mixed"])
@pytest.mark.parametrize("name", [*(path[0] for path in SCHEMA.sections if path), "metadata"])
def test_every_table_has_a_variable(name: str, spell: Callable[[str], str]) -> None:
    """Each component and the metadata can be set as a whole."""
    spelled = spell(f"ACBO_{name.upper()}")
    assert contents({spelled: "{}"}) == {"tables": {(name,): Variable(spelled, "{}")}}


@pytest.mark.parametrize("name", ["ACBO_CONFIG_FILE", "acbo_config_file", "Acbo_Config_File"])
def test_variable_of_the_file(name: str) -> None:
    """The variable that names the file, however it is spelled, is known and sets nothing."""
    assert contents({name: " acbo.toml"}) == {}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ACBO_METADATA__NOTE", ("metadata", "note")),
        ("ACBO_METADATA__Run_Name", ("metadata", "run_name")),
        ("ACBO_METADATA__A__B__C", ("metadata", "a", "b", "c")),
        ("acbo_metadata__total_steps", ("metadata", "total_steps")),
    ],
)
def test_variables_add_metadata(name: str, path: KeyPath) -> None:
    """Any name below the metadata sets a custom key, in lower case."""
    assert contents({name: "x"}) == {"settings": {path: Variable(name, "x")}}


def test_other_programs_variables_are_left_alone() -> None:
    """Names without the prefix are nobody's business here, whatever they hold."""
    assert contents({"PATH": "", "ACBO": "1", "X_ACBO_TOTAL_STEPS": "1"}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ACBO_SERVICE_HOST", "10.0.0.1"),
        ("ACBO_SERVICE_PORT", "80"),
        ("ACBO_SERVICE_PORT_HTTP", "80"),
        ("ACBO_SERVICE_PORT_METRICS_2", "81"),
        ("ACBO_PORT", "tcp://10.0.0.1:80"),
        ("ACBO_PORT", "udp://10.0.0.1:53"),
        ("ACBO_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("ACBO_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("ACBO_PORT_80_TCP_PORT", "80"),
        ("ACBO_PORT_80_TCP_PROTO", "tcp"),
        ("ACBO_PORT_53_UDP_ADDR", "10.0.0.1"),
        ("ACBO_PORT_80_TCP_ADDR", ""),
    ],
)
def test_variables_of_kubernetes_are_silent(name: str, text: str) -> None:
    """What Kubernetes sets for a Service named acbo is neither a setting nor unknown."""
    assert contents({name: text}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("acbo_service_host", "10.0.0.1"),
        ("ACBO_SERVICE", "x"),
        ("ACBO_SERVICE_HOST_2", "10.0.0.1"),
        ("ACBO_SERVICE_PORTS", "80"),
        ("ACBO_PORT", "80"),
        ("ACBO_PORT", ""),
        ("ACBO_PORT", "http://10.0.0.1:80"),
        ("ACBO_PORT_80", "x"),
        ("ACBO_PORT_HTTP_TCP", "x"),
        ("ACBO_PORT_80_TCPS", "x"),
        ("ACBO_PORT_80_XTP", "x"),
    ],
)
def test_lookalikes_of_kubernetes_are_unknown(name: str, text: str) -> None:
    """Names that Kubernetes does not set for a Service named acbo are unknown like any other."""
    problem = only_unknown({name: text})
    assert (problem.path, problem.message) == ((name,), "no such setting")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ACBO_GRPO_GROUP_SIZE", "ACBO_GRPO__GROUP_SIZE"),
        ("acbo_grpo_group_size", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_GROUP_SIZE", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_REWARDS__GROUP_SIZE", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_TRAINER__GROUP_SIZE", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_GRPO__GROUP_SISE", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_GRPO__GROUP_SIZE__X", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_GRPO___GROUP_SIZE", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO_GRPO.GROUP-SIZE", "ACBO_GRPO__GROUP_SIZE"),
        ("ACBO__TOTAL_STEPS", "ACBO_TOTAL_STEPS"),
        ("ACBO_GRPO__LOG__FREQUENCY", "ACBO_LOG_FREQUENCY"),
        ("ACBO_EXPLORATION__UNCERTAINTY__WEIGHT", "ACBO_EXPLORATION__UNCERTAINTY_WEIGHT"),
        ("ACBO_TOTAL__STEPS", "ACBO_TOTAL_STEPS"),
        ("ACBO_TOTALSTEP", "ACBO_TOTAL_STEPS"),
        ("ACBO_GPRO", "ACBO_GRPO"),
        ("ACBO_GRPO__", "ACBO_GRPO"),
        ("ACBO_METADATA_", "ACBO_METADATA"),
        ("ACBO_METADATA_NOTE", "ACBO_METADATA__NOTE"),
        ("ACBO_metadata_run_name", "ACBO_METADATA__RUN_NAME"),
        ("ACBO_METADATA____NOTE", "ACBO_METADATA__NOTE"),
        ("ACBO_METADATA__A__", "ACBO_METADATA__A"),
        ("ACBO_META_DATA__NOTE", "ACBO_METADATA__NOTE"),
        ("ACBO_MAX_STEPS", "ACBO_TOTAL_STEPS"),
        ("ACBO_GRPO__LR", "ACBO_GRPO__LEARNING_RATE"),
        ("ACBO_CONFIG", "ACBO_CONFIG_FILE"),
        ("ACBO_CONFIGFILE", "ACBO_CONFIG_FILE"),
        ("ACBO_CONFIG_PATH", "ACBO_CONFIG_FILE"),
        ("ACBO_FILE", "ACBO_CONFIG_FILE"),
        ("ACBO_TOML_FILE", "ACBO_CONFIG_FILE"),
    ],
)
def test_unknown_variable_with_a_suggestion(name: str, meant: str) -> None:
    """A name that nothing knows is unknown, with the variable that was probably meant."""
    problem = only_unknown({name: "1"})
    assert problem.hint == f"did you mean {meant}?"
    assert problem.values[0][1].origin == Variable(name, "1")
    assert problem.at_key


@pytest.mark.parametrize(
    "name",
    ["ACBO_DB_SERVICE_HOST", "ACBO_DB_SERVICE_PORT_HTTP", "ACBO_MY_DB_PORT", "ACBO_DB_PORT_6379_TCP_ADDR"],
)
def test_variables_of_other_services_are_explained(name: str) -> None:
    """What Kubernetes sets for a Service whose name starts with acbo is unknown, with the way to be rid of it."""
    hint = "if Kubernetes set it for a Service, put enableServiceLinks: false into the pod's spec"
    assert only_unknown({name: "10.0.0.1"}).hint == hint


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("ACBO_", ""),
        ("ACBO_GRPO__X__Y", ""),
        ("ACBO_HOME", "ACBO_METADATA__HOME"),
        ("ACBO_LOGLEVEL", "ACBO_METADATA__LOGLEVEL"),
        ("ACBO_POLICY__HIDDEN_SIZE", "ACBO_METADATA__POLICY__HIDDEN_SIZE"),
        ("ACBO_\udcff", "ACBO_METADATA__\udcff"),
        ("acbo_ä", "ACBO_METADATA__Ä"),
        ("acbo_metadata" + "__a" * 20, ""),
    ],
)
def test_unknown_variable_without_a_suggestion(name: str, note: str) -> None:
    """A name that is near to nothing is unknown, with the variable of a note, if it can be one."""
    problem = only_unknown({name: "1"})
    hint = note and f"a note of your own belongs in {note}, a setting of your own in a schema of your own"
    assert (problem.path, problem.message, problem.hint) == ((name,), "no such setting", hint)


@pytest.mark.parametrize(
    "name",
    [
        *("ABCO_TOTAL_STEPS", "ACBO-TOTAL_STEPS", "ACOB_GRPO__GROUP_SIZE", "ACBOTOTAL_STEPS", "CBO_LOG_FREQUENCY"),
        *("ACB_GRPO", "ACBOX_GRPO__GROUP_SIZE", "XACBO_TOTAL_STEPS", "abco_total_steps", "ACBP_METADATA__NOTE"),
        *("ABCO_CONFIG_FILE", "ACBOO_RUN_DIR", "ACBO:MAY_CHANGE"),
    ],
)
def test_a_prefix_with_one_typing_error_is_unknown(name: str) -> None:
    """What would be a variable but for one letter of the prefix is an error like any unknown one."""
    (problem,) = sort({name: "1"}).unknown
    meant = next(rest for rest in (name[4:], name[5:], name[6:]) if is_variable(SCHEMA, f"ACBO_{rest}"))
    assert (problem.message, problem.hint) == ("no such setting", f"did you mean ACBO_{meant.upper()}?")


@pytest.mark.parametrize(
    "name",
    [
        *("MYACBO_TOTAL_STEPS", "ABCO_NO_SUCH", "AC_TOTAL_STEPS", "ACME_TOTAL_STEPS", "X_ACBO_TOTAL_STEPS"),
        *("ABOC_TOTAL_STEPS", "TOTAL_STEPS", "ABCO_", "ACBO", "ABCO_METADATA__"),
    ],
)
def test_other_names_are_no_near_misses(name: str) -> None:
    """A prefix of two errors, a rest that is no setting, and a word that contains the prefix are other programs'."""
    assert read_start(SCHEMA, environ={name: "1"}).inputs.environ == {}


def test_unknown_variables_keep_their_order() -> None:
    """All unknown names are found, in the order of the environment."""
    names = [f"ACBO_UNKNOWN_{number}" for number in (3, 1, 2)]
    found = sort({"ACBO_TOTAL_STEPS": "7", **dict.fromkeys(names, "x")})
    assert [problem.path for problem in found.unknown] == [(name,) for name in names]
    assert list(found.settings) == [("total_steps",)]


def test_only_the_variables_that_are_shown_get_a_suggestion() -> None:
    """Of very many unknown variables, those beyond what a report spells out are not compared with the settings."""
    names = [f"ACBO_GRPO_GROUP_SIZE{'_' * number}" for number in range(MAX_PROBLEMS + 5)]
    hints = [problem.hint for problem in sort(dict.fromkeys(names, "x")).unknown]
    assert hints == ["did you mean ACBO_GRPO__GROUP_SIZE?"] * MAX_PROBLEMS + [""] * 5


def test_depth_of_metadata() -> None:
    """A custom key has as many parts as a key in a file may have, and no more."""
    names = [variable_name(SCHEMA, ("metadata", *"a" * (parts - 1))) for parts in (MAX_KEY_PARTS, MAX_KEY_PARTS + 1)]
    found = sort(dict.fromkeys(names, "x"))
    assert [variable.name for variable in found.settings.values()] == names[:1]
    assert [problem.path for problem in found.unknown] == [(names[1],)]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (("grpo", "group_size"), ["ACBO_GRPO__GROUP_SIZE", "acbo_grpo__group_size"]),
        (("total_steps",), ["ACBO_TOTAL_STEPS", "Acbo_Total_Steps", "acbo_total_steps"]),
        (("grpo",), ["ACBO_GRPO", "ACBO_grpo"]),
        (("metadata", "note"), ["ACBO_METADATA__NOTE", "ACBO_METADATA__note"]),
    ],
)
def test_two_variables_for_one_key(path: KeyPath, names: list[str]) -> None:
    """A key that several variables set is one problem which names all of them, even when their texts agree."""
    problem = only_problem(dict.fromkeys(names, "1"))
    assert problem.path == path
    expected = f"is set by {len(names)} variables, whose names differ only in case: unset all but one"
    assert problem.message == expected
    assert [value.origin for _, value in problem.values] == [Variable(name, "1") for name in names]


def test_two_variables_for_the_file() -> None:
    """Two variables that name the file are a problem, and neither of them is used."""
    problem = only_problem({"ACBO_CONFIG_FILE": "a.toml", "acbo_config_file": "b.toml"})
    assert problem.message == "is set by 2 variables, whose names differ only in case: unset all but one"


UNUSABLE: list[tuple[Any, str]] = [
    ("", "is empty: give a value or unset it"),
    (" \t\n", "is empty: give a value or unset it"),
    (7, "the environment holds text, not int"),
    (None, "the environment holds text, not NoneType"),
]


@pytest.mark.parametrize("name", ["ACBO_GRPO__GROUP_SIZE", "ACBO_GRPO", "ACBO_METADATA__NOTE", "ACBO_CONFIG_FILE"])
@pytest.mark.parametrize(("text", "message"), UNUSABLE)
def test_unusable_text(text: Any, message: str, name: str) -> None:
    """A known variable whose text is empty or no text at all is a problem and sets nothing."""
    problem = only_problem({name: text})
    assert problem.message == message
    ((_, value),) = problem.values
    assert (value.value, value.origin) == (text, Variable(name, text))


@pytest.mark.parametrize("name", ["ACBO_GRPO__GROUP_SIZE", "ACBO_GRPO", "ACBO_METADATA__NOTE"])
def test_undecodable_text(name: str) -> None:
    """A variable whose bytes are no UTF-8 is a problem."""
    assert only_problem({name: "a\udcff"}).message == "is not valid UTF-8"


def test_undecodable_path() -> None:
    """The path of a file may hold any bytes."""
    assert contents({"ACBO_CONFIG_FILE": "a\udcff"}) == {}


@pytest.mark.parametrize("name", ["ACBO_PORT", "ACBO_SERVICE_PORT", "ACBO_UNKNOWN"])
def test_environment_that_holds_no_text(name: str) -> None:
    """A value that is no text does no harm under a name that is no setting either."""
    assert len(sort({name: 80}).unknown) <= 1


def test_custom_key_below_a_text() -> None:
    """A custom key can not be a text and hold other keys at once."""
    found = sort({"ACBO_METADATA__A__B__C": "1", "ACBO_METADATA__A": "2", "ACBO_METADATA__B__C": "3"})
    (problem,) = found.problems
    assert problem.path == ("metadata", "a", "b", "c")
    assert problem.message == "cannot be set below metadata.a, which ACBO_METADATA__A sets to text"
    assert list(found.settings) == [("metadata", "a"), ("metadata", "b", "c")]


def test_table_and_single_variables_go_together() -> None:
    """A table as JSON and single keys of it can both be set, and each keeps its place."""
    found = sort({"ACBO_GRPO": "{}", "ACBO_GRPO__GROUP_SIZE": "8", "ACBO_METADATA": "{}", "ACBO_METADATA__A": "1"})
    assert list(found.tables) == [("grpo",), ("metadata",)]
    assert list(found.settings) == [GROUP_SIZE, ("metadata", "a")]
    assert found.problems == found.unknown == []


@given(
    st.dictionaries(
        st.text("ABCMETDOR_-.é", max_size=12).map("ACBO_{}".format), st.text("1ä \n\udcff", max_size=3), max_size=4
    )
)
def test_every_variable_has_one_place(environ: dict[str, str]) -> None:
    """Whatever the names and texts are, each variable with the prefix is found once."""
    found = sort(environ)
    known = [*found.settings.values(), *found.tables.values()]
    named = [variable.name for variable in known]
    named += [key[-1] for problem in found.unknown for key, _ in problem.values]
    named += [str(value.origin) for problem in found.problems for _, value in problem.values]
    assert sorted(named) == sorted(environ)


# As sources


def read(environ: dict[str, str]) -> tuple[list[Source], list[Problem]]:
    """The sources of an environment, and what is wrong with it."""
    return read_environment(read_start(SCHEMA, environ=environ).inputs)


@given(layers())
def test_single_variables_give_back_what_was_written(layer: dict[KeyPath, Any]) -> None:
    """Each value written as text is read as the same value of the same type, with its variable as origin."""
    sources, problems = read({variable_name(SCHEMA, path): text_of(value) for path, value in layer.items()})
    assert problems == []
    assert len(sources) == bool(layer)
    for source in sources:
        flat = {(key,): value for key, value in source.tree.items() if not isinstance(value, dict)}
        flat |= {(t, key): v for t, table in source.tree.items() if isinstance(table, dict) for key, v in table.items()}
        assert {path: repr(value) for path, value in flat.items()} == {path: repr(layer[path]) for path in layer}
        assert all(str(source.origin_of(path)) == variable_name(SCHEMA, path) for path in layer)


def test_metadata_variables_may_be_nested() -> None:
    """Parts of a metadata variable's name are tables; their text stays text, in lower-case keys."""
    (source,), _ = read({"ACBO_METADATA__RUN__ID": "17", "ACBO_METADATA__NAME": " x "})
    assert source.tree == {"metadata": {"run": {"id": "17"}, "name": "x"}}
    assert str(source.origin_of(("metadata", "run"))) == "ACBO_METADATA__RUN__ID"


@pytest.mark.parametrize("name", [*(path[0] for path in SCHEMA.sections if path), "metadata"])
def test_a_table_may_come_as_json(name: str) -> None:
    """A variable with a section's name holds its table, typed as JSON is."""
    (source,), problems = read({variable_name(SCHEMA, (name,)): '{"a": 1, "b": "1", "c": {"d": 1.0}}'})
    assert source.tree == {name: {"a": 1, "b": "1", "c": {"d": 1.0}}}
    assert str(source.origin_of((name, "a"))) == variable_name(SCHEMA, (name,))
    assert problems == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name enclosed in double quotes"),
        ("[1]", "[1] is not an object"),
        ("null", "null is not an object"),
        ("64", "64 is not an object"),
        ('{"a": 1, "a": 2}', "the key 'a' stands in it twice"),
        ('{"a": {"b": 1, "b": 2}}', "the key 'b' stands in it twice"),
        ('{"a": NaN}', "NaN is not a finite number"),
        ('{"a": -Infinity}', "-Infinity is not a finite number"),
        ('{"a": ' * 100_000, "is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "a number has too many digits"),
    ],
)
def test_json_that_does_not_decode_hides_nothing_else(text: str, message: str) -> None:
    """One undecodable table is one problem, and the others are read."""
    (source,), (problem,) = read({"ACBO_GRPO": text, "ACBO_REWARDS": '{"parent_weight": 1}'})
    assert problem.path == ("grpo",)
    assert message in problem.message
    assert source.tree == {"rewards": {"parent_weight": 1}}


def test_very_many_metadata_variables_are_read_in_time() -> None:
    """Twice as many variables take about twice as long: 20,000 take a second or so."""
    environ = {f"ACBO_METADATA__K{number}__A": "x" for number in range(20_000)}
    started = time.process_time()
    (source,), _ = read(environ)
    assert all(str(source.origin_of(("metadata", f"k{number}"))).endswith("__A") for number in range(20_000))
    assert time.process_time() - started < 10
