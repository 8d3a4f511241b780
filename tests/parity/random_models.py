"""New random models of one operation, in all engines and in qlimit with every instruction set."""

from __future__ import annotations

import random
from pathlib import Path

import qlimit
from comparison import Comparison, print_table
from container import Case, write_cases
from engines import Engine, run_all
from operations import SHARES, draw_case

# What qlimit has to be like, for each engine.
RUNTIMES = {Engine.LITERT_REFERENCE: "litert", Engine.TFLITE_MICRO: "tflite_micro", Engine.LITERT_OPTIMIZED: "litert",
            Engine.LITERT_DEFAULT: "litert"}
EXACT = (Engine.LITERT_REFERENCE, Engine.TFLITE_MICRO)


def draw_cases(count: int, seed: int) -> list[Case]:
    """`count` cases, of each operation its share."""
    functions, shares = list(SHARES), list(SHARES.values())
    drawn = random.Random(seed).choices(functions, shares, k=count)
    numbers = dict.fromkeys(functions, 0)
    cases = []
    for function in drawn:
        cases.append(draw_case(function, seed, numbers[function]))
        numbers[function] += 1
    return cases


def compare(cases: list[Case], ours: list[bytes], theirs: list[bytes | None]) -> Comparison:
    result = Comparison()
    for case, a, b in zip(cases, ours, theirs, strict=True):
        result.add(case.name, a, b)
    return result


def replay_with_each(cases: list[Case], runtime: str, kernels: list[str]) -> dict[str, list[bytes]]:
    """The outputs of qlimit by the kernels that gave them: those that agree, as they should, share an entry."""
    groups: list[tuple[list[str], list[bytes]]] = []
    for name in kernels:
        outputs = qlimit.replay(cases, runtime, name)
        for names, others in groups:
            if outputs == others:
                names.append(name)
                break
        else:
            groups.append(([name], outputs))
    return {", ".join(names): outputs for names, outputs in groups}


def keep(cases: list[Case], names: set[str], path: Path) -> None:
    with open(path, "wb") as file:
        write_cases(file, (case for case in cases if case.name in names))
    print(f"{len(names)} cases that should have been equal are in {path}")


def run(count: int, seed: int) -> bool:
    """Prints the table; true if qlimit equals the reference kernels and TFLite Micro in every byte."""
    cases = draw_cases(count, seed)
    print(f"\n## {count} random models of one operation, seed {seed}\n", flush=True)
    isas = qlimit.instruction_sets()
    rows, wrong = [], set()
    for engine in Engine:
        theirs = run_all(engine, cases)
        tried = [qlimit.REFERENCE, *isas] if engine in EXACT else isas[-1:]
        for kernels, ours in replay_with_each(cases, RUNTIMES[engine], tried).items():
            found = compare(cases, ours, theirs)
            rows.append([engine.value, kernels, f"{found.cases:,}", f"{found.refused:,}", f"{found.compared_bytes:,}",
                         f"{found.differing_bytes:,}", f"{len(found.differing_cases):,}"])
            if engine in EXACT:
                if found.cases < 0.9 * count:
                    raise RuntimeError(f"{engine.value} ran {found.cases} of {count} models: that compares nothing")
                wrong.update(found.differing_cases)
                for case, output in zip(cases, theirs):
                    setattr(case, "litert" if engine is Engine.LITERT_REFERENCE else "tflm", output or b"")
    print_table(["engine", "qlimit with", "models", "not run there", "bytes compared", "bytes that differ", "models that differ"],
                rows)
    if wrong:
        keep(cases, wrong, qlimit.PROGRAMS / "differing.cases")
    return not wrong
