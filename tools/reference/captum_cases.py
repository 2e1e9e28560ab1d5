"""Golden numbers of Captum's methods on the small networks of networks.py, all outputs of each, in f64.

    env/bin/python captum_cases.py [network ...]
"""

import sys
import warnings

import captum.attr as ca
import numpy as np
import torch
from captum.attr._utils.custom_modules import Addition_Module
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule
from torch.nn.utils.fusion import fuse_conv_bn_eval

import networks as net
import record

warnings.filterwarnings("ignore")
SCRIPT, LIBRARIES = "captum_cases.py", ["captum", "shap", "torch", "numpy"]
TOLERANCE = {"values": 1e-4, "relative_to": "largest |value| of the case", "why": "the libraries ran in f64, the networks of the toolkit in f32"}
N_ROWS = {"mlp": 4, "smooth": 4, "modern": 4, "series": 3, "cnn": 2, "residual": 2, "mobile": 2}
N_BASELINES = 3
LAYERS = {"mlp": ["relu1", "relu2"], "smooth": ["tanh"], "modern": ["norm"], "series": ["relu1", "relu2"], "cnn": ["relu1", "relu2"],
          "residual": ["block1.relu2", "block2.relu2"]}
WINDOWS = {1: ((2,), (1,)), 2: ((2, 3), (2, 2)), 3: ((2, 3, 3), (2, 2, 2))}

PITFALL = ("Captum 0.9 is not complete where a max pooling has another non-linear layer behind it (what the baseline's half of the batch "
           "gets is not its multiplier): there shap is the reference")
RELU6 = ("Captum 0.9 and shap 0.54 take the gradient of ReLU6, which is not complete: of Captum there is nothing here, and shap was told to "
         "treat it as it treats ReLU")


class Cases:
    def __init__(self, built, model, rows):
        self.built, self.model, self.rows, self.cases = built, model, rows, []

    def add(self, name, method, params, attribute, layer=None):
        """`attribute(target)` explains one output."""
        got = [attribute(k) for k in range(self.built.outputs)]
        got = [g[0] if isinstance(g, tuple) else g for g in got]
        got = [g.detach().numpy() for g in got]
        assert all(np.isfinite(g).all() for g in got), name
        self.cases.append({"name": name, "method": method, "params": params, "layer": layer, "shape": list(got[0].shape[1:]), "values": net.cells(got)})

    def write(self, group, note=None, **checks):
        about = record.about(SCRIPT, LIBRARIES, {"dtype": "float64"}, record.SEED, TOLERANCE, note=note, checks=checks)
        record.write("networks", f"{self.built.name}.{group}", {"about": about, "network": self.built.name, "cases": self.cases})
        self.cases = []


def gradients(c, baselines):
    m, x, zero = c.model, c.rows, torch.zeros_like(c.rows[:1])
    base = baselines[:1]
    given = {"zero": zero, "first": base}
    c.add("gradient", "Saliency", {"abs": False}, lambda k: ca.Saliency(m).attribute(x, k, abs=False))
    c.add("saliency", "Saliency", {"abs": True}, lambda k: ca.Saliency(m).attribute(x, k))
    c.add("input-x-gradient", "InputXGradient", {}, lambda k: ca.InputXGradient(m).attribute(x, k))
    schemes = ["gausslegendre", "riemann_trapezoid", "riemann_middle", "riemann_left", "riemann_right"]
    for scheme in schemes if c.built.name in ("mlp", "smooth") else schemes[:2]:
        for name, b in given.items():
            if name == "first" and scheme != "gausslegendre":
                continue
            c.add(f"integrated-gradients-{scheme}-{name}", "IntegratedGradients", {"n_steps": 50, "method": scheme, "baseline": name},
                  lambda k: ca.IntegratedGradients(m).attribute(x, b, k, n_steps=50, method=scheme))
    if any(n["op"] == "relu" for n in c.built.nodes):
        c.add("guided-backpropagation", "GuidedBackprop", {}, lambda k: ca.GuidedBackprop(m).attribute(x, k))
        c.add("deconvolution", "Deconvolution", {}, lambda k: ca.Deconvolution(m).attribute(x, k))
    window, strides = WINDOWS[len(c.built.shape)]
    c.add("occlusion", "Occlusion", {"window": window, "strides": strides, "baseline": "zero"},
          lambda k: ca.Occlusion(m).attribute(x, window, strides, 0, k))
    c.add("feature-ablation", "FeatureAblation", {"baseline": "first"}, lambda k: ca.FeatureAblation(m).attribute(x, base, k))
    mask = torch.arange(x[0].numel()).reshape(x[0].shape) % 4
    c.add("feature-ablation-grouped", "FeatureAblation", {"baseline": "zero", "mask": "cell index mod 4"},
          lambda k: ca.FeatureAblation(m).attribute(x, 0, k, feature_mask=mask[None]))
    c.write("gradients")


def layers(c, baselines):
    m, x, base = c.model, c.rows, baselines[:1]
    for layer in LAYERS[c.built.name]:
        at = m.at(layer)
        steps = {"n_steps": 50, "method": "gausslegendre", "baseline": "first"}
        c.add(f"activation-{layer}", "LayerActivation", {}, lambda k: ca.LayerActivation(m, at).attribute(x), layer)
        c.add(f"gradient-x-activation-{layer}", "LayerGradientXActivation", {}, lambda k: ca.LayerGradientXActivation(m, at).attribute(x, k), layer)
        c.add(f"integrated-gradients-{layer}", "LayerIntegratedGradients", steps, lambda k: ca.LayerIntegratedGradients(m, at).attribute(x, base, k), layer)
        c.add(f"conductance-{layer}", "LayerConductance", steps, lambda k: ca.LayerConductance(m, at).attribute(x, base, k), layer)
        c.add(f"internal-influence-{layer}", "InternalInfluence", steps, lambda k: ca.InternalInfluence(m, at).attribute(x, base, k), layer)
        if c.built.name != "modern":
            c.add(f"deep-lift-{layer}", "LayerDeepLift", {"baseline": "first"}, lambda k: ca.LayerDeepLift(m, at).attribute(x, base, k), layer)
        if len(c.built.shape) > 1:
            c.add(f"grad-cam-{layer}", "LayerGradCam", {"relu": False}, lambda k: ca.LayerGradCam(m, at).attribute(x, k), layer)
    layer = LAYERS[c.built.name][0]
    at = m.at(layer)
    with torch.no_grad():
        shape = ca.LayerActivation(m, at).attribute(x).shape[1:]
    spot = tuple(min(1, n - 1) for n in shape)
    c.add(f"neuron-gradient-{layer}", "NeuronGradient", {"neuron": spot}, lambda k: ca.NeuronGradient(m, at).attribute(x, spot), layer)
    steps = {"n_steps": 50, "method": "gausslegendre", "baseline": "first", "neuron": spot}
    c.add(f"neuron-integrated-gradients-{layer}", "NeuronIntegratedGradients", dict(steps), lambda k: ca.NeuronIntegratedGradients(m, at).attribute(x, spot, base), layer)
    steps["method"] = "riemann_trapezoid"  # its default
    c.add(f"neuron-conductance-{layer}", "NeuronConductance", steps, lambda k: ca.NeuronConductance(m, at).attribute(x, spot, base, k), layer)
    c.write("layers", "neuron-gradient and neuron-integrated-gradients explain the neuron, so all outputs read the same")


def deep_lift(c, baselines):
    if c.built.name == "modern":
        return  # Captum takes the gradient of GELU, SiLU, layer norm and products, and says nothing
    m, x, base = c.model, c.rows, baselines[:1]
    zero = torch.zeros_like(base)
    if c.built.name == "mobile":
        with torch.no_grad():
            full = (ca.LayerActivation(m, m.at("relu1")).attribute(x) == 6).double().mean().item()
        assert 0.02 < full < 0.5, full
        from shap.explainers._deep import deep_pytorch

        deep_pytorch.op_handler["ReLU6"] = deep_pytorch.nonlinear_1d
        shap_cases(c, baselines)
        rise = (m(x) - m(base)).detach().numpy()
        gaps = {case["name"]: record.gap(case["values"].sum(axis=1), rise) for case in c.cases if case["name"] == "shap-deep-first"}
        return c.write("deep-lift", RELU6, completeness_gaps=gaps, part_at_six=full)
    c.add("deep-lift-zero", "DeepLift", {"baseline": "zero"}, lambda k: ca.DeepLift(m).attribute(x, zero, k))
    c.add("deep-lift-first", "DeepLift", {"baseline": "first"}, lambda k: ca.DeepLift(m).attribute(x, base, k))
    c.add("deep-lift-multipliers", "DeepLift", {"baseline": "first", "multiply_by_inputs": False}, lambda k: ca.DeepLift(m, multiply_by_inputs=False).attribute(x, base, k))
    c.add("deep-shap", "DeepLiftShap", {"baselines": "all"}, lambda k: ca.DeepLiftShap(m).attribute(x, baselines, k))
    shap_cases(c, baselines)
    with torch.no_grad():
        rise = (m(x) - m(base)).numpy()
    gaps = {case["name"]: record.gap(case["values"].sum(axis=1), rise) for case in c.cases if case["name"] in ("deep-lift-first", "shap-deep-first")}
    c.write("deep-lift", PITFALL, completeness_gaps=gaps)


def shap_cases(c, baselines):
    import shap

    for name, b in {"zero": torch.zeros_like(baselines[:1]), "first": baselines[:1], "all": baselines}.items():
        values = shap.DeepExplainer(net.Network(c.built), b).shap_values(c.rows, check_additivity=False)
        c.add(f"shap-deep-{name}", "shap.DeepExplainer", {"baselines": name}, lambda k: torch.tensor(values[..., k]))


def relevance(built, rows):
    if built.name in ("smooth", "modern", "series", "mobile"):
        return  # Captum has LRP rules for none of sigmoid, softplus, layer norm and 1-D convolutions
    nodes = built.nodes
    readers = {n["name"]: [m for m in nodes if n["name"] in m["inputs"]] for n in nodes}
    weighted = [n["name"] for n in nodes if n["op"] in ("linear", "convolution")]

    def before_relu(name):
        after = readers[name]
        if [n["op"] for n in after] == ["batch-norm"]:
            after = readers[after[0]["name"]]
        return [n["op"] for n in after] == ["relu"]

    hidden = [name for name in weighted[1:] if before_relu(name)]
    cases = {"epsilon": (EpsilonRule, weighted), "default": (None, []), "gamma": (GammaRule, hidden), "alpha1-beta0": (Alpha1_Beta0_Rule, hidden)}
    c = Cases(built, None, rows)
    for name, (rule, where) in cases.items():
        def attribute(k):
            model = net.Network(built, Addition_Module)
            for node in nodes:
                at = model.at(node["name"])
                if node["op"] == "batch-norm":  # folded, as zennit and the toolkit do
                    setattr(model, model.key(node["inputs"][0]), fuse_conv_bn_eval(model.at(node["inputs"][0]), at))
                    setattr(model, model.key(node["name"]), torch.nn.Identity())
                    model.at(node["name"]).rule = EpsilonRule()
                if node["op"] == "flatten":
                    at.rule = EpsilonRule()  # Captum has no default for it
            for layer in where:
                model.at(layer).rule = rule()
            return ca.LRP(model).attribute(rows, k)
        c.add(name, "LRP", {"epsilon": 1e-9, "gamma": 0.25, "layers": where, "elsewhere": "epsilon"}, attribute)
    c.write("captum-lrp", "the toolkit differs on purpose in gamma and alpha1-beta0: Captum leaves biases as they are where the papers (and zennit) raise or "
                          "clamp them with the weights, and takes the weights' signs for those of the contributions")


def main(names):
    for make in net.ALL:
        built = make()
        if names and built.name not in names:
            continue
        rows, baselines = net.data(built, N_ROWS[built.name], N_BASELINES)
        model = net.Network(built)
        x, b = net.tensor(rows), net.tensor(baselines)
        with torch.no_grad():
            scores, base = model(x).numpy(), model(b).numpy()
        about = record.about(SCRIPT, LIBRARIES, {"dtype": "float64"}, record.SEED, {"scores": 1e-5, "relative_to": "largest |score|", "why": "f32"})
        nodes = [{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in n.items()} for n in built.nodes]
        record.write("networks", built.name, {"about": about, "name": built.name, "shape": built.shape, "outputs": built.outputs, "nodes": nodes,
                                              "rows": rows, "baselines": baselines, "scores": net.digits(scores), "baseline_scores": net.digits(base)})
        cases = Cases(built, model, x)
        if built.name != "mobile":  # it is there for ReLU6 alone
            gradients(cases, b)
            layers(cases, b)
        deep_lift(cases, b)
        relevance(built, x)
        print(built.name)


if __name__ == "__main__":
    main(sys.argv[1:])
