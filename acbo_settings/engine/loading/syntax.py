"""Why a text is no TOML: what `tomllib` refuses, and what was probably meant. Nothing of it is needed before."""

from __future__ import annotations

import json
import re

from ..toml_document import Document, Position, find_first

_TWICE = ("Cannot overwrite a value", "Cannot declare")
_PYTHON = r"import [\w., ]+$|from \S+ import\b|(?:def|class|async|if|for|with) .*:|print\(|@\w"
"""How the first line of Python begins behind a docstring, and none of TOML does."""

_DOCSTRING = r"(?s)\s*(\"{3}|'{3}).*?\1"

_NUMBER = r"""(?x)
    (?<! [\w.,+-] ) (?:
        [-+]? (?P<thousands> \d{1,3} (?: ,\d{3} ){1,9} (?: \.\d{1,30} )? ) (?! [\w.,] )
      | (?P<sign> [-+]? ) (?: (?P<before> \d[\d_]{0,30} ) \. | \. (?P<behind> \d[\d_]{0,30} ) )
        (?P<power> (?: [eE][-+]?\d{1,9} )? ) (?! [\w.] )
    )
    """
"""What is almost a number, and no longer than people write: with commas, or without digits on a side of its point."""


def find_language(text: str) -> str | None:
    """Which language a file is written in that is no TOML, or None where that is not clear."""
    if text.lstrip()[:1] == "{":
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return None
        return "JSON"
    first = text.partition("\n")[0]
    if first.startswith("#!"):
        return "Python" if "python" in first else "a script"
    text = re.sub(_DOCSTRING, "", text, count=1) if text.lstrip()[:3] in ('"""', "'''") else text
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if lines and re.match(_PYTHON, lines[0]):
        return "Python"
    if re.search("^#SBATCH", text, re.MULTILINE):
        return "a batch script"
    is_yaml = lines and (lines[0].rstrip() == "---" or re.match(r"[\w.\-]+:(\s|$)", lines[0]))
    return "YAML" if is_yaml else None


class SyntaxFault:
    """A message of `tomllib` taken apart: what is wrong, where, and what was probably meant.

    The position stands in its text: a line and a column, or the end of the document.
    """

    def __init__(self, document: Document, message: str) -> None:
        self._document = document
        problem, _, place = message.rpartition(" (at ")
        if numbers := re.fullmatch(r"line (\d+), column (\d+)\)", place):
            line, column = map(int, numbers.groups())
        else:
            text = document.text.rstrip()
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        self.position = Position(line, column, column)
        is_twice = problem.startswith(_TWICE)
        self.message = "This key or table is set twice" if is_twice else problem or message
        self.hint = self._first_place() if is_twice else self._meant_number(problem)

    def _first_place(self) -> str:
        """Where the key or table is set before."""
        lines = self._document.text.split("\n")[: self.position.line]
        lines[-1], rest = lines[-1][: self.position.key_column - 1], lines[-1][self.position.key_column - 1 :]
        header = re.match(r"\s*(\[+)", lines[-1]) if rest.startswith("]") else None
        closed = "\n".join(lines) + ("]" * len(header[1]) if header else "")
        first = find_first(closed)
        if first is None:
            return ""
        number = self._document.in_file(first).line
        way = "put both together" if header else "keep one of the two"
        return f"line {number} has it already: {way}"

    def _meant_number(self, problem: str) -> str:
        """The number that was meant, where something else was written almost like one."""
        line, index = self._document.text.split("\n")[self.position.line - 1], self.position.key_column - 1
        for found in (found for found in re.finditer(_NUMBER, line) if found.start() <= index < found.end()):
            if found["thousands"]:
                return f"write {found[0].replace(',', '')} or {found[0].replace(',', '_')}"
            meant = f"{found['sign']}{found['before'] or 0}.{found['behind'] or 0}{found['power']}"
            return f"a number needs digits on both sides of its point: did you mean {meant}?"
        return "text needs quotes, true and false are lower-case" if problem == "Invalid value" else ""
