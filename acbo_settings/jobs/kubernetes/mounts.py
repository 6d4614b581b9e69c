"""The files of a container: what is mounted where, of which the ConfigMaps that are given are known."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...engine.inputs import RawFile, encode_path, unknown_file
from .config_maps import ConfigFile, ConfigMap
from .yaml_text import Node, Tree

if TYPE_CHECKING:
    from ...engine.origins import Origin

Find = Callable[[str], ConfigMap | None]


class Lack(NamedTuple):
    """What is not there: at which path below a volume, where that is written, which ConfigMap, and which key of it.

    Without a key it is the ConfigMap itself that is not among the files given.
    """

    path: str
    node: Node
    name: str
    key: str | None = None


class Volume(NamedTuple):
    """What a volume holds: files by their paths in it, whether that is all, and what is lacking."""

    files: Mapping[str, ConfigFile]
    is_known: bool = False
    lacks: tuple[Lack, ...] = ()


class Mount(NamedTuple):
    """A volume, or a part of it, at a path in a container; what is mounted as a file has the path `""` in it."""

    path: str
    node: Node
    volume: Volume
    name: Node | None = None
    """The name of the volume, where there is no such volume."""

    def below(self, path: str) -> str | None:
        """What a path of the container is called below this mount; None for what is elsewhere."""
        if path == self.path:
            return ""
        start = self.path.rstrip("/") + "/"
        return path[len(start) :].removeprefix("..data/") if path.startswith(start) else None

    @property
    def files(self) -> Iterator[tuple[str, ConfigFile]]:
        """The files that are known, by their paths in the container."""
        files = self.volume.files.items()
        return ((posixpath.join(self.path, below) if below else self.path, file) for below, file in files)


UNKNOWN = Volume({})


class Mounts:
    """The files that a container finds: `Surroundings` of its start.

    `later` are the variables that name files, and that only the job knows. `usual` is the path that it reads where no
    variable names one, if it is not that of its working directory.
    """

    directory: str | None = None
    chosen_at: Origin | None = None

    def __init__(self, title: str, working_directory: str, mounts: Iterable[Mount]) -> None:
        self._title = title
        self._working_directory = working_directory
        self.mounts = sorted(mounts, key=lambda mount: len(mount.path), reverse=True)
        self.later: frozenset[str] = frozenset()
        self.usual: str | None = None
        self.is_usual_known = True

    def __str__(self) -> str:
        return self._title

    def read(self, name: str, named_by: str = "", inside: str = "") -> RawFile:
        """The file at a path of the container."""
        if name == os.devnull:
            return RawFile(name, named_by)
        try:
            encode_path(name)
        except ValueError as error:
            return RawFile(name, named_by, error=error)
        path = self.absolute(name)
        mount = self.mount_of(path) if path else None
        if named_by in self.later or path is None or mount is None:
            return unknown_file(name, named_by)
        if inside and self._is_directory(mount, path):
            path = posixpath.join(path, inside)
        if found := self._file(mount, path):
            return found.read(path, named_by)
        if not mount.volume.is_known:
            return unknown_file(name, named_by)
        missing = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return RawFile(name if name.startswith(("~", "$")) else path, named_by, error=missing)

    def read_if_there(self, name: str) -> RawFile | None:
        """The file of the working directory. Without one it is the image's own, in which none is known."""
        if self.usual:
            return self.read(self.usual) if self.is_usual_known else unknown_file(self.usual)
        path = self.absolute(name)
        mount = self.mount_of(path) if path else None
        if path is None or mount is None:
            return None
        found = self._file(mount, path)
        if found is None and mount.volume.is_known:
            return None
        return found.read(path) if found else unknown_file(name)

    def local_path(self, name: str) -> str | None:
        """Nothing: what a container has is not on this machine."""
        return None

    def absolute(self, name: str) -> str | None:
        """A path of the container from its root; None below the working directory of an image."""
        if not name.startswith("/") and not self._working_directory.startswith("/"):
            return None
        return "/" + posixpath.normpath(posixpath.join(self._working_directory, name)).lstrip("/")

    def mount_of(self, path: str) -> Mount | None:
        """The innermost mount at or above a path; None for what is the image's own."""
        return next((mount for mount in self.mounts if mount.below(path) is not None), None)

    def _file(self, mount: Mount, path: str) -> ConfigFile | None:
        return mount.volume.files.get(mount.below(path) or "")

    def _is_directory(self, mount: Mount, path: str) -> bool:
        below = mount.below(path)
        return below not in mount.volume.files and any(
            not below or name.startswith(f"{below}/") for name in mount.volume.files if name
        )


class Volumes:
    """The volumes of a pod, by name, and what its containers mount of them."""

    def __init__(self, tree: Tree, pod: Node, claims: Iterable[str], find: Find) -> None:
        self._tree = tree
        self._find = find
        self._nodes = {tree.text(item, "name"): item for item in tree.items(tree.value(pod, "volumes"))}
        self._claims = frozenset(claims)
        self._read: dict[str, Volume] = {}

    def mounts_of(self, container: Node) -> Iterator[Mount]:
        """What a container mounts."""
        tree = self._tree
        for item in tree.items(tree.value(container, "volumeMounts")):
            path, name = tree.value(item, "mountPath"), tree.value(item, "name")
            if path is None or name is None or not path.text or name.kind != "scalar":
                continue
            where = "/" + posixpath.normpath(path.text).lstrip("/")
            is_there = name.text in self._nodes or name.text in self._claims
            tree.spend(len(self._volume(name.text).files), item)
            yield Mount(where, path, self._part(item, name.text), None if is_there else name)

    def _part(self, item: Node, name: str) -> Volume:
        """What a mount has of its volume: all, or what stands below `subPath`."""
        volume, below = self._volume(name), self._tree.value(item, "subPath")
        if self._tree.text(item, "subPathExpr"):
            return UNKNOWN
        if below is None or below.kind != "scalar" or not below.text:
            return volume
        path = posixpath.normpath(below.text)
        if file := volume.files.get(path):
            return Volume({"": file}, True)
        start = f"{path}/"
        files = {name[len(start) :]: file for name, file in volume.files.items() if name.startswith(start)}
        if files or not volume.is_known:
            return volume._replace(files=files)
        maps = [self._tree.text(each, "configMap", "name") for each in (self._nodes.get(name),) if each]
        lacks = [lack._replace(path="") for lack in volume.lacks if lack.path in (path, "")]
        return Volume({}, False, tuple(lacks) or (Lack("", below, "".join(maps), below.text),))

    def _volume(self, name: str) -> Volume:
        if name not in self._read:
            node = self._nodes.get(name)
            self._read[name] = self._content(node) if node else UNKNOWN
        return self._read[name]

    def _content(self, node: Node) -> Volume:
        tree = self._tree
        if found := tree.value(node, "configMap"):
            return self._of_config_map(found)
        parts: list[Volume] = []
        for source in tree.items(tree.value(node, "projected", "sources")):
            found = tree.value(source, "configMap")
            parts.append(self._of_config_map(found) if found else UNKNOWN)
        return _together(parts) if parts else UNKNOWN

    def _of_config_map(self, node: Node) -> Volume:
        """All keys of a ConfigMap as files, or those that `items` picks."""
        tree, name = self._tree, self._tree.value(node, "name")
        if name is None or name.kind != "scalar":
            return UNKNOWN
        found, is_optional = self._find(name.text), tree.is_true(node, "optional")
        if found is None:
            return Volume({}, False, () if is_optional else (Lack("", name, name.text),))
        items = tree.value(node, "items")
        if items is None or items.kind != "list":
            tree.spend(len(found.files), node)
            return Volume(found.files, True)
        return self._picked(found, tree.items(items), is_optional)

    def _picked(self, found: ConfigMap, items: Sequence[Node], is_optional: bool) -> Volume:
        tree, files, lacks = self._tree, {}, []
        for item in items:
            key, path = tree.value(item, "key"), posixpath.normpath(tree.text(item, "path") or "?")
            if key is None or key.kind != "scalar":
                continue
            if file := found.files.get(key.text):
                files[path] = file
            elif not is_optional:
                lacks.append(Lack(path, key, found.name, key.text))
        return Volume(files, not lacks, tuple(lacks))


def _together(parts: Sequence[Volume]) -> Volume:
    """What several sources project into one volume."""
    files = {path: file for part in parts for path, file in part.files.items()}
    lacks = tuple(lack for part in parts for lack in part.lacks)
    return Volume(files, all(part.is_known for part in parts), lacks)
