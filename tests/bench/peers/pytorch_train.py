#!/usr/bin/env python3
"""Training steps of the three nets in PyTorch: a peer of models_bench's `train`, optional like all of them.

    pytorch_train.py NET THREADS SECONDS > result.json

One step is forward, cross-entropy, backward and Adam on 128 random images that are in memory already, as ours.
PyTorch is measured in its two memory layouts, each with the C library's memory settings and with settings that
keep large buffers for reuse, which help it on some machines and not on others. Each is measured for SECONDS in a
process of its own, so that its peak memory is its own: resident_MiB is the most that was resident, less what the
interpreter with PyTorch holds before it begins. The output is in the form that Google Benchmark writes.
"""
import ctypes
import json
import os
import resource
import sys
import time

import torch
from torch import nn

BATCH = 128
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # parameters of glibc's mallopt


def convolution(inputs, outputs, normalized):
    norm = [nn.BatchNorm2d(outputs)] if normalized else []
    return [nn.Conv2d(inputs, outputs, kernel_size=3, padding=1), *norm, nn.ReLU()]


def halved():
    return [nn.MaxPool2d(2)]


def mnist():
    layers = convolution(1, 8, False) + halved() + convolution(8, 16, False) + halved()
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(7 * 7 * 16, 10)), (1, 28, 28)


def micro():
    layers = []
    for inputs, outputs in ((3, 8), (8, 16), (16, 24)):
        layers += convolution(inputs, outputs, True) + halved()
    layers += convolution(24, 24, True) + [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(24, 10)), (3, 32, 32)


def standard():
    layers = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += convolution(inputs, outputs, True) + convolution(outputs, outputs, True) + halved()
    layers += [nn.Flatten(), nn.Linear(4 * 4 * 128, 32), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(32, 10)), (3, 32, 32)


def resident_mib():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(make_net, threads, seconds, layout, keep_memory):
    """Seconds of a step, and MiB."""
    before = resident_mib()
    if keep_memory:
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    torch.set_num_threads(threads)
    torch.manual_seed(42)
    net, image = make_net()
    net = net.to(memory_format=layout)
    images = torch.rand(BATCH, *image).to(memory_format=layout)
    labels = torch.randint(10, (BATCH,))
    optimizer, loss_of = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(net(images), labels).backward()
        optimizer.step()

    for _ in range(5):  # warms up
        step()
    steps, start = 0, time.perf_counter()
    while steps < 3 or time.perf_counter() - start < seconds:
        step()
        steps += 1
    mean = (time.perf_counter() - start) / steps
    return mean, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before


def in_own_process(*arguments):
    """What `measure` returns there. PyTorch must not have started threads before the fork."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(send, json.dumps(measure(*arguments)).encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("mnist", "micro", "standard"):
        sys.exit(__doc__)
    net, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    results = []
    for layout_name, layout in (("nchw", torch.contiguous_format), ("nhwc", torch.channels_last)):
        for memory_name, keep_memory in (("", False), (" malloc tuned", True)):
            step, mib = in_own_process(globals()[net], threads, seconds, layout, keep_memory)
            who = f"pytorch {torch.__version__.split('+')[0]} {layout_name}{memory_name}"
            results.append({"run_name": f"train/{net}/batch:{BATCH}/threads:{threads}/{who}",
                            "run_type": "iteration", "real_time": step * 1e6, "time_unit": "us",
                            "resident_MiB": mib})
    json.dump({"benchmarks": results}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
