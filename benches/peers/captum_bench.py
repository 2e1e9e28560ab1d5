"""Captum on networks of the shapes of `benches/src/bin/network.rs`: 256 samples, random weights, one thread.

Usage: python captum_bench.py [repeats]      (torch, captum)

Prints the least CPU time of the process for each method in milliseconds.
"""
import sys
import time

import torch
import torch.nn as nn
from captum.attr import LRP, DeepLift, InputXGradient, IntegratedGradients, LayerGradCam, Occlusion, Saliency

torch.set_num_threads(1)
torch.manual_seed(1)
REPEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 5


def dense(widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def images():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))


def least(work):
    work()
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best * 1e3


def forward(model, x):
    with torch.no_grad():
        return model(x)


for name, model, x in [
    ("MLP 30", dense([30, 64, 64, 2]), torch.rand(256, 30)),
    ("MLP 784", dense([784, 256, 128, 10]), torch.rand(256, 784)),
    ("CNN 28x28", images(), torch.rand(256, 1, 28, 28)),
]:
    model.eval()
    rows = {
        "forward": lambda: forward(model, x),
        "saliency": lambda: Saliency(model).attribute(x, target=0),
        "input x gradient": lambda: InputXGradient(model).attribute(x, target=0),
        "IG-50, one batch": lambda: IntegratedGradients(model).attribute(x, target=0, n_steps=50),
        "IG-50, parts of 256": lambda: IntegratedGradients(model).attribute(x, target=0, n_steps=50, internal_batch_size=256),
        "DeepLIFT": lambda: DeepLift(model).attribute(x, target=0),
        "LRP": lambda: LRP(model).attribute(x, target=0),
    }
    if x.dim() == 4:
        rows["Grad-CAM"] = lambda: LayerGradCam(model, model[3]).attribute(x, target=0)
        rows["occlusion, 49 windows"] = lambda: Occlusion(model).attribute(x, (1, 4, 4), strides=(1, 4, 4), target=0)
    for row, work in rows.items():
        try:
            print(f"{name:12} {row:24} {least(work):10.3f} ms")
        except (TypeError, AssertionError, RuntimeError) as error:
            print(f"{name:12} {row:24} refused: {error}")
