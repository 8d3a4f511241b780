"""Records what PyTorch's layers do, forward and backward; writes one JSON file per operation beside itself.

Made with PyTorch 1.13 (Debian 12: python3-torch), in double, on a CPU:  python3 make.py

All tensors are in qlimit's layout: activations [N,H,W,C], filters [O,KH,KW,C], depthwise filters [1,KH,KW,C*M]. Inputs
are multiples of 1/64, exact in float, so that a test in float meets nothing but its own rounding.
"""
import json
import os

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
random = torch.Generator().manual_seed(20240601)


def draw(*shape, low=-1.0, high=1.0):
    """Multiples of 1/64 in [low, high)."""
    numbers = torch.randint(int(low * 64), int(high * 64), shape, generator=random)
    return (numbers.double() / 64).requires_grad_()


def distinct(*shape):
    """Multiples of 1/64 around 0, no two equal: for operations that pick the largest."""
    count = torch.Size(shape).numel()
    numbers = torch.randperm(count, generator=random) - count // 2
    return (numbers.double() / 64).reshape(shape).requires_grad_()


def to_json(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


def record(inputs, output, **settings):
    """One case: inputs, output, a random upstream gradient, and the gradients that it causes."""
    upstream = draw(*output.shape)
    gradients = torch.autograd.grad(output, list(inputs.values()), upstream.detach())
    case = dict(settings)
    case["inputs"] = {name: to_json(tensor) for name, tensor in inputs.items()}
    case["upstream"] = to_json(upstream)
    case["output"] = to_json(output)
    case["gradients"] = {name: to_json(gradient) for name, gradient in zip(inputs, gradients)}
    return case


def write(name, cases):
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        file.write('{"torch": "%s", "cases": [\n' % torch.__version__)
        file.write(",\n".join(json.dumps(case) for case in cases))
        file.write("\n]}\n")


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def window(kernel, stride=(1, 1), dilation=(1, 1), padding="same"):
    return {"kernel": list(kernel), "stride": list(stride), "dilation": list(dilation), "padding": padding}


def pad(x, w, value):
    """x [N,C,H,W] with the padding of TensorFlow's rule around it; then PyTorch's own padding stays 0."""
    if w["padding"] == "valid":
        return x
    sides = []
    for axis in (1, 0):  # F.pad begins with the last dimension
        size = x.shape[2 + axis]
        places = -(-size // w["stride"][axis])
        reach = (w["kernel"][axis] - 1) * w["dilation"][axis] + 1
        total = max(0, (places - 1) * w["stride"][axis] + reach - size)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides, value=value)


WINDOWS = [
    window((3, 3)),
    window((3, 3), padding="valid"),
    window((3, 3), stride=(2, 2)),
    window((2, 2), stride=(2, 2), padding="valid"),
    window((4, 2)),
    window((2, 3), stride=(3, 1)),
    window((1, 1), stride=(2, 2)),
    window((5, 3), stride=(1, 2)),
]
DILATED = [window((3, 3), dilation=(2, 2)), window((2, 3), dilation=(3, 1), padding="valid")]


def conv2d():
    cases = []
    for index, w in enumerate(WINDOWS + DILATED):
        inputs = {"x": draw(1 + index % 2, 6, 5, 1 + index % 3), "weight": None, "bias": draw(1 + index % 4)}
        inputs["weight"] = draw(inputs["bias"].shape[0], *w["kernel"], inputs["x"].shape[3])
        y = F.conv2d(pad(nchw(inputs["x"]), w, 0.0), nchw(inputs["weight"]), inputs["bias"],
                     stride=w["stride"], dilation=w["dilation"])
        cases.append(record(inputs, nhwc(y), window=w))
    write("conv2d", cases)


def symmetric():
    """Where PyTorch's own padding argument means the same as TensorFlow's rule."""
    cases = []
    for kernel in (3, 5):
        inputs = {"x": draw(2, 5, 5, 2), "weight": draw(3, kernel, kernel, 2), "bias": draw(3)}
        y = F.conv2d(nchw(inputs["x"]), nchw(inputs["weight"]), inputs["bias"], padding=kernel // 2)
        cases.append(record(inputs, nhwc(y), window=window((kernel, kernel))))
    write("conv2d_symmetric", cases)


def depthwise_conv2d():
    cases = []
    for index, w in enumerate(WINDOWS + DILATED):
        channels, multiplier = 1 + index % 3, 1 + index // 2 % 3
        inputs = {"x": draw(1 + index % 2, 6, 5, channels), "weight": draw(1, *w["kernel"], channels * multiplier),
                  "bias": draw(channels * multiplier)}
        y = F.conv2d(pad(nchw(inputs["x"]), w, 0.0), inputs["weight"].permute(3, 0, 1, 2), inputs["bias"],
                     stride=w["stride"], dilation=w["dilation"], groups=channels)
        cases.append(record(inputs, nhwc(y), window=w))
    write("depthwise_conv2d", cases)


def dense():
    cases = []
    for batch, features, outputs in ((1, 1, 1), (5, 7, 3), (2, 16, 10)):
        inputs = {"x": draw(batch, features), "weight": draw(outputs, features), "bias": draw(outputs)}
        cases.append(record(inputs, F.linear(inputs["x"], inputs["weight"], inputs["bias"])))
    write("dense", cases)


def pools():
    highest, mean = [], []
    for index, w in enumerate(WINDOWS):
        x = distinct(1 + index % 2, 6, 5, 1 + index % 3)
        y = F.max_pool2d(pad(nchw(x), w, -float("inf")), w["kernel"], w["stride"])
        highest.append(record({"x": x}, nhwc(y), window=w))
        x = draw(1 + index % 2, 6, 5, 1 + index % 3)
        sums = F.avg_pool2d(pad(nchw(x), w, 0.0), w["kernel"], w["stride"], divisor_override=1)
        counts = F.avg_pool2d(pad(torch.ones_like(nchw(x)), w, 0.0), w["kernel"], w["stride"], divisor_override=1)
        mean.append(record({"x": x}, nhwc(sums / counts), window=w))
    # PyTorch's own way to leave padding out of the mean, where its padding is TensorFlow's.
    x = draw(2, 5, 5, 2)
    y = F.avg_pool2d(nchw(x), 3, 1, padding=1, count_include_pad=False)
    mean.append(record({"x": x}, nhwc(y), window=window((3, 3))))
    write("max_pool2d", highest)
    write("average_pool2d", mean)
    x = draw(2, 3, 4, 5)
    write("global_average_pool", [record({"x": x}, F.adaptive_avg_pool2d(nchw(x), 1).flatten(1))])


def batch_norm2d():
    """A chain: each case starts from the running statistics that the one before left behind."""
    channels, cases = 3, []
    mean, variance = torch.zeros(channels).double(), torch.ones(channels).double()
    for training, epsilon, momentum in ((True, 1e-5, 0.1), (True, 1e-5, 0.1), (False, 1e-5, 0.1), (True, 1e-3, 0.25),
                                        (False, 1e-3, 0.25)):
        inputs = {"x": draw(2, 3, 4, channels, low=-1, high=3), "gamma": draw(channels, low=0.5, high=2),
                  "beta": draw(channels)}
        before = [to_json(mean), to_json(variance)]
        y = F.batch_norm(nchw(inputs["x"]), mean, variance, inputs["gamma"], inputs["beta"], training, momentum,
                         epsilon)
        cases.append(record(inputs, nhwc(y), training=training, epsilon=epsilon, momentum=momentum,
                            running_mean=before[0], running_variance=before[1], running_mean_after=to_json(mean),
                            running_variance_after=to_json(variance)))
    write("batch_norm2d", cases)


def softmax_cross_entropy():
    cases = []
    for batch, classes, smoothing, scale in ((1, 2, 0.0, 1), (4, 10, 0.0, 4), (4, 10, 0.1, 4), (3, 5, 1.0, 2),
                                             (2, 3, 0.2, 500)):
        logits = (draw(batch, classes) * scale).detach().requires_grad_()
        labels = torch.randint(0, classes, (batch,), generator=random)
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        cases.append(record({"logits": logits}, loss, labels=labels.tolist(), label_smoothing=smoothing))
    write("softmax_cross_entropy", cases)


def pointwise():
    functions = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "relu6": F.relu6,
                 "softmax": lambda x: F.softmax(x, -1)}
    for name, function in functions.items():
        edges = torch.tensor([[-30.0, -6.0, 0.0, 6.0, 30.0]]).double().requires_grad_()
        cases = [record({"x": x}, function(x)) for x in (draw(4, 5, low=-8, high=8), edges)]
        write(name, cases)


conv2d()
symmetric()
depthwise_conv2d()
dense()
pools()
batch_norm2d()
softmax_cross_entropy()
pointwise()
