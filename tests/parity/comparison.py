"""Counts the bytes in which outputs differ, and prints the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Comparison:
    """One engine's outputs beside qlimit's."""

    cases: int = 0
    compared_bytes: int = 0
    differing_bytes: int = 0
    differing_cases: list[str] = field(default_factory=list)
    refused: int = 0  # models that the engine does not run; they are not compared

    def add(self, name: str, ours: bytes, theirs: bytes | None) -> None:
        """An empty output of ours, of a model that we refuse, differs in every byte."""
        if theirs is None:
            self.refused += 1
            return
        self.cases += 1
        self.compared_bytes += len(theirs)
        a, b = np.frombuffer(ours, np.uint8), np.frombuffer(theirs, np.uint8)
        differing = int((a != b).sum()) if len(a) == len(b) else max(len(a), len(b))
        if differing:
            self.differing_bytes += differing
            self.differing_cases.append(name)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Markdown that is also aligned: words to the left, figures to the right."""
    columns = list(zip(header, *rows))
    widths = [max(map(len, column)) for column in columns]
    figures = [all(cell[0].isdigit() or cell == "-" for cell in column[1:]) for column in columns]

    def line(cells: Sequence[str]) -> str:
        aligned = (cell.rjust(width) if figure else cell.ljust(width)
                   for cell, width, figure in zip(cells, widths, figures))
        return "| " + " | ".join(aligned) + " |"

    rule = ["-" * (width - 1) + (":" if figure else "-") for width, figure in zip(widths, figures)]
    print("\n".join([line(header), line(rule), *map(line, rows)]), flush=True)
