"""Golden numbers of zennit, Captum and shap on a trained ResNet-20 for CIFAR-10 (akamaster/pytorch_resnet_cifar10).

    env/bin/python resnet_cases.py ../../../shared/data/models/resnet20-cifar10.th
"""

import sys
import warnings
from importlib.metadata import version

import captum.attr as ca
import numpy as np
import torch
import torch.nn.functional as F
import zennit.composites as zc
from torch import nn
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm

import captum_cases as captum
import networks as net
import record
from zennit_cases import StackSum, everywhere, zr

warnings.filterwarnings("ignore")
OUTPUT = 0


class Shortcut(nn.Module):
    """Every second place, and zeros for the channels that are new."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.channels // 4, self.channels // 4))


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride, addition):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
        self.relu1 = nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)
        self.shortcut = nn.Identity() if stride == 1 else Shortcut(n_out)
        self.add, self.relu2 = addition(), nn.ReLU()

    def forward(self, x):
        return self.relu2(self.add(self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x))))), self.shortcut(x)))


class ResNet(nn.Module):
    def __init__(self, addition):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        for place, (n_in, n_out) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
            blocks = [Block(n_in if i == 0 else n_out, n_out, 2 if i == 0 and place > 1 else 1, addition) for i in range(3)]
            self.add_module(f"layer{place}", nn.Sequential(*blocks))
        self.pool, self.flat, self.linear = nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x))))))
        return self.linear(self.flat(self.pool(x)))


def load(path, addition=net.Sum, dtype=torch.float64):
    weights = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    model = ResNet(addition)
    model.load_state_dict({k.removeprefix("module."): v for k, v in weights.items()})
    return model.to(dtype).eval()


def image():
    """A smooth picture, in the range of normalised CIFAR images."""
    random = np.random.default_rng(record.SEED)
    rows, columns = np.mgrid[0:32, 0:32] / 32
    waves = [sum(random.normal() * np.sin(2 * np.pi * (i * rows + j * columns) + random.uniform(0, 6)) for i in range(3) for j in range(3)) for _ in range(3)]
    return net.f32(np.round(np.clip(np.stack(waves) * 0.6, -2, 2), 3))[None]


def composites(at):
    box = {"low": torch.full_like(at, -2.5), "high": torch.full_like(at, 2.5)}
    return {"epsilon": (everywhere(zr.Epsilon(1e-6)), {"epsilon": 1e-6}), "epsilon-plus": (zc.EpsilonPlus(), {}), "epsilon-plus-flat": (zc.EpsilonPlusFlat(), {}),
            "epsilon-alpha2-beta1": (zc.EpsilonAlpha2Beta1(), {}), "epsilon-gamma-box": (zc.EpsilonGammaBox(**box), {"low": -2.5, "high": 2.5, "gamma": 0.25})}


def relevance(path, name, at):
    composite = composites(at)[name][0]
    composite.canonizers = [SequentialMergeBatchNorm()]
    mask = torch.eye(10, dtype=at.dtype)[[OUTPUT]]
    with Gradient(load(path, StackSum, at.dtype), composite) as attributor:
        _, values = attributor(at, lambda out: out * mask)
    return values.detach().double().numpy().ravel()


def main(path):
    x = image()
    at = net.tensor(x)
    cases = []
    for name, (_, params) in composites(at).items():
        values, single = (relevance(path, name, at.to(dtype)) for dtype in (torch.float64, torch.float32))
        # How far zennit is from itself when it computes in f32: what rounding alone does with these weights.
        rounding = float(f"{np.abs(single - values).max() / np.abs(values).max():.2g}")
        cases.append({"name": name, "method": "zennit", "params": {**params, "rounding": rounding}, "values": net.digits(values, 6)})
    model = load(path)
    zero = torch.zeros_like(at)
    for name, method, values in [("gradient", "Saliency", ca.Saliency(model).attribute(at, OUTPUT, abs=False)),
                                 ("deep-lift-zero", "DeepLift", ca.DeepLift(model).attribute(at, zero, OUTPUT))]:
        cases.append({"name": name, "method": method, "params": {}, "values": net.digits(values.detach().numpy().ravel(), 6)})
    with torch.no_grad():
        scores = model(at).numpy()
    about = record.about("resnet_cases.py", ["captum", "torch", "numpy"], {"dtype": "float64", "stabilizer": 1e-6}, record.SEED, captum.TOLERANCE)
    about["versions"]["zennit"] = version("zennit")
    record.write("networks", "resnet20", {"about": about, "weights": "resnet20-cifar10.th", "shape": [3, 32, 32], "output": OUTPUT, "image": x[0].ravel(),
                                          "scores": net.digits(scores[0]), "cases": cases})
    print(scores.round(2))


if __name__ == "__main__":
    main(sys.argv[1])
