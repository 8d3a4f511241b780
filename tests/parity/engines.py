"""Runs models in the interpreters that Python packages bring, each in a process of its own.

    outputs = run_all(Engine.LITERT_REFERENCE, cases)   # bytes, or None where the interpreter refuses or dies

Some models end an interpreter's process. Then it is started again with the model after that one.
"""

from __future__ import annotations

import contextlib
import enum
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import IO

from container import Case, read_record, write_record

ARENA_BYTES = 1 << 23


class Engine(enum.Enum):
    """The value names the engine in tables."""

    LITERT_REFERENCE = "LiteRT, reference kernels"
    TFLITE_MICRO = "TFLite Micro"
    LITERT_OPTIMIZED = "LiteRT, optimized kernels"
    LITERT_DEFAULT = "LiteRT as it comes (XNNPACK)"


RESOLVERS = {Engine.LITERT_REFERENCE: "BUILTIN_REF", Engine.LITERT_OPTIMIZED: "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
             Engine.LITERT_DEFAULT: "AUTO"}
Run = Callable[[bytes], bytes]


def litert(model: bytes, engine: Engine) -> Run:
    """Takes an input that holds one or several of the model's, and returns as many outputs."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=model, num_threads=1,
                              experimental_op_resolver_type=OpResolverType[RESOLVERS[engine]])
    interpreter.allocate_tensors()
    x, y = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(data: bytes) -> bytes:
        outputs = []
        for images in np.frombuffer(data, x["dtype"]).reshape(-1, *x["shape"]):
            interpreter.set_tensor(x["index"], images)
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(y["index"]).tobytes())
        return b"".join(outputs)

    return run


def tflite_micro(model: bytes) -> Run:
    import numpy as np
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    x = interpreter.get_input_details(0)

    def run(data: bytes) -> bytes:
        outputs = []
        for images in np.frombuffer(data, x["dtype"]).reshape(-1, *x["shape"]):
            interpreter.set_input(images, 0)
            interpreter.invoke()
            outputs.append(interpreter.get_output(0).tobytes())
        return b"".join(outputs)

    return run


def io_details(model: bytes) -> list[tuple[type, float, int]]:
    """NumPy type, scale and zero point of a model's input and output."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return [(tensor["dtype"], *tensor["quantization"]) for tensor in details]


def open_model(engine: Engine, model: bytes) -> Run:
    return tflite_micro(model) if engine is Engine.TFLITE_MICRO else litert(model, engine)


# The worker: reads pairs of records from standard input, a model (empty: the one before) and an input, and answers each with
# a record: "+" and the output, or "-" and why there is none.


def send(stream: IO[bytes], record: bytes) -> None:
    write_record(stream, record)
    stream.flush()


def work(engine: Engine) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the interpreters print is no answer
    run: Run | None = None
    while (model := read_record(sys.stdin.buffer)) is not None:
        data = read_record(sys.stdin.buffer)
        assert data is not None
        try:
            if model or run is None:
                run = None
                run = open_model(engine, model)
            send(answers, b"+" + run(data))
        except Exception as error:  # whatever an interpreter raises, it has no output
            send(answers, b"-" + str(error).encode())


class Worker:
    """One engine's process; restarted when a model has ended it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.deaths = 0
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, model: bytes, data: bytes) -> bytes | None:
        if self._process is None:
            self._process = subprocess.Popen([sys.executable, __file__, self.engine.name], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdin and self._process.stdout
        try:
            send(self._process.stdin, model)
            send(self._process.stdin, data)
            answer = read_record(self._process.stdout)
        except BrokenPipeError:
            answer = None
        if answer is None:
            self.deaths += 1
            self.close()
            return None
        return answer[1:] if answer[:1] == b"+" else None

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin and self._process.stdout
            with contextlib.suppress(BrokenPipeError):  # it flushes what a dead process never read
                self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None


def run_all(engine: Engine, cases: Sequence[Case]) -> list[bytes | None]:
    worker = Worker(engine)
    outputs = [worker.run(case.model, case.input) for case in cases]
    worker.close()
    return outputs


if __name__ == "__main__":
    work(Engine[sys.argv[1]])
