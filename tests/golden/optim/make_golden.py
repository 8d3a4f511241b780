"""Records what PyTorch's optimizers and schedules do; writes optimizers.json and schedules.json beside itself.

Made with PyTorch 1.13 (Debian 12: python3-torch), on a CPU:  python3 make_golden.py

The problem, chosen so that it can be restated in a few lines in any language: a list of numbers w[0..24], cut into
four tensors; at step t = 0, 1, ... the loss is

    sum over i of  a[i]/2 * (w[i] - c[i] - sin(t)/2)^2 + cos(w[i])/4
    a[i] = 0.05 * 1.2^i      c[i] = cos(3 i)      w[i] starts at sin(7 i + 1)

so the gradient is a[i] * (w[i] - c[i] - sin(t)/2) - sin(w[i])/4. Curvatures differ by a factor of 80, and the target
moves. Tensors named in DECAYING decay, the others do not (two parameter groups). The learning rate of step t is
the case's rate * (1 + t % 3) / 2, so that it changes from step to step.
"""

import json
import math
import pathlib

import torch

SHAPES = {"weight": (4, 3), "bias": (3,), "kernel": (2, 2, 2, 1), "gamma": (2,)}
DECAYING = {"weight", "kernel"}
STEPS = 30
RECORDED = [1, 2, 3, 10, 20, 30]

CASES = [
    ("sgd", dict(lr=0.1)),
    ("sgd", dict(lr=0.1, weight_decay=0.05)),
    ("sgd", dict(lr=0.05, momentum=0.9)),
    ("sgd", dict(lr=0.05, momentum=0.9, weight_decay=0.05)),
    ("sgd", dict(lr=0.05, momentum=0.9, nesterov=True)),
    ("sgd", dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.05)),
    ("adam", dict(lr=0.05)),
    ("adam", dict(lr=0.05, betas=(0.8, 0.95), eps=1e-4)),
    ("adam", dict(lr=0.05, weight_decay=0.1)),
    ("adamw", dict(lr=0.05)),
    ("adamw", dict(lr=0.05, weight_decay=0)),
    ("adamw", dict(lr=0.05, betas=(0.85, 0.99), eps=1e-6, weight_decay=0.3)),
]
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def run(kind, options, dtype):
    sizes = [math.prod(shape) for shape in SHAPES.values()]
    index = torch.arange(sum(sizes), dtype=torch.float64)
    a = (0.05 * 1.2**index).to(dtype)
    c = torch.cos(3 * index).to(dtype)
    start = torch.sin(7 * index + 1).to(dtype)
    tensors = {
        name: part.reshape(shape).clone().requires_grad_()
        for (name, shape), part in zip(SHAPES.items(), start.split(sizes))
    }
    groups = [
        {"params": [w for name, w in tensors.items() if name in DECAYING]},
        {"params": [w for name, w in tensors.items() if name not in DECAYING], "weight_decay": 0.0},
    ]
    optimizer = CLASSES[kind](groups, **options)
    records = {}
    for t in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = options["lr"] * (1 + t % 3) / 2
        optimizer.zero_grad()
        w = torch.cat([tensor.flatten() for tensor in tensors.values()])
        loss = (a / 2 * (w - c - math.sin(t) / 2) ** 2 + torch.cos(w) / 4).sum()
        loss.backward()
        optimizer.step()
        if t + 1 in RECORDED:
            records[t + 1] = torch.cat([tensor.detach().flatten() for tensor in tensors.values()]).tolist()
    slots = {"sgd": ["momentum_buffer"], "adam": ["exp_avg", "exp_avg_sq"], "adamw": ["exp_avg", "exp_avg_sq"]}[kind]
    state = [
        torch.cat([optimizer.state[tensor][slot].flatten() for tensor in tensors.values()]).tolist()
        for slot in slots
        if optimizer.state[tensors["weight"]].get(slot) is not None
    ]
    if dtype == torch.float32:  # nine digits name a float32 exactly
        records = {t: shorten(values) for t, values in records.items()}
        state = [shorten(values) for values in state]
    return {"after": records, "state": state}


def shorten(values):
    return [float(f"{value:.9g}") for value in values]


def schedules():
    def rates(make, steps):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        schedule = make(optimizer)
        recorded = []
        for _ in range(steps):
            recorded.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return recorded

    s = torch.optim.lr_scheduler

    def warm(optimizer, after, steps, factor):
        first = s.LinearLR(optimizer, start_factor=factor, total_iters=steps)
        return s.SequentialLR(optimizer, [first, after(optimizer)], milestones=[steps])

    return {
        "constant 0.1": rates(lambda o: s.ConstantLR(o, factor=1), 10),
        "step 0.1 period 7 factor 0.3": rates(lambda o: s.StepLR(o, 7, 0.3), 30),
        "cosine 0.1 steps 40": rates(lambda o: s.CosineAnnealingLR(o, 40), 41),
        "cosine 0.1 steps 33 final 0.002": rates(lambda o: s.CosineAnnealingLR(o, 33, 0.002), 34),
        "warm-up 5 from 1/3, step 0.1 period 6 factor 0.5": rates(
            lambda o: warm(o, lambda p: s.StepLR(p, 6, 0.5), 5, 1 / 3), 30
        ),
        "warm-up 8 from 0.01, constant 0.1": rates(
            lambda o: warm(o, lambda p: s.ConstantLR(p, factor=1), 8, 0.01), 20
        ),
        "one-cycle peak 0.1 steps 50": rates_exact(s, 0.1, 50, {}),
        "one-cycle peak 0.02 steps 33 rising 0.45 start 10 final 100": rates_exact(
            s, 0.02, 33, dict(pct_start=0.45, div_factor=10, final_div_factor=100)
        ),
        "one-cycle peak 0.5 steps 3": rates_exact(s, 0.5, 3, {}),
    }


def rates_exact(s, peak, steps, options):
    """OneCycleLR refuses to step beyond its end, so the last call of schedule.step is left out."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = s.OneCycleLR(optimizer, peak, total_steps=steps, anneal_strategy="cos", cycle_momentum=False, **options)
    recorded = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
        recorded.append(optimizer.param_groups[0]["lr"])
    return recorded


def dump(value, level=0):
    """JSON with one line per list of numbers."""
    if isinstance(value, dict):
        inner = [f"{json.dumps(str(k))}: {dump(v, level + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(inner) + "\n}" + ("" if level else "\n")
    if isinstance(value, list) and value and not isinstance(value[0], float):
        return "[\n" + ",\n".join(dump(v, level + 1) for v in value) + "\n]"
    return json.dumps(value)


def main():
    folder = pathlib.Path(__file__).parent
    cases = [
        {
            "kind": kind,
            "options": options,
            "float32": run(kind, options, torch.float32),
            "float64": run(kind, options, torch.float64),
        }
        for kind, options in CASES
    ]
    (folder / "optimizers.json").write_text(dump({"torch": torch.__version__, "cases": cases}))
    (folder / "schedules.json").write_text(dump({"torch": torch.__version__, "rates": schedules()}))


main()
