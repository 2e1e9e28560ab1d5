"""Metrics of explanations beside Quantus, in turns, one thread: same network, images and explanations.

    env/bin/python evaluation.py PROGRAM [FOLDER]

PROGRAM is `target/release/evaluation`; env has the versions of tools/reference/requirements-evaluation.txt. Prints a table of
least processor times over the rounds, of quotients, and of how far the values lie apart. Only pixel flipping is the same on
both sides to the last digit; the others draw their own noise or subsets, so that their means are beside one another.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")})

import numpy as np
import quantus
import torch

warnings.filterwarnings("ignore")
np.trapz = getattr(np, "trapz", None) or np.trapezoid
IMAGES, SIDE, CLASS, ROUNDS, SECONDS = 32, 28, 3, 5, 0.5


def network():
    torch.manual_seed(20)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(400, 10)).eval()


def tasks(net, images, given):
    labels = np.full(IMAGES, CLASS)
    shared = dict(abs=False, normalise=False, disable_warnings=True, return_aggregate=False)
    call = dict(model=net, x_batch=images, y_batch=labels, softmax=False, device="cpu", batch_size=IMAGES)
    explain = dict(explain_func=quantus.explain, explain_func_kwargs={"method": "Saliency"})
    own = quantus.explain(net, images, labels, method="Saliency")
    base = dict(perturb_baseline=0.0, **shared)
    correlation = quantus.FaithfulnessCorrelation(nr_runs=100, subset_size=224, **base)
    flipping = quantus.PixelFlipping(features_in_step=SIDE, **base)
    sensitivity = quantus.MaxSensitivity(nr_samples=10, lower_bound=0.2, **shared)
    stability = quantus.RelativeInputStability(nr_samples=10, **shared)

    def area(curves):
        curves = np.concatenate([first[:, None], np.asarray(curves)], 1)
        return np.trapz(curves, dx=1 / SIDE, axis=1)

    with torch.no_grad():
        first = net(torch.tensor(images)).numpy()[:, CLASS]

    def calls(n):
        many = torch.tensor(images)[np.arange(256) % IMAGES]
        with torch.no_grad():
            for start in range(0, n, 256):
                net(many[: min(256, n - start)])

    return {
        "calls-3232": lambda: calls(3232),
        "faithfulness-correlation": lambda: correlation(a_batch=given, **call),
        "pixel-flipping": lambda: area(flipping(a_batch=given, **call)),
        "max-sensitivity": lambda: sensitivity(a_batch=own, **call, **explain),
        "relative-input-stability": lambda: stability(a_batch=own, **call, **explain),
    }


def least(work, seconds):
    begin, fastest, done = time.perf_counter(), np.inf, None
    while not np.isfinite(fastest) or time.perf_counter() - begin < seconds:
        start = time.process_time()
        done = work()
        fastest = min(fastest, time.process_time() - start)
    return fastest, done


def main(program, folder):
    torch.set_num_threads(1)
    rng = np.random.default_rng(20)
    net = network()
    images = rng.uniform(size=(IMAGES, 1, SIDE, SIDE)).astype(np.float32)
    x = torch.tensor(images, requires_grad=True)
    net(x)[:, CLASS].sum().backward()
    # A little of everything, so that no two cells tie.
    given = (x.grad.numpy() * images + 1e-4 * rng.normal(size=images.shape)).astype(np.float32)
    parameters = np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])
    for name, values in (("parameters", parameters), ("images", images), ("explanations", given)):
        np.asarray(values, "<f4").tofile(os.path.join(folder, name + ".f32"))
    theirs = tasks(net, images, given)
    times = {name: ([], []) for name in theirs}
    apart = {}
    for _ in range(ROUNDS):
        for name, work in theirs.items():
            done = subprocess.run([program, folder, str(SECONDS), name], capture_output=True, text=True, check=True)
            ours = json.loads(done.stdout)
            seconds, values = least(work, SECONDS)
            times[name][0].append(ours["seconds"])
            times[name][1].append(seconds)
            if values is not None:
                a, b = np.asarray(ours["values"]), np.asarray(values, dtype=float).ravel()
                apart[name] = (np.abs(a - b).max(), a.mean(), b.mean())
    print("| metric | ours, ms | Quantus, ms | quotient by rounds | mean value, ours and theirs | largest difference |")
    print("|---|---|---|---|---|---|")
    for name, (ours, quantus_) in times.items():
        quotients = np.sort(np.array(quantus_) / np.array(ours))
        gap, a, b = apart.get(name, (float("nan"),) * 3)
        print(f"| {name} | {min(ours) * 1e3:.2f} | {min(quantus_) * 1e3:.2f} | "
              f"{np.median(quotients):.1f} ({quotients[0]:.1f} to {quotients[-1]:.1f}) | {a:.4f}, {b:.4f} | {gap:.1e} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else made)
