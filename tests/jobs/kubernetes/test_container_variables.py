"""What kubectl takes for text, against the schemas of Kubernetes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from acbo_settings.cli.checked_job import check_jobs
from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.kubernetes.yaml_text import plain_kind

from ...strategies import SCHEMA
from ..corpus import MANIFESTS, Case, read_cases

KNOWN = ("ConfigMap", "CronJob", "DaemonSet", "Deployment", "Job", "Pod", "Secret", "Service", "StatefulSet")
STAND_INS = {"a number": 1, "true or false": True, "nothing": None}
NO_TEXT = ("must be text", "must be a list")


class Kubectl(yaml.SafeLoader):
    """A loader that takes a plain scalar for what kubectl takes it for; which number it is does not matter here."""


def construct(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    """A text, or what stands in for what is none."""
    return STAND_INS.get(plain_kind(node.value), node.value) if node.style is None else node.value


Kubectl.yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}
Kubectl.add_constructor("tag:yaml.org,2002:str", construct)


def is_refused(text: str) -> bool:
    """Whether a document of the text is not valid by the schemas of Kubernetes."""
    kubernetes_validate: Any = importlib.import_module("kubernetes_validate")  # it has no types
    for document in yaml.load_all(text, Kubectl):
        if isinstance(document, dict) and document.get("kind") in KNOWN:
            try:
                kubernetes_validate.validate(document, "1.31")
            except kubernetes_validate.SchemaNotFoundError:  # another program's Job
                continue
            except kubernetes_validate.ValidationError:
                return True
    return False


def cases() -> list[Case]:
    """The manifests that are YAML, of kinds that Kubernetes itself knows."""
    found = []
    for case in read_cases(MANIFESTS):
        text = (MANIFESTS / f"{case.name}.yaml").read_text(encoding="utf-8")
        try:
            kinds = {document.get("kind") for document in yaml.load_all(text, Kubectl) if isinstance(document, dict)}
        except yaml.YAMLError:
            continue
        if kinds and kinds <= set(KNOWN) and "!!" not in text:  # a tag is not seen by the loader here
            found.append(case)
    return found


@pytest.mark.heavy
@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_schemas_of_kubernetes_agree_on_what_is_no_text(case: Case) -> None:
    """A value is said to be no text exactly where the schemas refuse the manifest."""
    text = (MANIFESTS / f"{case.name}.yaml").read_text(encoding="utf-8")
    (checked,) = check_jobs(SCHEMA, [Document(f"{case.name}.yaml", text)])
    says_so = any(words in problem.message for problem in checked.problems for words in NO_TEXT)
    assert says_so == is_refused(text)
