"""A metric of a sweep as a picture: a panel for each swept setting. It imports matplotlib, an optional extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from ...engine.canonical import KeyPath
from ...engine.toml_writer import show_note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 12
_MOST_PANELS = 12
_ACROSS = 3


def save_picture(points: Sequence[tuple[Mapping[KeyPath, Any], float]], metric: str, file: str) -> None:
    """Draw each point's metric over each setting, with the median of each value, as a PNG that replaces what is there.

    ImportError when matplotlib is not installed, OSError when the file cannot be written.
    """
    from matplotlib.figure import Figure

    paths = _varying([settings for settings, _ in points])[:_MOST_PANELS]
    across = min(len(paths), _ACROSS) or 1
    down = -(-len(paths) // across) or 1
    figure = Figure(figsize=(4 * across, 3.2 * down), dpi=120, layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    figure.suptitle(f"{_literal(metric)} of {len(points):,} points, and the median for each value", fontsize=11)
    for panel, path in zip(panels, paths, strict=False):
        _draw(panel, path, [(settings[path], value) for settings, value in points if path in settings])
        panel.set_ylabel(_literal(metric))
    for panel in panels[len(paths) :]:
        panel.set_axis_off()
    figure.savefig(file, format="png")


def _varying(points: Sequence[Mapping[KeyPath, Any]]) -> list[KeyPath]:
    """The settings that have more than one value, or all where none has."""
    shown: dict[KeyPath, set[str]] = {}
    for settings in points:
        for path, value in settings.items():
            shown.setdefault(path, set()).add(show_note(value))
    return [path for path, values in shown.items() if len(values) > 1] or list(shown)


def _draw(panel: Axes, path: KeyPath, points: Sequence[tuple[Any, float]]) -> None:
    """One panel: few values stand side by side, many numbers on an axis."""
    groups: dict[Any, list[float]] = {}
    for value, measured in points:
        groups.setdefault(_group_of(value), []).append(measured)
    values = sorted(
        groups, key=lambda value: (isinstance(value, str), value if not isinstance(value, str) else 0, str(value))
    )
    is_axis = len(values) > _MOST_LABELS and not any(isinstance(value, str) for value in values)
    places = [float(value) for value in values] if is_axis else [float(place) for place in range(len(values))]
    for place, value in zip(places, values, strict=True):
        panel.plot([place] * len(groups[value]), groups[value], "o", color="tab:blue", alpha=0.5, markersize=4)
    panel.plot(places, [median(groups[value]) for value in values], "-_", color="tab:orange", markersize=14)
    if not is_axis:
        labels = [_literal(show_note(value)) for value in values]
        panel.set_xticks(places, labels, rotation=30 if len(values) > 5 else 0)
    panel.set_xlabel(_literal(".".join(path)))
    panel.grid(alpha=0.3)


def _group_of(value: Any) -> Any:
    """What a value is sorted by: a number or a text as it is, and anything else, booleans too, as TOML has it."""
    is_plain = isinstance(value, int | float | str) and not isinstance(value, bool)
    return value if is_plain and not (isinstance(value, int) and abs(value) > 2**53) else show_note(value)


def _literal(text: str) -> str:
    """A text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
