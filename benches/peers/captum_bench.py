"""Explainers of networks beside Captum, in turns, one thread: the same networks, 256 samples, output 0.

    env/bin/python captum_bench.py PROGRAM [--rounds 5] [--seconds 0.5] [--no-memory] [--only NETWORK[.METHOD] …]

PROGRAM is `target/release/network`; env has the versions of tools/reference/requirements-networks.txt. Prints a table of
least processor times over the rounds, of quotients by rounds, of how far the values lie apart relative to the largest
(and of how many samples have values more than 1e-4 apart), and of the memory that one call needs at its peak beyond what
was there before, each in a process of its own. Captum's DeepLIFT goes another way through max pooling, so that those two
may lie apart; integrated gradients may where a point of a line lies on a kink.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")})

import numpy as np
import torch
import torch.nn as nn
from captum.attr import LRP, DeepLift, InputXGradient, IntegratedGradients, LayerGradCam, Occlusion, Saliency
from captum.attr._utils.lrp_rules import EpsilonRule

warnings.filterwarnings("ignore")
SAMPLES, STEPS, EPSILON = 256, 50, 1e-2
METHODS = ["forward", "saliency", "input-times-gradient", "integrated-gradients", "integrated-gradients-in-parts", "deep-lift",
           "lrp", "grad-cam", "occlusion"]


def dense(*widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def images():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))


def network(name):
    """The network, its samples and the window that hides."""
    torch.manual_seed(1)
    if name == "cnn":
        return images().eval(), torch.rand(SAMPLES, 1, 28, 28), (1, 4, 4)
    widths, window = {"mlp-30": ((30, 64, 64, 2), (1,)), "mlp-784": ((784, 256, 128, 10), (16,))}[name]
    return dense(*widths).eval(), torch.rand(SAMPLES, widths[0]), window


def forward(model, x):
    with torch.no_grad():
        return model(x)[:, 0]


def task(name, method):
    """What does it."""
    model, x, window = network(name)
    return {
        "forward": lambda: forward(model, x),
        "saliency": lambda: Saliency(model).attribute(x, target=0),
        "input-times-gradient": lambda: InputXGradient(model).attribute(x, target=0),
        "integrated-gradients": lambda: IntegratedGradients(model).attribute(x, target=0, n_steps=STEPS),
        "integrated-gradients-in-parts": lambda: IntegratedGradients(model).attribute(
            x, target=0, n_steps=STEPS, internal_batch_size=SAMPLES),
        "deep-lift": lambda: DeepLift(model).attribute(x, target=0),
        "lrp": lambda: relevance(model, x),
        "grad-cam": lambda: LayerGradCam(model, model[3]).attribute(x, target=0),
        "occlusion": lambda: Occlusion(model).attribute(x, window, strides=window, target=0),
    }[method]


def relevance(model, x):
    # Captum takes a rule off when it has used it, and has none for layers that change nothing but the axes.
    for layer in model:
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.Flatten)):
            layer.rule = EpsilonRule(1e-9 if isinstance(layer, nn.Flatten) else EPSILON)
    return LRP(model).attribute(x, target=0)


def least(work, seconds):
    begin, fastest, done = time.perf_counter(), np.inf, work()
    while not np.isfinite(fastest) or time.perf_counter() - begin < seconds:
        start = time.process_time()
        done = work()
        fastest = min(fastest, time.process_time() - start)
    return fastest, done.detach().numpy().ravel()


def kibibytes(entry):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(entry))


def peak(name, method):
    """The bytes that the first call needs, in a process of its own."""
    work = task(name, method)
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    before = kibibytes("VmRSS")
    work()
    print(1024 * (kibibytes("VmHWM") - before))


def alone(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


def main(given, folder):
    pairs = [(name, method) for name in ("mlp-30", "mlp-784", "cnn") for method in METHODS
             if (method != "grad-cam" or name == "cnn") and any(f"{name}.{method}".startswith(only) for only in given.only)]
    for name in dict(pairs):
        model, x, _ = network(name)
        parameters = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
        for part, values in (("parameters", parameters), ("samples", x.numpy())):
            np.asarray(values, "<f4").tofile(os.path.join(folder, f"{name}.{part}.f32"))
    print("| network | method | ours, ms | Captum, ms | quotient by rounds | largest difference, samples beyond 1e-4 | ours, MB | Captum, MB |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name, method in pairs:
        work, times, bytes_ = task(name, method), ([], []), []
        for _ in range(given.rounds):
            ours = json.loads(alone(given.program, folder, given.seconds, name, method))
            seconds, values = least(work, given.seconds)
            times[0].append(ours["seconds"])
            times[1].append(seconds)
            bytes_.append(ours["bytes"] or 0)
        found = np.fromfile(os.path.join(folder, f"{name}.{method}.f64"))
        gaps = np.abs(found - values).reshape(SAMPLES, -1).max(1) / np.abs(values).max()
        quotients = np.sort(np.array(times[1]) / np.array(times[0]))
        theirs = "" if given.no_memory else f"{int(alone(sys.executable, __file__, '--peak', name, method)) / 1e6:.1f}"
        print(f"| {name} | {method} | {min(times[0]) * 1e3:.3f} | {min(times[1]) * 1e3:.3f} | {np.median(quotients):.1f} "
              f"({quotients[0]:.1f} to {quotients[-1]:.1f}) | {gaps.max():.1e}, {(gaps > 1e-4).sum()} | {min(bytes_) / 1e6:.1f} | {theirs} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "--peak":
        peak(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument("program")
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--seconds", type=float, default=0.5)
        parser.add_argument("--no-memory", action="store_true")
        parser.add_argument("--only", nargs="*", default=[""])
        with tempfile.TemporaryDirectory() as made:
            main(parser.parse_args(), made)
