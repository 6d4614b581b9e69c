"""Cells laid out as columns that fit a width, without lines around them, as kubectl prints them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import zip_longest
from unicodedata import combining, east_asian_width

Cell = str | Sequence[str]
"""A text, or lines below one another, each of which is broken where it is too long."""

GAP = 2
_LEAST = 12
# Behind a comma, a slash or a sign of equality, and between the names of a key, but not of a file's name.
_NAMES = re.compile(r"(?<=[/,=])|(?<=[A-Za-z]\.)(?=[A-Za-z])(?!toml)|(?<=__)")
_WORDS = re.compile(r"(?<=[A-Za-z]_)(?=[A-Za-z])")


def lay_out(
    rows: Sequence[Sequence[Cell]], width: int, right: Collection[int] = (), whole: Collection[int] = ()
) -> list[list[str]]:
    """The lines of each row, of which the first is that of the heads; no line ends with white space.

    The columns of the numbers `right` stand at the right, and the cells of `whole` ones are never broken. Where that
    does not fit, each row becomes lines of its own, a cell behind its head in each, as `\\x auto` has it in psql.

    >>> lay_out([["KEY", "VALUE"], ["grpo.group_size", "64"]], 18)
    [['KEY          VALUE'], ['grpo.        64', 'group_size']]
    """
    columns = list(zip(*(map(_lines, row) for row in rows), strict=True))
    widths = _widths(columns, width, whole)
    if sum(widths) + GAP * (len(widths) - 1) > width:
        return _records(columns, width)
    laid = []
    for row in zip(*columns, strict=True):
        cells = (_broken(lines, each) for lines, each in zip(row, widths, strict=True))
        laid.append([_line(parts, widths, right) for parts in zip_longest(*cells, fillvalue="")])
    return laid


def _records(columns: Sequence[Sequence[Sequence[str]]], width: int) -> list[list[str]]:
    """Each row as lines of two columns, head and cell, with a blank line in front of all but the first row."""
    heads = [list(column[0]) for column in columns]
    wide = max(_wide(line) for lines in heads for line in lines)
    records: list[list[str]] = [[]]
    for row in zip(*(column[1:] for column in columns), strict=True):
        records.append([""] if len(records) > 1 else [])
        for head, cell in ((head, cell) for head, cell in zip(heads, row, strict=True) if any(cell)):
            parts = zip_longest(head, _broken(cell, max(width - wide - GAP, _LEAST)), fillvalue="")
            records[-1] += [_line(each, (wide, _wide(each[1])), ()) for each in parts]
    return records


def _lines(cell: Cell) -> Sequence[str]:
    return [cell] if isinstance(cell, str) else cell


def _line(parts: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padding = [" " * (each - _wide(part)) for part, each in zip(parts, widths, strict=True)]
    shown = [
        space + part if number in right else part + space
        for number, (part, space) in enumerate(zip(parts, padding, strict=True))
    ]
    return (" " * GAP).join(shown).rstrip()


def _widths(columns: Sequence[Sequence[Sequence[str]]], width: int, whole: Collection[int]) -> list[int]:
    """How wide each column is: as its cells are, or narrower where fewest of them need another line for it.

    Words are kept whole if that is possible, then at least the words inside keys.
    """
    lengths = [Counter(_wide(line) for lines in column for line in lines) for column in columns]
    widths = [max(counted, default=0) for counted in lengths]
    excess = sum(widths) + GAP * (len(widths) - 1) - width
    for split in (str.split, _pieces, None):
        if excess <= 0:
            break
        least = [
            wide if number in whole else min(wide, _longest(column, split) if split else _LEAST)
            for number, (wide, column) in enumerate(zip(widths, columns, strict=True))
        ]
        excess -= _narrow(widths, least, lengths, excess)
    return widths


def _narrow(widths: list[int], least: Sequence[int], lengths: Sequence[Counter[int]], excess: int) -> int:
    """Make columns narrower, one by one, down to the least; return by how much."""
    for taken in range(excess):
        open_ones = [number for number, wide in enumerate(widths) if wide > least[number]]
        if not open_ones:
            return taken
        costs = {number: _more_lines(lengths[number], widths[number]) for number in open_ones}
        widths[min(open_ones, key=lambda number: (costs[number], -widths[number]))] -= 1
    return excess


def _more_lines(lengths: Counter[int], wide: int) -> int:
    """How many more lines the cells of a column take, about, when it is narrower by one."""
    return sum(count * (-(-length // (wide - 1)) + length // -wide) for length, count in lengths.items())


def _longest(column: Sequence[Sequence[str]], split: Callable[[str], list[str]]) -> int:
    """How wide the widest part of a column's lines is."""
    texts = {line for lines in column for line in lines}
    return max((_wide(part) for text in texts for part in split(text)), default=0)


def _pieces(text: str) -> list[str]:
    """The parts between which a text may be broken."""
    return [piece for word in text.split() for name in _NAMES.split(word) for piece in _WORDS.split(name)]


def _broken(lines: Sequence[str], width: int) -> Iterator[str]:
    """The lines of a cell, each broken between words, and where a word is too long, inside of it."""
    for line in lines:
        if _wide(line) <= width:
            yield line
            continue
        begun = ""
        for part in _parts(line, width):
            if _wide(begun + part.rstrip()) <= width:
                begun += part
                continue
            yield begun.rstrip()
            begun = part.lstrip()
        yield begun.rstrip()


def _parts(line: str, width: int) -> Iterator[str]:
    """Words with the white space behind them, of which none is wider than a column."""
    for word in re.findall(r"\S+\s*|\s+", line):
        if _wide(word.rstrip()) <= width:
            yield word
            continue
        for name in _NAMES.split(word):
            for piece in [name] if _wide(name.rstrip()) <= width else _WORDS.split(name):
                yield from [piece] if _wide(piece.rstrip()) <= width else _cut(piece, width)


def _cut(piece: str, width: int) -> Iterator[str]:
    """A text in as many parts as it takes, wherever they end."""
    begun = ""
    for character in piece:
        if begun and _wide(begun + character) > width:
            yield begun
            begun = ""
        begun += character
    yield begun


def _wide(text: str) -> int:
    """The columns that a text takes in a terminal: two for each character of East Asia, none for accents."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)
