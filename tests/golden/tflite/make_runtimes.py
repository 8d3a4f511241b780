"""Records int8 operations in two runtimes: MUL, PAD, CONCATENATION, LOGISTIC, TANH, RELU, RELU6, FULLY_CONNECTED.

    pip install ai-edge-litert==2.3.0 tflite-micro==0.dev20261023182759 numpy==2.4.6
    python3 make_runtimes.py

Each case is a .tflite model of one operation, run by LiteRT's reference kernels (BUILTIN_REF): `y`; and by TFLite for
Microcontrollers: `y_micro`, left out where it is equal, null where that runtime refuses the model. Writes one JSON
file per operation beside itself; relu.json is older, so the rectifiers go to relu_runtimes.json, and what TFLite for
Microcontrollers returns for the cases of fully_connected.json goes to fully_connected_micro.json.
"""
import json
import os

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro.python.tflite_micro import runtime as micro

HERE = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(20250701)
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


def pick(*choices):
    return choices[random.integers(len(choices))]


def zero_point():
    return int(pick(-128, 127, 0, random.integers(-128, 128)))


def scale(low=-8, high=2):
    """A power of two (which makes exact ties), a simple multiple of one, or anything."""
    return float(np.float32(pick(1.0, 1.25, 1.5, random.uniform(1, 2)) * 2.0 ** random.integers(low, high + 1)))


def numbers(*shape):
    """Both ends, the middle, anything."""
    x = random.integers(-128, 128, shape)
    x = np.where(random.random(shape) < 0.25, random.choice([-128, 127], shape), x)
    return np.where(random.random(shape) < 0.1, random.choice([-1, 0, 1], shape), x).astype(np.int8)


class Model:
    """A model of one operation. Tensors: dicts of shape, s and z (int8) or data (a constant)."""

    def __init__(self, code, options_type=0, options=None):
        self.model = schema.ModelT()
        self.model.version = 3
        operator = schema.OperatorCodeT()
        operator.builtinCode, operator.deprecatedBuiltinCode, operator.version = code, min(code, 127), 2
        self.model.operatorCodes = [operator]
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.inputs, self.graph.outputs = [], [], []
        self.op = schema.OperatorT()
        self.op.opcodeIndex, self.op.inputs, self.op.outputs = 0, [], []
        self.op.builtinOptionsType, self.op.builtinOptions = options_type, options
        self.graph.operators = [self.op]
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, kind, name):
        t = schema.TensorT()
        t.shape, t.type, t.buffer, t.name = [int(d) for d in shape], kind, 0, name
        self.graph.tensors.append(t)
        return t, len(self.graph.tensors) - 1

    def activation(self, shape, s, z):
        t, index = self.tensor(shape, schema.TensorType.INT8, str(len(self.graph.tensors)))
        q = schema.QuantizationParametersT()
        q.scale, q.zeroPoint = [s], [z]
        t.quantization = q
        return index

    def input(self, shape, s, z):
        index = self.activation(shape, s, z)
        self.graph.inputs.append(index)
        self.op.inputs.append(index)
        return self

    def constant(self, values, scales=None):
        """int8 weights or int32 numbers; scales: one, or one for each index of the first axis."""
        kind = schema.TensorType.INT8 if values.dtype == np.int8 else schema.TensorType.INT32
        t, index = self.tensor(values.shape, kind, "c")
        buffer = schema.BufferT()
        buffer.data = list((values if values.dtype == np.int8 else values.astype("<i4")).tobytes())
        self.model.buffers.append(buffer)
        t.buffer = len(self.model.buffers) - 1
        if scales is not None:
            q = schema.QuantizationParametersT()
            q.scale, q.zeroPoint = scales, [0] * len(scales)
            t.quantization = q
        self.op.inputs.append(index)
        return self

    def output(self, shape, s, z):
        index = self.activation(shape, s, z)
        self.graph.outputs.append(index)
        self.op.outputs.append(index)
        return self

    def bytes(self):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def run_reference(model, inputs):
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    for detail, x in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def run_micro(model, inputs):
    try:
        interpreter = micro.Interpreter.from_bytes(model)
        for i, x in enumerate(inputs):
            interpreter.set_input(x, i)
        interpreter.invoke()
        return interpreter.get_output(0)
    except (RuntimeError, SystemError):
        return None


def outcome(case, model, inputs):
    """Adds to a case what the two runtimes return."""
    y = run_reference(model, inputs)
    case["y_shape"] = list(y.shape)
    case["y"] = y.ravel().tolist()
    other = run_micro(model, inputs)
    if other is None:
        case["y_micro"] = None
    elif not np.array_equal(y, other):
        case["y_micro"] = other.ravel().tolist()
    return case


def mul_case(note, shape1, shape2, s1, z1, s2, z2, s_out, z_out, activation, x1=None, x2=None):
    x1 = numbers(*shape1) if x1 is None else x1
    x2 = numbers(*shape2) if x2 is None else x2
    options = schema.MulOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[activation]
    model = Model(schema.BuiltinOperator.MUL, schema.BuiltinOptions.MulOptions, options)
    model.input(shape1, s1, z1).input(shape2, s2, z2).output(np.broadcast_shapes(shape1, shape2), s_out, z_out)
    case = {"note": note, "x1_shape": list(shape1), "x1": x1.ravel().tolist(), "s1": s1, "z1": z1,
            "x2_shape": list(shape2), "x2": x2.ravel().tolist(), "s2": s2, "z2": z2,
            "s_out": s_out, "z_out": z_out, "activation": activation}
    return outcome(case, model.bytes(), [x1, x2])


def random_mul(note, shape1, shape2):
    s1, s2 = scale(), scale()
    # The largest product has 16 bits: M from 2^-12 on, and sometimes of 1 and more.
    s_out = float(np.float32(s1 * s2 / (pick(1.0, 1.0, 1.25, random.uniform(1, 2)) * 2.0 ** random.integers(-12, 2))))
    return mul_case(note, shape1, shape2, s1, zero_point(), s2, zero_point(), s_out, zero_point(),
                    pick(*ACTIVATIONS))


def fixed_point(x, real):
    """x * real as the kernels compute it (quant/fixed_point.h), for real < 1."""
    fraction, exponent = np.frexp(real)
    product = (x * int(np.rint(fraction * 2**31)) + 2**30) >> 31
    shift = -int(exponent)
    remainder = product & (2**shift - 1)
    return (product >> shift) + (remainder > ((2**shift - 1) >> 1) + (product < 0))


def separating_mul():
    """Numbers that come out differently with a multiplier formed in double than with TFLite's in float32."""
    q = np.arange(-128, 128, dtype=np.int64)
    while True:
        s1, s2, z1, z2 = scale(), scale(), pick(-128, 127, 0), pick(-128, 127, 0)
        s_out = float(np.float32(s1 * s2 * random.uniform(1, 2) * 2.0 ** random.integers(3, 9)))
        narrow = float(np.float32(np.float32(s1) * np.float32(s2)) / np.float32(s_out))
        wide = s1 * s2 / s_out
        product = (q[:, None] - z1) * (q[None, :] - z2)
        y = fixed_point(product, narrow)
        differ = np.argwhere((y != fixed_point(product, wide)) & (abs(y) < 128))
        if len(differ) >= 2:
            rows = np.concatenate([differ[:8], random.integers(0, 256, (8, 2))])
            x1, x2 = q[rows[:, 0]].astype(np.int8), q[rows[:, 1]].astype(np.int8)
            return mul_case("separates a float32 multiplier from a double one", x1.shape, x2.shape, s1, z1, s2, z2,
                            s_out, 0, "NONE", x1, x2)


def make_mul():
    cases = [random_mul("elementwise", shape, shape) for shape in [(1, 3, 3, 4), (2, 7), (24,), (1, 2, 5, 3)] * 6]
    broadcasts = [((1, 4, 4, 3), (1, 1, 1, 3)), ((1, 1, 1, 3), (1, 4, 4, 3)), ((2, 3, 1, 2), (2, 1, 4, 2)),
                  ((1, 3, 4, 2), (4, 2)), ((1, 3, 4, 2), (1,)), ((5,), (3, 1))]
    cases += [random_mul("broadcasts", *shapes) for shapes in broadcasts * 2]
    cases += [separating_mul() for _ in range(12)]
    return cases


def pad_case(note, shape, paddings):
    s, z, x = scale(), zero_point(), numbers(*shape)
    out = [d + b + a for d, (b, a) in zip(shape, paddings)]
    model = Model(schema.BuiltinOperator.PAD, schema.BuiltinOptions.PadOptions, schema.PadOptionsT())
    model.input(shape, s, z).constant(np.array(paddings)).output(out, s, z)
    case = {"note": note, "x_shape": list(shape), "x": x.ravel().tolist(), "s": s, "z": z,
            "before": [p[0] for p in paddings], "after": [p[1] for p in paddings]}
    return outcome(case, model.bytes(), [x])


def make_pad():
    cases = [pad_case("nothing", (1, 2, 3, 2), [(0, 0)] * 4),
             pad_case("rows and columns", (1, 3, 3, 2), [(0, 0), (1, 1), (1, 1), (0, 0)]),
             pad_case("below and right", (2, 2, 3, 1), [(0, 0), (0, 1), (0, 2), (0, 0)]),
             pad_case("every axis", (1, 2, 2, 2), [(1, 0), (0, 2), (2, 1), (1, 1)])]
    for i in range(20):
        shape = tuple(random.integers(1, 5, random.integers(1, 5)).tolist())
        cases.append(pad_case("random", shape, [tuple(int(n) for n in random.integers(0, 3, 2)) for _ in shape]))
    return cases


def concatenation_case(note, shapes, axis):
    s, z = scale(), zero_point()
    out = list(shapes[0])
    out[axis] = sum(shape[axis] for shape in shapes)
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    model = Model(schema.BuiltinOperator.CONCATENATION, schema.BuiltinOptions.ConcatenationOptions, options)
    inputs = [numbers(*shape) for shape in shapes]
    for shape in shapes:
        model.input(shape, s, z)
    model.output(out, s, z)
    case = {"note": note, "axis": axis, "s": s, "z": z, "inputs":
            [{"x_shape": [int(d) for d in x.shape], "x": x.ravel().tolist()} for x in inputs]}
    return outcome(case, model.bytes(), inputs)


def make_concatenation():
    cases = []
    for i in range(24):
        rank = int(random.integers(1, 5))
        axis = int(random.integers(-rank, rank))
        base = random.integers(1, 4, rank)
        shapes = []
        for _ in range(random.integers(1, 5)):
            shape = base.copy()
            shape[axis] = random.integers(1, 5)
            shapes.append(tuple(int(d) for d in shape))
        cases.append(concatenation_case("random", shapes, axis))
    return cases


def table_case(note, code, s_in, z_in, s_out, z_out):
    x = np.arange(-128, 128).astype(np.int8)
    model = Model(code).input(x.shape, s_in, z_in).output(x.shape, s_out, z_out)
    case = {"note": note, "s_in": s_in, "z_in": z_in, "s_out": s_out, "z_out": z_out}
    return outcome(case, model.bytes(), [x])


def make_table(code, s_out, z_out):
    cases = [table_case("usual", code, s, z, s_out, z_out)
             for s in (8 / 255, 1 / 16, 1 / 32, 0.1, 0.25, 1.0) for z in (0, -128, 127, 5)]
    cases += [table_case("octaves", code, scale(e, e), zero_point(), s_out, z_out) for e in range(-16, 8)]
    return cases


def make_rectifiers():
    cases = []
    for name, code in (("RELU", schema.BuiltinOperator.RELU), ("RELU6", schema.BuiltinOperator.RELU6)):
        for i in range(24):
            s_in, z_in = scale(-7, 0), zero_point()
            same = i % 3 == 0
            s_out = s_in if same else float(np.float32(s_in * pick(1.0, 2.0, 0.5, 0.1, random.uniform(0.3, 3))))
            z_out = z_in if same else zero_point()
            cases.append({"activation": name, **table_case("same" if same else "rescales", code, s_in, z_in, s_out,
                                                           z_out)})
    return cases + [separating_relu() for _ in range(8)]


def separating_relu():
    """A quotient of scales that float32 rounds onto a tie."""
    steps = np.arange(-255, 256)
    while True:
        s_in = scale(-7, 0)
        s_out = np.float32(s_in / (pick(1.125, 1.25, 1.5, 1.75) * 2.0 ** -random.integers(1, 5)))
        narrow = float(np.float32(s_in) / s_out)
        if np.any(fixed_point(steps, narrow) != fixed_point(steps, s_in / float(s_out))):
            return {"activation": "RELU", **table_case("separates a float32 multiplier from a double one",
                                                       schema.BuiltinOperator.RELU, s_in, pick(-128, 0, 5),
                                                       float(s_out), -128)}


def make_fully_connected():
    """The cases of fully_connected.json for which TFLite Micro returns something else than `y`."""
    with open(os.path.join(HERE, "fully_connected.json")) as file:
        recorded = json.load(file)["cases"]
    cases = []
    for c in recorded:
        x, w = (np.array(c[name], np.int8).reshape(c[name + "_shape"]) for name in "xw")
        s_in, s_out = (float(np.float32(c[name])) for name in ("s_in", "s_out"))
        s_w = [float(np.float32(s)) for s in c["s_w"]]
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = ACTIVATIONS[c["activation"]]
        model = Model(schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions, options)
        model.input(x.shape, s_in, c["z_in"]).constant(w, s_w)
        model.constant(np.array(c["bias"] or [0] * len(w)), [float(np.float32(s_in * s)) for s in s_w])
        model.output(c["y_shape"], s_out, c["z_out"])
        y = run_micro(model.bytes(), [x]).ravel().tolist()
        if y != c["y"]:
            cases.append({"fully_connected": c["id"], "note": c["note"], "y_micro": y})
    return cases


def write(name, cases):
    separated = sum("y_micro" in case and case["y_micro"] is not None for case in cases)
    refused = sum("y_micro" in case and case["y_micro"] is None for case in cases)
    print(f"{name}: {len(cases)} cases, {separated} where TFLM differs, {refused} that it refuses")

    def plain(value):
        return float(f"{value:.9g}") if isinstance(value, float) else value

    with open(os.path.join(HERE, name + ".json"), "w") as file:
        rows = [json.dumps({"id": i, **{k: plain(v) for k, v in case.items()}}, separators=(",", ":"))
                for i, case in enumerate(cases)]
        file.write('{"operation":"%s","made_by":"make_runtimes.py","cases":[\n%s\n]}\n' % (name, ",\n".join(rows)))


if __name__ == "__main__":
    write("mul", make_mul())
    write("pad", make_pad())
    write("concatenation", make_concatenation())
    write("logistic", make_table(schema.BuiltinOperator.LOGISTIC, 1 / 256, -128))
    write("tanh", make_table(schema.BuiltinOperator.TANH, 1 / 128, 0))
    write("relu_runtimes", make_rectifiers())
    write("fully_connected_micro", make_fully_connected())
