"""Writes .tflite files: only the tables that the random models need, from the published schema.

    file = TfliteFile()
    x = file.tensor([1, 4, 4, 3], "int8", scales=[0.5], zero_points=[-128])
    w = file.tensor([8, 3, 3, 3], "int8", scales=[0.1], zero_points=[0], data=weights.tobytes())
    ...
    file.operator(CONV_2D, [x, w, b], y)
    model = file.finish(x, y)

Field numbers and codes are those of schema.fbs in google-ai-edge/LiteRT (tflite/converter/schema).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import flatbuffers

TENSOR_TYPES = {"float32": 0, "int32": 2, "int64": 4, "int8": 9, "int4": 17}
SAME, VALID = 0, 1
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}


@dataclass(frozen=True)
class Operation:
    """An operator's code and version, and the code of its table of options (0 if it has none)."""

    code: int
    version: int
    options: int


ADD = Operation(0, 2, 11)
AVERAGE_POOL_2D = Operation(1, 2, 5)
CONCATENATION = Operation(2, 2, 10)
CONV_2D = Operation(3, 3, 1)
DEPTHWISE_CONV_2D = Operation(4, 3, 2)
DEQUANTIZE = Operation(6, 2, 38)
FULLY_CONNECTED = Operation(9, 5, 8)
LOGISTIC = Operation(14, 2, 0)
MAX_POOL_2D = Operation(17, 2, 5)
MUL = Operation(18, 2, 21)
RELU = Operation(19, 2, 0)
RELU6 = Operation(21, 2, 0)
RESHAPE = Operation(22, 1, 17)
SOFTMAX = Operation(25, 2, 9)
TANH = Operation(28, 2, 0)
PAD = Operation(34, 2, 22)
MEAN = Operation(40, 2, 27)
QUANTIZE = Operation(114, 1, 89)


@dataclass(frozen=True)
class Scalar:
    """A scalar field of an options table: its number, its kind and its value."""

    number: int
    kind: str  # "bool", "int8", "int32" or "float32"
    value: float


@dataclass
class _Tensor:
    shape: list[int]
    kind: str
    scales: list[float]
    zero_points: list[int]
    axis: int
    data: bytes | None
    buffer: int = 0


@dataclass
class _Operator:
    operation: Operation
    inputs: list[int]
    output: int
    scalars: list[Scalar]


@dataclass
class TfliteFile:
    """One subgraph whose tensors and operators are added in order of execution."""

    tensors: list[_Tensor] = field(default_factory=list)
    operators: list[_Operator] = field(default_factory=list)

    def tensor(self, shape: Sequence[int], kind: str, *, scales: Sequence[float] = (), zero_points: Sequence[int] = (),
               axis: int = 0, data: bytes | None = None) -> int:
        """Adds a tensor, constant if it has data, and returns its index."""
        self.tensors.append(_Tensor(list(shape), kind, list(scales), list(zero_points), axis, data))
        return len(self.tensors) - 1

    def operator(self, operation: Operation, inputs: Sequence[int], output: int, *scalars: Scalar) -> None:
        """Adds an operator; an input of -1 is left out."""
        self.operators.append(_Operator(operation, list(inputs), output, list(scalars)))

    def finish(self, graph_input: int, graph_output: int) -> bytes:
        return _Writer().model(self, graph_input, graph_output)


class _Writer:
    """Flatbuffers are written from the leaves to the root."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1024)

    def table(self, fields: dict[int, tuple[str, float]]) -> int:
        builder = self.builder
        put = {"bool": builder.PrependBoolSlot, "int8": builder.PrependInt8Slot, "uint8": builder.PrependUint8Slot,
               "int32": builder.PrependInt32Slot, "uint32": builder.PrependUint32Slot,
               "float32": builder.PrependFloat32Slot, "offset": builder.PrependUOffsetTRelativeSlot}
        builder.StartObject(max(fields, default=-1) + 1)
        for number, (kind, value) in fields.items():
            # A default that no value equals: what is given is written.
            put[kind](number, value, None if kind != "offset" else 0)
        return builder.EndObject()

    def vector(self, kind: str, values: Sequence[float]) -> int:
        builder = self.builder
        size, put = {"int32": (4, builder.PrependInt32), "int64": (8, builder.PrependInt64),
                     "float32": (4, builder.PrependFloat32), "offset": (4, builder.PrependUOffsetTRelative)}[kind]
        builder.StartVector(size, len(values), size)
        for value in reversed(values):
            put(value)
        return builder.EndVector()

    def bytes_on_16(self, data: bytes) -> int:
        builder = self.builder
        builder.StartVector(1, len(data), 16)
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        return builder.EndVector()

    def tensor(self, tensor: _Tensor) -> int:
        fields: dict[int, tuple[str, float]] = {
            0: ("offset", self.vector("int32", tensor.shape)),
            1: ("int8", TENSOR_TYPES[tensor.kind]),
            2: ("uint32", tensor.buffer),
        }
        if tensor.scales:
            fields[4] = ("offset", self.table({
                2: ("offset", self.vector("float32", tensor.scales)),
                3: ("offset", self.vector("int64", tensor.zero_points)),
                6: ("int32", tensor.axis),
            }))
        return self.table(fields)

    def operator(self, operator: _Operator, code_index: int) -> int:
        fields: dict[int, tuple[str, float]] = {
            0: ("uint32", code_index),
            1: ("offset", self.vector("int32", operator.inputs)),
            2: ("offset", self.vector("int32", [operator.output])),
        }
        if operator.operation.options:
            options = self.table({s.number: (s.kind, s.value) for s in operator.scalars})
            fields[3] = ("uint8", operator.operation.options)
            fields[4] = ("offset", options)
        return self.table(fields)

    def operator_code(self, operation: Operation) -> int:
        return self.table({0: ("int8", min(operation.code, 127)), 2: ("int32", operation.version),
                           3: ("int32", operation.code)})

    def model(self, file: TfliteFile, graph_input: int, graph_output: int) -> bytes:
        buffers = [self.table({})]  # buffer 0 is empty: that of all activations
        for tensor in file.tensors:
            if tensor.data is not None:
                tensor.buffer = len(buffers)
                buffers.append(self.table({0: ("offset", self.bytes_on_16(tensor.data))}))
        operations = list(dict.fromkeys(operator.operation for operator in file.operators))
        tensors = self.vector("offset", [self.tensor(t) for t in file.tensors])
        operators = self.vector("offset", [self.operator(o, operations.index(o.operation)) for o in file.operators])
        subgraph = self.table({0: ("offset", tensors), 1: ("offset", self.vector("int32", [graph_input])),
                               2: ("offset", self.vector("int32", [graph_output])), 3: ("offset", operators)})
        codes = self.vector("offset", [self.operator_code(operation) for operation in operations])
        self.builder.Finish(
            self.table({0: ("uint32", 3), 1: ("offset", codes), 2: ("offset", self.vector("offset", [subgraph])),
                        4: ("offset", self.vector("offset", buffers))}),
            file_identifier=b"TFL3")
        return bytes(self.builder.Output())
