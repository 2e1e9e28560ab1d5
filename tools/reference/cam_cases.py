"""Golden class activation maps of pytorch-grad-cam on the small networks of networks.py, all outputs of each, in f64; and
interpolation, blur and edges as PyTorch and SciPy have them.

    env/bin/python cam_cases.py

Needs grad-cam 1.5.5, opencv-python-headless and ttach besides what captum_cases.py needs.
"""

from importlib.metadata import version

import numpy as np
import pytorch_grad_cam as pgc
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from scipy import ndimage

import networks as net
import record

SCRIPT, LIBRARIES = "cam_cases.py", ["scipy", "torch", "numpy"]
TOLERANCE = {"values": 1e-4, "relative_to": "largest |value| of the case", "why": "the library ran in f64, the networks of the toolkit in f32"}
LAYERS = {"cnn": ["relu1", "pool1", "relu2"], "residual": ["block1.relu2", "block2.relu2"]}
METHODS = {"grad-cam": pgc.GradCAM, "hi-res-cam": pgc.HiResCAM, "grad-cam-plus-plus": pgc.GradCAMPlusPlus, "x-grad-cam": pgc.XGradCAM,
           "layer-cam": pgc.LayerCAM, "score-cam": pgc.ScoreCAM}
NOTE = ("maps before the library's rectifier and before it scales them to [0, 1]; grad-cam-plus-plus adds 1e-6 to a denominator "
        "of squares of slopes, x-grad-cam 1e-7 to a sum of activations")


def maps(built):
    rows, _ = net.data(built, {"cnn": 2, "residual": 2}[built.name], 3)
    x = net.tensor(rows)
    cases = []
    for layer in LAYERS[built.name]:
        for name, method in METHODS.items():
            got = []
            for k in range(built.outputs):
                model = net.Network(built)
                seen = {}
                at = model.at(layer)
                at.register_forward_hook(lambda m, i, o: seen.update(a=o))
                scores = model(x)
                grads = torch.autograd.grad(scores[:, k].sum(), seen["a"])[0]
                with method(model=model, target_layers=[at]) as cam:
                    targets = [ClassifierOutputTarget(k)] * len(rows)
                    activations = seen["a"].detach().numpy()
                    weights = cam.get_cam_image(x, at, targets, activations, grads.numpy(), False)
                got.append(np.asarray(weights, dtype=float))
            cases.append({"name": f"{name}-{layer}", "method": name, "layer": layer, "shape": list(got[0].shape[1:]), "values": net.cells(got)})
    about = record.about(SCRIPT, LIBRARIES, {"dtype": "float64", "grad-cam": version("grad-cam")}, record.SEED, TOLERANCE, note=NOTE)
    record.write("networks", f"{built.name}.cam", {"about": about, "network": built.name, "cases": cases})


def images():
    random = np.random.default_rng(record.SEED)
    small, image = random.standard_normal((3, 4)), random.standard_normal((5, 7))
    grown = {f"{h}x{w}": torch.nn.functional.interpolate(torch.tensor(small)[None, None], size=(h, w), mode="bilinear", align_corners=False)[0, 0].numpy()
             for h, w in [(6, 8), (7, 9), (3, 11), (2, 3)]}
    blurred = {str(s): ndimage.gaussian_filter(image, s, mode="reflect", truncate=4.0) for s in [0.4, 1.0, 2.5, 9.0]}
    edges = np.hypot(ndimage.sobel(image, 0, mode="nearest"), ndimage.sobel(image, 1, mode="nearest")) / 8
    about = record.about(SCRIPT, LIBRARIES, {"sobel": "divided by 8: the slope by cell"}, record.SEED, {"values": 1e-12, "why": "f64 in both"})
    record.write("images", "grids", {"about": about, "small": small, "image": image, "upsampled": grown, "blurred": blurred, "edges": edges})


if __name__ == "__main__":
    for make in net.ALL:
        built = make()
        if built.name in LAYERS:
            maps(built)
    images()
