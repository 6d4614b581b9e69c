"""Manifests of Kubernetes: the containers of all workloads, each with the variables and files that it is given.

A pod is found by its shape, a mapping with a list of `containers` below the `spec` of an object, so that the kinds of
operators need not be known. What is wrong with the manifest itself is told here; settings are judged by the loader.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from ...engine.extends import extended_files
from ...engine.inputs import MAX_BYTES, RawFile
from ...engine.origins import JobVariable
from ...engine.schema import Schema
from ...engine.toml_document import Document, Position
from ..findings import Findings
from ..part import Job, Part, Unknown
from .config_maps import ConfigMap, ConfigMaps, is_template
from .container_variables import ContainerVariables, VariableNames, lacking_key, not_given
from .mounts import Lack, Mount, Mounts, Volume, Volumes
from .yaml_text import Double, Node, Tree, YamlError

_KINDS_OF_CONTAINERS = {"initContainers": "init container", "containers": "container"}
_MAX_DOUBLES = 1000
_READ_KEYS = {
    *("env", "envFrom", "volumeMounts", "volumes", "configMap", "items", "data", "binaryData"),
    *("containers", "initContainers", "template", "spec"),
}


def read_manifests(schema: Schema, documents: Sequence[Document]) -> list[Job]:
    """The containers of each file that are given variables of the application, or its file, and what is wrong there.

    The ConfigMaps of all files are known to all of them. A ConfigMap's file that no container reads is judged alone.
    """
    return _Manifests(schema, documents).jobs


class _Object(NamedTuple):
    """An object of a file, such as a Job."""

    tree: Tree
    node: Node

    def text(self, *names: str) -> str:
        """The text at a path of keys; empty where there is none."""
        return self.tree.text(self.node, *names)

    @property
    def title(self) -> str:
        """Its kind and name, by which a report speaks of it."""
        name = self.text("metadata", "name") or self.text("metadata", "generateName")
        return f"{self.text('kind')} {name or f'in line {self.tree.line(self.node)}'}"


class _Pod(NamedTuple):
    """A pod of an object: its spec, what tells it from the object's other pods, and the volumes that are claimed."""

    node: Node
    labels: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


class _Manifests:
    """All files of one call; `jobs` is what came of them."""

    def __init__(self, schema: Schema, documents: Sequence[Document]) -> None:
        self.schema = schema
        self.names = VariableNames(schema)
        self.findings = Findings()
        self.maps = ConfigMaps()
        self.read: set[tuple[int, ...]] = set()
        """The files of ConfigMaps that a container reads."""
        trees = [self._tree(number, document) for number, document in enumerate(documents)]
        objects = [self._objects(tree) if tree else [] for tree in trees]
        self._parts = [list(self._parts_of(found)) for found in objects]
        for config_map in self.maps:
            self._parts[config_map.tree.number] += self._alone(config_map)
            self._parts[config_map.tree.number] += self._variables_alone(config_map)
        for tree, found in zip(trees, objects, strict=True):
            if tree and found:
                self._tell_doubles(tree)
        self.jobs = [
            Job(tuple(sorted(parts, key=lambda part: part.line)), self.findings.of(document))
            for document, parts in zip(documents, self._parts, strict=True)
        ]

    def _tree(self, number: int, document: Document) -> Tree | None:
        try:
            return Tree(document, number)
        except YamlError as error:
            self._tell_unreadable(document, error)
            return None

    def _tell_unreadable(self, document: Document, error: YamlError) -> None:
        """Say that a file is no YAML; what is a template will be some when it is rendered."""
        is_rendered = "{{" not in document.text
        offset = error.offset if is_rendered else document.text.index("{{")
        before = document.text[:offset]
        line, column = before.count("\n") + 1, offset - before.rfind("\n")
        message, hint = f"cannot be read as YAML: {error}", ""
        if not is_rendered:
            message = "is a template and no YAML yet, so that nothing in it is judged"
            hint = "render it into a file, with helm template for example, and check that"
        position = Position(line, column, column)
        self.findings.tell(document, position, message, hint, "error" if is_rendered else "advice")

    def _objects(self, tree: Tree) -> list[_Object]:
        """The objects of a file, those inside lists too; its ConfigMaps are noted."""
        found = []
        waiting = tree.roots[::-1]
        try:
            while waiting:
                node = waiting.pop()
                kind = tree.text(node, "kind")
                if kind.endswith("List"):
                    waiting += tree.items(tree.value(node, "items"))[::-1]
                elif kind == "ConfigMap":
                    self._note(ConfigMap(tree, node, self.findings))
                    found.append(_Object(tree, node))
                elif kind:
                    found.append(_Object(tree, node))
        except YamlError as error:
            self._tell_unreadable(tree.document, error)
        return found

    def _note(self, config_map: ConfigMap) -> None:
        """Add a ConfigMap, and say which of its variables and files are no text."""
        self.maps.add(config_map)
        for key, entry in config_map.data.items():
            if self.names.has(key):
                config_map.tell_of_value(key, entry)
        if file := config_map.files.get(self.schema.application.file_name):
            file.is_known  # noqa: B018, what is wrong with it is told when it is asked

    def _parts_of(self, objects: Sequence[_Object]) -> Iterator[Part]:
        for each in objects:
            try:
                for pod in _pods(each):
                    yield from self._parts_of_pod(each, pod)
            except YamlError as error:
                self._tell_unreadable(each.tree.document, error)
                return

    def _parts_of_pod(self, owner: _Object, pod: _Pod) -> Iterator[Part]:
        tree = owner.tree
        find = partial(self.maps.find, tree, owner.text("metadata", "namespace"))
        volumes = Volumes(tree, pod.node, pod.claims, find)
        for key, kind in _KINDS_OF_CONTAINERS.items():
            for position, node in enumerate(tree.items(tree.value(pod.node, key)), 1):
                name = tree.text(node, "name") or str(position)
                title = ", ".join([f"{kind} {name} of {owner.title}", *pod.labels])
                variables = ContainerVariables(self.names, tree, node, find, self.findings)
                mounts = Mounts(f"the {kind} {name}", tree.text(node, "workingDir"), volumes.mounts_of(node))
                container = _Container(self, tree, node, title, variables, mounts)
                if _lacks_index(owner):
                    container.tell_of_sweep()
                yield from container.parts

    def _alone(self, config_map: ConfigMap) -> Iterator[Part]:
        """The file of a ConfigMap, if no container of the given files reads it."""
        name = self.schema.application.file_name
        file = config_map.files.get(name)
        if file is None or not file.is_known or file.place in self.read:
            return
        owner = f"ConfigMap {config_map.name}".rstrip()
        mounts = Mounts(f"the {owner}", "/", [Mount("/", file.entry.key, Volume(config_map.files))])
        line = config_map.position(file.entry).line
        yield Part(f"{name} of {owner}", line, {}, {}, mounts, alone=True)

    def _variables_alone(self, config_map: ConfigMap) -> Iterator[Part]:
        """The variables of a ConfigMap that no container of the given files refers to."""
        document = config_map.tree.document
        for name, entry in () if config_map.is_used else config_map.data.items():
            position = config_map.position(entry)
            is_text = not entry.value.taken_for and not is_template(entry.value.text)
            if self.names.has(name) and is_text:
                variable = JobVariable(name, entry.value.text, document, position)
                yield Part("", position.line, {name: entry.value.text}, {name: variable}, Unknown(), alone=True)

    def _tell_doubles(self, tree: Tree) -> None:
        """Tell of keys that a mapping has twice, where that takes something from the application."""
        for double in tree.doubles[:_MAX_DOUBLES]:
            if not self._is_concerned(tree, double):
                continue
            ignored, last = double.ignored, double.last
            is_same = ignored.value.kind == "scalar" and tree.source(ignored.value) == tree.source(last.value)
            message = f"{ignored.key.text} stands here again in line {tree.line(last.key)}"
            message += ", with the same value" if is_same else ", and kubectl ignores the first of them in silence"
            position = tree.entry_position(ignored, at_key=True)
            self.findings.tell(tree.document, position, message, "", "advice" if is_same else "error")

    def _is_concerned(self, tree: Tree, double: Double) -> bool:
        """Whether what is ignored has to do with the application."""
        key, ignored = double.ignored.key.text, double.ignored
        application = self.schema.application
        if self.names.has(key) or key == application.file_name:
            return True
        if key in ("name", "value", "valueFrom") and double.mapping.entries.keys() & {"value", "valueFrom"}:
            named = [ignored.value, *(entry.value for entry in [double.mapping.entries.get("name")] if entry)]
            return any(node.kind == "scalar" and self.names.has(node.text) for node in named)
        text = tree.source(ignored.value)
        return key in _READ_KEYS and (application.prefix in text.upper() or application.file_name in text)


class _Container:
    """One container: `parts` is what it is given, or nothing where it has nothing of the application."""

    def __init__(
        self,
        manifests: _Manifests,
        tree: Tree,
        node: Node,
        title: str,
        variables: ContainerVariables,
        mounts: Mounts,
    ) -> None:
        self._manifests = manifests
        self._findings = manifests.findings
        self._application = manifests.schema.application
        self._tree = tree
        self._node = node
        self._title = title
        self._variables = variables
        self._mounts = mounts
        self._ours = variables.of_application()
        self._is_whole = "image" in tree.entries(node)
        """Whether it is all of a container, and not a change to one."""
        self._files = [(mount, path) for mount in mounts.mounts for path, _ in mount.files]
        self._own = [(mount, path) for mount, path in self._files if self._is_named_so(path)]
        self._lacks = self._lacks_of_own()
        self.parts: list[Part] = []
        if self._ours or self._own or self._lacks:
            self._judge()

    def tell_of_sweep(self) -> None:
        """Tell of a variable that names a sweep, in a pod that nobody tells which point is its own."""
        names = {name.upper(): variable for name, variable in self._ours.items()}
        variable = names.get(self._application.sweep_variable)
        if variable and self._application.index_variable not in names:
            message = "names a sweep, and nothing says which point a pod is"
            hint = "write completionMode: Indexed and completions into the spec of the Job"
            self._findings.tell_of(variable, message, hint)

    def _lacks_of_own(self) -> list[Lack]:
        """The keys that ConfigMaps lack for files of the application's name."""
        lacks = [(mount, lack) for mount in self._mounts.mounts for lack in mount.volume.lacks if lack.key]
        return [lack for mount, lack in lacks if self._is_named_so(posixpath.join(mount.path, lack.path))]

    def _is_named_so(self, path: str) -> bool:
        return posixpath.basename(path.rstrip("/")) == self._application.file_name

    def _judge(self) -> None:
        """Tell what is wrong with the container, and add its part."""
        self._variables.tell_rest()
        file = self._file()
        files = self._with_extended(file) if file else ()
        self._manifests.read |= {each.place[:2] for each in files if each.place}
        for lack in self._lacks:
            self._tell_key(lack.node, lack.name, lack.key or "")
        for each in files:
            self._tell_of_mount(each)
        self._tell_unread(file, {each.path for each in files})
        name = self._tree.value(self._node, "name")
        line = self._tree.line(name or self._node)
        by_command = self._set_by_command(line)
        environ = self._variables.environ | {name: each.text for name, each in by_command.items()}
        there = self._mounts if self._is_whole else Unknown()  # what patches another file is not all that there is
        self.parts.append(Part(self._title, line, environ, self._ours | by_command, there))

    def _set_by_command(self, line: int) -> dict[str, JobVariable]:
        """The variables that the command sets itself; what they hold then, only the job will know."""
        names = {name for name in re.findall(r"(?<![\w$])(\w+)=", self._command) if self._manifests.names.has(name)}
        document, place = self._tree.document, Position(line, 1, 1)
        return {name: JobVariable(name, "set by the command", document, place, False) for name in names}

    def _file(self) -> RawFile | None:
        """The file that is read: the one that a variable names, or the usual one."""
        named = [each for name, each in self._ours.items() if name.upper() == self._application.file_variable]
        self._mounts.later = frozenset(each.name for each in named if not each.is_known)
        if len(named) == 1 and (not named[0].is_known or named[0].text.strip()):
            self._tell_of_image(named[0])
            return self._mounts.read(named[0].text, named[0].name, self._application.file_name)
        self._find_usual()
        return self._mounts.read_if_there(self._application.file_name)

    def _with_extended(self, file: RawFile) -> tuple[RawFile, ...]:
        """The file that is read, behind those that it extends."""
        if not file.is_known or file.error or not file.may_extend:
            return (file,)
        return extended_files(file, lambda name: self._mounts.read(name, inside=self._application.file_name), MAX_BYTES)

    def _find_usual(self) -> None:
        """Find out what the container reads where no variable names a file: what its command names, if it does.

        A file that is mounted where nobody reads it is told of: then it is not said as well that there is none.
        """
        mounts = self._mounts
        if mounts.read_if_there(self._application.file_name):
            return
        own = next((path for _, path in self._own if self._mentions(path)), None)
        later = None if own else self._later_path()
        mounts.usual = own or later or (os.devnull if self._own or self._lacks else None)
        mounts.is_usual_known = later is None

    def _later_path(self) -> str | None:
        """A path in the command that may be that of the file: one below what is not known, or of another name."""
        words = [word for word in re.split(r"[\s'\"=]+", self._command) if word.endswith(".toml")]
        others = {path for _, path in self._files}
        name = self._application.file_name
        later = (word for word in words if word.endswith(name) and not self._mounts.read(word).is_known)
        return next((word for word in words if word in others), next(later, None))

    @cached_property
    def _command(self) -> str:
        """What the container runs."""
        tree, node = self._tree, self._node
        lists = [tree.items(tree.value(node, key)) for key in ("command", "args")]
        return "\n".join(item.text for items in lists for item in items)

    @cached_property
    def _other_texts(self) -> str:
        """What the variables hold that are none of the application."""
        return "\n".join(text for name, text in self._variables.known.items() if name not in self._ours)

    def _mentions(self, path: str) -> bool:
        """Whether the command names a file or its directory, or a variable of the container does."""
        directory = re.escape(posixpath.dirname(path))
        command = self._command
        self._tree.spend(len(command) // 64, self._node)
        if path in command or (directory != "/" and re.search(rf"{directory}(?![\w.-]|/[\w.-])", command)):
            return True
        return path in self._other_texts

    def _tell_of_image(self, variable: JobVariable) -> None:
        """Tell of a file that can only be the image's own, because it lies on no volume."""
        path = variable.text
        is_elsewhere = variable.is_known and path.startswith("/") and path != os.devnull
        if any(is_template(mount.path) for mount in self._mounts.mounts):
            return
        if is_elsewhere and self._is_whole and self._mounts.mount_of(self._mounts.absolute(path) or "") is None:
            message = f"names {path}, which lies on no volume of {self._mounts}, so that only the image can have it"
            self._findings.tell_of(variable, message, severity="advice")

    def _tell_of_mount(self, file: RawFile) -> None:
        """Tell what is wrong with the volume on which a file is looked for."""
        path = self._mounts.absolute(file.path)
        mount = self._mounts.mount_of(path) if path else None
        if mount is None or file.path == os.devnull:
            return
        if mount.name and self._is_whole:
            message = f"the pod has no volume {mount.name.text}"
            self._findings.tell(self._tree.document, self._tree.position(mount.name), message)
        for lack in mount.volume.lacks:
            if lack.key:
                self._tell_key(lack.node, lack.name, lack.key)
            elif not file.is_known:
                self._findings.tell(self._tree.document, self._tree.position(lack.node), *not_given(lack.name))

    def _tell_key(self, node: Node, name: str, key: str) -> None:
        self._findings.tell(self._tree.document, self._tree.position(node), *lacking_key(name, key))

    def _tell_unread(self, file: RawFile | None, read: set[str]) -> None:
        """Tell of a file with the name of the application's that is mounted where nothing reads it."""
        if file and (file.error or not file.is_known):
            return
        for mount, path in self._own:
            if path not in read and not self._mentions(path):
                message = f"{path} is mounted, and nothing in {self._mounts} reads it"
                hint = f"set {self._application.file_variable} to {path}"
                position = self._tree.position(mount.node)
                self._findings.tell(self._tree.document, position, message, hint, "advice")


def _lacks_index(owner: _Object) -> bool:
    """Whether it is certain that the pods of an object have no number: those of a Job that is not indexed."""
    return owner.text("kind") == "Job" and owner.text("spec", "completionMode") != "Indexed"


def _pods(owner: _Object) -> Iterator[_Pod]:
    """The pods of an object, wherever they stand below its `spec`."""
    tree, spec = owner.tree, owner.tree.value(owner.node, "spec")
    waiting = [_Pod(spec)] if spec else []
    while waiting:
        pod = waiting.pop()
        entries = tree.entries(pod.node)
        if any(key in entries and entries[key].value.kind == "list" for key in _KINDS_OF_CONTAINERS):
            yield pod
        elif pod.node.kind == "list":
            waiting += [_item(tree, pod, number, item) for number, item in enumerate(tree.items(pod.node), 1)][::-1]
        else:
            claims = tree.items(tree.value(pod.node, "volumeClaimTemplates"))
            pod = pod._replace(claims=(*pod.claims, *(tree.text(claim, "metadata", "name") for claim in claims)))
            waiting += [_below(pod, key, entry.value) for key, entry in entries.items()][::-1]


def _item(tree: Tree, pod: _Pod, number: int, item: Node) -> _Pod:
    """An item of a list, called by its name, or by its number."""
    name = tree.text(item, "name") or tree.text(item, "groupName") or str(number)
    return pod._replace(node=item, labels=(*pod.labels, name))


def _below(pod: _Pod, key: str, node: Node) -> _Pod:
    """What stands at a key, called by it where that tells one pod from another, as `Worker` and `headGroupSpec` do."""
    if node.kind == "mapping" and (role := re.fullmatch(r"(\w+)(?:GroupSpec|PodTemplate)|([A-Z]\w*)", key)):
        return pod._replace(node=node, labels=(*pod.labels, role[1] or role[2]))
    return pod._replace(node=node)
