"""Manifests: what each container is given, and what is said of a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acbo_settings.cli.checked_job import check_jobs
from acbo_settings.engine.problems import Problem
from acbo_settings.engine.report import format_problem
from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.job_file import MANIFEST, find_kind
from acbo_settings.jobs.kubernetes.manifest import read_manifests
from acbo_settings.jobs.part import Job, Part

from ... import command_line
from ...strategies import SCHEMA
from ..corpus import MANIFESTS, Case, find_mismatches, read_cases, report_of, write_files

AssertReport = Callable[[str, str], None]
CASES = read_cases(MANIFESTS)

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: scm20}}
spec:
  containers:
    - name: train
      image: acbo-training:1.0
{0}
"""
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: scm20}
data:
  acbo.toml: |
    total_steps = 20000
---
"""


def documents_of(case: Case) -> list[Document]:
    """The files of one call."""
    names = [f"{case.name}.yaml", *case.facts.get("with", ())]
    return [Document(name, (MANIFESTS / name).read_text(encoding="utf-8")) for name in names]


def given_by(part: Part) -> dict[str, str]:
    """The variables of the application that a container gets, `?` for what only the job knows."""
    given = [name for name, text in part.environ.items() if text != "set by the command"]
    ours = [name for name in given if name.upper().startswith(SCHEMA.application.prefix)]
    return {name: part.environ[name] if part.variables[name].is_known else "?" for name in ours}


def is_called(part: Part, key: str) -> bool:
    """Whether a part is the container of a name, behind that of its job or replica where there are several."""
    *owner, name = key.split("/")
    return f"container {name} of " in part.title and all(each in part.title for each in owner)


def read(text: str) -> Job:
    """One file."""
    [job] = read_manifests(SCHEMA, [Document("job.yaml", text)])
    return job


def pod(*lines: str, above: str = "", below: str = "") -> str:
    """A pod with one container, of which these are further lines."""
    return above + POD.format("\n".join(f"      {line}" for line in lines)) + below


def variables(**values: str) -> str:
    """An `env` on one line."""
    return f"env: [{', '.join(f'{{name: {name}, value: {value}}}' for name, value in values.items())}]"


def told(text: str) -> list[Problem]:
    """All that `check` says of one file."""
    [checked] = check_jobs(SCHEMA, [Document("job.yaml", text)])
    return [*checked.problems, *checked.advice]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_said_of_a_manifest(case: Case, assert_report: AssertReport) -> None:
    """Each manifest of the corpus has its mistakes told at their lines, and nothing else."""
    Path("acbo.toml").unlink()
    write_files(case.facts.get("files", {}))
    documents = [document for document in documents_of(case) if find_kind(document.text) == MANIFEST]
    checked = [*check_jobs(SCHEMA, documents)]
    assert find_mismatches(case, f"{case.name}.yaml", checked) == []
    if case.finds:
        assert_report(f"manifests/{case.name}", report_of(checked))


@pytest.mark.parametrize("case", [case for case in CASES if "containers" in case.facts], ids=str)
def test_what_a_container_is_given(case: Case) -> None:
    """Each container of the corpus gets its variables, and one that has none is passed over."""
    parts = [part for job in read_manifests(SCHEMA, documents_of(case)) for part in job.parts if not part.alone]
    for key, expected in case.facts["containers"].items():
        found = [given_by(part) for part in parts if is_called(part, key)]
        assert found == [expected] or (not found and not expected), key
    assert len(parts) <= len(case.facts["containers"])


def test_what_is_no_manifest_is_passed_over() -> None:
    """YAML of another kind has no parts and no problems."""
    texts = ["", "---\n---\n", "- 1\n- a: b\n", "containers: [{name: a}]\n", "kind: Config\nspec: text\n"]
    for text in texts:
        assert read(text) == Job(())
    assert find_kind("kind: Job\nspec: {}\n") is None


TITLES = {
    "rayjob-with-a-mistake": [
        "container ray-job-submitter of RayJob scm20, submitter",
        "container ray-head of RayJob scm20, head",
        "container ray-worker of RayJob scm20, gpu",
    ],
    "pytorchjob-with-a-mistake-in-the-workers": [
        "container pytorch of PyTorchJob scm20, Master",
        "container pytorch of PyTorchJob scm20, Worker",
    ],
    "anchor-with-a-mistake": ["init container check of Pod pair", "container train of Pod pair"],
    "clean-jobset": ["container leader of JobSet acbo, leader", "container worker of JobSet acbo, workers"],
    "list-with-a-mistake": ["container train of Pod scm20"],
    "generated-name-with-a-mistake": ["container train of Job scm20-"],
    "configmap-alone": ["acbo.toml of ConfigMap scm20"],
}


@pytest.mark.parametrize("name", TITLES)
def test_parts_are_called_by_container_object_and_replica(name: str) -> None:
    """The title of a part names what tells it from every other; its line is that of the container's name."""
    document = Document(f"{name}.yaml", (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8"))
    [job] = read_manifests(SCHEMA, [document])
    assert [part.title for part in job.parts] == TITLES[name]
    assert all("name:" in document.line(part.line) or part.alone for part in job.parts)


def test_a_container_without_a_name_is_called_by_its_position() -> None:
    """So is an object without a name by its line."""
    text = "kind: Pod\napiVersion: v1\nspec:\n  containers:\n    - env: [{name: ACBO_LOG_FREQUENCY, value: '20'}]\n"
    [part] = read(text).parts
    assert (part.title, part.line) == ("container 1 of Pod in line 1", 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$$$$(A)", "$$(A)"),
        ("$A ${A} $()", "$A ${A} $()"),
        ("$(A", "$(A"),
        ("$$ $(A) $$", "$ 1 $"),
        ("$($(A))", "$($(A))"),
        ("$(LATER)", "$(LATER)"),
        ("$(ACBO_METADATA__N)", "$(ACBO_METADATA__N)"),
        ("$(DATABASE_SERVICE_HOST)", "?"),
    ],
)
def test_references(text: str, expected: str) -> None:
    """References are those of Kubernetes: to what is defined above, and left as they are written else."""
    [part] = read(pod(variables(A="'1'", ACBO_METADATA__N=f"'{text}'", LATER="x"))).parts
    assert given_by(part) == {"ACBO_METADATA__N": expected}


def test_what_may_come_from_what_is_not_given_is_not_known() -> None:
    """Beside a Secret in `envFrom`, a reference to nothing may be one to what that holds."""
    lines = ["envFrom: [{secretRef: {name: store}}]", variables(ACBO_METADATA__N="$(REGION)")]
    assert [given_by(part) for part in read(pod(*lines)).parts] == [{"ACBO_METADATA__N": "?"}]


def test_a_variable_may_add_to_the_one_above() -> None:
    """The first of a name is not ignored where the second refers to it."""
    env = "[{name: ACBO_METADATA__N, value: a}, {name: ACBO_METADATA__N, value: $(ACBO_METADATA__N)-b}]"
    job = read(pod(f"env: {env}"))
    assert (given_by(job.parts[0]), job.problems) == ({"ACBO_METADATA__N": "a-b"}, ())


def test_places_of_variables() -> None:
    """A variable stands where its text does, or where its name does if that is wrong."""
    lines = [
        "env:",
        "  - name: ACBO_LOG_FREQUENCY",
        "    value: '20'",
        "  - {name: ACBO_TOTAL_STEPS, value: '5'}",
        "  - name: ACBO_TOTAL_STEP",
        "    value: '5'",
        "  - name: ACBO_WARMUP_STEPS",
    ]
    [part] = read(pod(*lines)).parts
    places = [tuple(variable.exact or ()) for variable in part.variables.values()]
    assert places == [(10, 11, 18), (11, 18, 43), (12, 17, 32), (14, 17, 34)]


def test_a_block_has_its_own_lines_and_columns() -> None:
    """A mistake in an embedded file is shown at its line of the manifest, with the caret below its value."""
    problem = told(CONFIG_MAP.replace("20000", "0"))[0]
    assert format_problem(problem).split("\n")[1:] == [
        "  --> job.yaml:6",
        "   |",
        " 6 |     total_steps = 0",
        "   |                   ^",
    ]


def test_the_directory_that_a_file_is_looked_for_in() -> None:
    """A relative path is one in `workingDir`, or in a directory of the image, of which nothing is known."""
    volumes = "  volumes: [{name: v, configMap: {name: scm20}}, {name: data, emptyDir: {}}]\n"
    mounts = "volumeMounts: [{name: v, mountPath: /app/conf/}, {name: data, mountPath: /data}]"
    text = pod(
        "workingDir: /app", mounts, variables(ACBO_CONFIG_FILE="conf/acbo.toml"), above=CONFIG_MAP, below=volumes
    )
    [part] = read(text).parts
    files = part.surroundings
    assert (str(files), files.directory, files.local_path("/data/runs")) == ("the container train", None, None)
    for path in ("conf/acbo.toml", "/app/conf/acbo.toml", "/app/x/../conf/./acbo.toml", "conf/..data/acbo.toml"):
        assert files.read(path).content == b"total_steps = 20000\n"
    assert files.read("conf", inside="acbo.toml").path == "/app/conf/acbo.toml"
    assert isinstance(files.read("conf/base.toml").error, FileNotFoundError)
    assert isinstance(files.read("con\0f").error, ValueError)
    assert [files.read(path).is_known for path in ("/data/acbo.toml", "/etc/acbo.toml", "/dev/null")] == [
        False,
        False,
        True,
    ]
    assert files.read_if_there("acbo.toml") is None
    _, part = read(text.replace("workingDir: /app", "workingDir: /data")).parts
    file = part.surroundings.read_if_there("acbo.toml")
    assert file
    assert not file.is_known
    _, part = read(text.replace("workingDir: /app", "tty: true")).parts
    assert not part.surroundings.read("conf/acbo.toml").is_known


def test_a_file_that_the_command_names_is_read() -> None:
    """Where no variable names a file, one that is mounted and that the command names is judged."""
    volumes = "  volumes: [{name: v, configMap: {name: scm20}}]\n"
    lines = ["args: [--config=/etc/acbo/acbo.toml]", "volumeMounts: [{name: v, mountPath: /etc/acbo}]"]
    text = pod(*lines, above=CONFIG_MAP.replace("20000", "0"), below=volumes)
    assert [problem.path for problem in told(text)] == [("total_steps",)]
    assert told(pod("args: [--config, /data/acbo.toml]", variables(ACBO_LOG_FREQUENCY="'20'"))) == []
    other = CONFIG_MAP.replace("acbo.toml", "tool.toml")
    lines = [each.replace("acbo.toml", "tool.toml") for each in lines]
    assert told(pod(*lines, variables(ACBO_LOG_FREQUENCY="'20'"), above=other, below=volumes)) == []


def test_what_cannot_be_decoded_is_not_judged() -> None:
    """A file in binaryData that is no base64, and one that is still to be rendered, are known only later."""
    volumes = "  volumes: [{name: v, configMap: {name: scm20}}]\n"
    lines = ["volumeMounts: [{name: v, mountPath: /c}]", variables(ACBO_CONFIG_FILE="/c/acbo.toml")]
    binary = CONFIG_MAP.replace("\ndata:", "\nbinaryData:").replace("|\n    total_steps = 20000", "'no base64!'")
    rendered = CONFIG_MAP.replace("20000", "{{ .Values.steps }}")
    assert told(pod(*lines, above=binary, below=volumes)) == []
    (advice,) = told(pod(*lines, above=rendered, below=volumes))
    assert (advice.severity, advice.message) == (
        "advice",
        "acbo.toml holds a template, so that nothing in it is judged",
    )
    quoted = CONFIG_MAP.replace("total_steps = 20000", "metadata.prompt = 'Hello {{name}}'\n    log_frequency = 0")
    assert [problem.path for problem in told(pod(*lines, above=quoted, below=volumes))] == [("log_frequency",)]


def test_no_secret_is_shown() -> None:
    """A value that is no text is not repeated where its name says that it is a secret."""
    problems = told(pod(variables(ACBO_CONFIG_FILE="/dev/null", ACBO_METADATA__API_KEY="12345")))
    assert [problem.message.partition(" ")[0] for problem in problems] == ["kubectl", "is"]
    assert not any("12345" in format_problem(problem) for problem in problems)


def test_a_change_to_a_container_need_not_be_whole() -> None:
    """A patch has no image and no volumes: that these are lacking is not told."""
    lines = ["volumeMounts: [{name: v, mountPath: /c}]", variables(ACBO_CONFIG_FILE="/c/acbo.toml")]
    assert [problem.severity for problem in told(pod(*lines))] == ["error"]
    assert told(pod(*lines).replace("      image: acbo-training:1.0\n", "")) == []


def test_the_configmap_of_the_same_file_is_meant() -> None:
    """Overlays have ConfigMaps of one name: each of them with what stands beside it."""
    volumes = "  volumes: [{name: v, configMap: {name: scm20}}]\n"
    lines = ["volumeMounts: [{name: v, mountPath: /c}]", variables(ACBO_CONFIG_FILE="/c/acbo.toml")]
    texts = [pod(*lines, above=CONFIG_MAP.replace("20000", steps), below=volumes) for steps in ("7000", "9000")]
    jobs = read_manifests(SCHEMA, [Document(f"{number}.yaml", text) for number, text in enumerate(texts)])
    assert [job.parts[0].surroundings.read("/c/acbo.toml").name for job in jobs] == ["0.yaml", "1.yaml"]


KEYS = (
    *("spec", "template", "containers", "initContainers", "env", "envFrom", "name", "value", "valueFrom", "prefix"),
    *(
        "configMapKeyRef",
        "configMapRef",
        "secretKeyRef",
        "fieldRef",
        "key",
        "optional",
        "volumes",
        "configMap",
        "items",
    ),
    *("path", "projected", "sources", "volumeMounts", "mountPath", "subPath", "workingDir", "command", "args", "data"),
    *("binaryData", "metadata", "kind", "image", "acbo.toml", "volumeClaimTemplates", "<<", ""),
)
TEXTS = (
    *("a", "acbo.toml", "/a", "/a/acbo.toml", "ACBO_CONFIG_FILE", "ACBO_TOTAL_STEPS", "ABCO_TOTAL_STEPS", "ACBO_=", ""),
    *("$(a)", "$(ACBO_TOTAL_STEPS)", "{{ a }}", "total_steps = 0", 'extends = "../b"', "\0", "~", "Job", "ConfigMap"),
)


@st.composite
def objects(draw: st.DrawFn) -> Any:
    """Objects of a workload and a ConfigMap, as somebody might write them who knows the words alone."""
    leaves = st.sampled_from(TEXTS) | st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    trees = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
        max_leaves=25,
    )
    containers = st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "env", "envFrom", "volumeMounts", "args"), trees)),
        max_size=3,
    )
    pods = st.fixed_dictionaries({"containers": containers}, optional={"volumes": trees, "initContainers": containers})
    return {"apiVersion": "v1", "kind": "Job", "metadata": draw(trees), "spec": draw(pods | trees)}


@given(objects(), st.dictionaries(st.sampled_from(("acbo.toml", "a", "ACBO_TOTAL_STEPS")), st.sampled_from(TEXTS)))
def test_any_tree_is_read(workload: Any, data: dict[str, str]) -> None:
    """Whatever stands below `kind: Job`, it is judged without an exception, and each problem has its place there."""
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
    text = f"{json.dumps(config_map)}\n---\n{json.dumps(workload, indent=1)}\n"
    for problem in told(text):
        assert format_problem(problem)
        places = [sourced.origin.position for _, sourced in problem.values]
        assert all(place.line <= text.count("\n") for place in places if place)


@given(st.text() | st.text(alphabet=" \n\t-:[]{},&*!|>'\"#%@`<?a0"))
@example("a: &a [*a]")
@example("a: *b")
@example("? [a]: b\n? {c: d}\n: e")
@example("kind: Job\nspec: &s {<<: [1, {containers: 5}, &t {a: b}], a: *t}")
@example("a: \ud800")
@example("é: \x01")
@example("--- !!binary x\n...\n%YAML 1.1\n---\n- !<tag:a> b")
def test_any_text_is_read(text: str) -> None:
    """Whatever a text holds, at most one problem is told, and it has a place in the text."""
    for above in ("", "kind: Job\n", "kind: Job\nspec:\n  containers:\n  - "):
        job = read(above + text)
        assert len(job.problems) <= 1
        for problem in job.problems:
            place = problem.values[0][1].origin.position
            assert place is not None
            assert place.line <= (above + text).count("\n") + 1


LAUGHS = "x0: &x0 [ha, ha]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 30))
MERGES = "b: &b\n" + "".join(f"  k{n}: 1\n" for n in range(3000)) + "".join(f"m{n}: {{<<: *b}}\n" for n in range(3000))
COPIES = (
    "spec:\n  containers:\n  - env: &e ["
    + ", ".join(f"{{name: ACBO_METADATA__N{n}, value: a}}" for n in range(2000))
    + "]\n"
    + "  - env: *e\n" * 2000
)
TOWER = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" if n else "a0: &a0 [x]\n" for n in range(5000)) + "spec: *a4999\n"


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{LAUGHS}spec: *x29\n", "repeat too much"),
        (MERGES, "repeat too much"),
        (COPIES, "repeat too much"),
        (TOWER, ""),
        (f"spec: {{containers: [{{{variables(ACBO_METADATA__N=repr('$(' * 100_000))}}}]}}\n", ""),
        (f"spec: {{containers: [{{{variables(ACBO_METADATA__N=repr('{{' * 100_000))}}}]}}\n", ""),
    ],
    ids=["aliases of aliases", "merged keys", "copies of variables", "tower", "references", "braces"],
)
def test_little_text_that_stands_for_much_ends_soon(text: str, says: str) -> None:
    """What would take hours when it is spelled out is refused, as kubectl does."""
    problems = read(f"apiVersion: v1\nkind: Job\n{text}").problems
    assert [says in problem.message for problem in problems] == [True] * bool(says)


def test_deep_nesting_is_read_or_refused() -> None:
    """How deep a document may be nested is for the YAML library to say; it ends in either case."""
    problems = read(f"apiVersion: v1\nkind: Job\nspec: {'[' * 50_000}{']' * 50_000}\n").problems
    assert all("depth" in problem.message for problem in problems)


def test_references_to_references_end() -> None:
    """Variables that double one another are known as far as a process can have them."""
    env = {"A0": "a" * 64} | {f"A{n}": f"$(A{n - 1})$(A{n - 1})" for n in range(1, 100)}
    [part] = read(pod(variables(**env, ACBO_METADATA__N="$(A99)", ACBO_METADATA__M="$(A3)"))).parts
    assert given_by(part) == {"ACBO_METADATA__N": "?", "ACBO_METADATA__M": "a" * 512}


INDEXED_JOB = (Path(__file__).parents[3] / "examples/sweeps/indexed-job.yaml").read_text(encoding="utf-8")


def test_a_sweep_that_is_elsewhere_is_no_mistake() -> None:
    """Nothing is judged against the file that lies here by chance; a variable is judged by itself."""
    Path("acbo.toml").write_text("total_steps = 50\n")
    command_line.write("job.yaml", INDEXED_JOB)
    assert command_line.told("check", "--strict", "job.yaml") == "--- exit code 0\n--- stdout\nok"
    variable = "            - name: ACBO_GRPO__GROUP_SIZE\n              value: '4'\n"
    command_line.write("job.yaml", INDEXED_JOB.replace("          env:\n", f"          env:\n{variable}"))
    assert "Group size should be at least 8" in command_line.told("check", "job.yaml")


def test_a_sweep_needs_the_number_of_a_pod(assert_report: AssertReport) -> None:
    """In a Job that is not indexed no pod knows which point it is, unless a variable says so."""
    plain = INDEXED_JOB.replace("  completionMode: Indexed\n", "")
    command_line.write("job.yaml", plain)
    assert_report("manifest-sweep-without-a-number", command_line.told("check", "job.yaml"))
    number = "            - name: ACBO_SWEEP_INDEX\n              value: '3'\n"
    command_line.write("job.yaml", plain.replace("          env:\n", f"          env:\n{number}"))
    assert command_line.told("check", "job.yaml") == "--- exit code 0\n--- stdout\nok"
