"""Golden outputs of networks in files: ONNX from PyTorch and scikit-learn, PyTorch and safetensors weights.

Run with the environment of requirements-networks.txt. Every expected number is PyTorch's or scikit-learn's own in f64 on
the f32 weights of the file, and is compared here with onnxruntime where there is an ONNX file.
"""

import json
import shutil
import sys
import tempfile
import warnings
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import record

warnings.filterwarnings("ignore")
LIB, SCRIPT = "network-files", "network_files_cases.py"
VERSIONS = ["torch", "onnx", "onnxruntime", "skl2onnx", "sklearn", "numpy", "safetensors"]
TOLERANCE = {"output": 1e-5, "relative_to": "max(1, largest |value|)", "why": "the network is run in f32, the reference in f64"}
N = 3


def body(**more):
    return {"about": record.about(SCRIPT, VERSIONS, {}, record.SEED, TOLERANCE), **more}


def numbers(x):
    """The shortest decimals that read back as the same f32."""
    return [float(str(np.float32(v))) for v in np.asarray(x, dtype=np.float32).ravel()]


def inputs(*shape):
    return torch.tensor(np.random.default_rng(record.SEED).standard_normal((N, *shape)).astype(np.float32))


def seeded(module):
    """Weights from numpy's generator, and statistics for the normalisations."""
    random = np.random.default_rng(record.SEED + 1)
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = random.standard_normal(tuple(tensor.shape))
        if name.endswith("running_var"):
            values = 0.5 + random.uniform(size=tuple(tensor.shape))
        elif tensor.ndim > 1:
            values = values / np.sqrt(np.prod(tensor.shape[1:]))
        tensor.copy_(torch.tensor(values.astype(np.float32)))
    return module.eval()


def truth(module, x):
    with torch.no_grad():
        return module.double()(x.double()).numpy()


def onnx_case(name, module, shape, *, opset=17, fold=False, external=False, note=None):
    module = seeded(module)
    x = inputs(*shape)
    file = Path(record.path(LIB, name + ".onnx"))
    with tempfile.TemporaryDirectory() as folder:
        plain = str(Path(folder) / "plain.onnx")
        torch.onnx.export(module, x, plain, opset_version=opset, dynamo=False, do_constant_folding=fold, input_names=["x"],
                          output_names=["y"], dynamic_axes={"x": {0: "n"}}, training=torch.onnx.TrainingMode.EVAL)
        proto = onnx.load(plain)
    if external:
        Path(record.path(LIB, name + ".onnx.data")).unlink(missing_ok=True)
        onnx.save(proto, str(file), save_as_external_data=True, location=name + ".onnx.data", size_threshold=0)
    else:
        onnx.save(proto, str(file))
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    runtime = session.run(None, {"x": x.numpy()})[0]
    y = truth(module, x)
    check(name, runtime, y)
    operators = sorted({node.op_type for node in proto.graph.node})
    record.write(LIB, name, body(model=file.name, source="torch.onnx.export", opset=opset, operators=operators, note=note,
                                 shape=list(shape), inputs=numbers(x), outputs=y))
    print(f"{name:24s}", file.stat().st_size, operators)


def check(name, runtime, y):
    gap = np.abs(runtime - y).max() / max(1.0, np.abs(y).max())
    assert gap < 1e-5, (name, gap)


class Series(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(3, 8, 3, stride=2, padding=2, dilation=2, groups=1)
        self.second = nn.Conv1d(8, 8, 3, padding=1, groups=4, bias=False)
        self.norm = nn.LayerNorm(8)
        self.mix = nn.Linear(8, 6)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        x = F.elu(self.first(x))
        x = F.leaky_relu(self.second(x) + 0.25, 0.2)
        x = torch.tanh(self.mix(self.norm(x.transpose(1, 2))))
        x = x.permute(0, 2, 1)
        ends = torch.cat([F.adaptive_max_pool1d(x, 1), x.mean(2, keepdim=True)], dim=1)
        return F.log_softmax(self.head(ends.view(ends.size(0), -1)), dim=1)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 6, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 8, (3, 1), padding=(1, 0))
        self.fc = nn.Linear(8 * 3 * 3, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        x = F.avg_pool2d(F.silu(self.conv2(x)), 2, stride=1, padding=1, ceil_mode=True)
        x = F.adaptive_avg_pool2d(x, 1) * x
        x = F.max_pool2d(x, 2, ceil_mode=True)
        return torch.softmax(self.fc(x.view(x.shape[0], -1)), dim=-1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.linear = nn.Linear(8, 3)

    def forward(self, x):
        x = F.hardswish(self.conv1(x))
        x = F.relu(self.bn(self.conv2(x)) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2)))
        x = F.avg_pool2d(x, x.size()[3])
        return self.linear(x.view(x.size(0), -1))


class Arithmetic(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros(6))
        self.register_buffer("field", torch.zeros(2, 3))
        self.linear = nn.Linear(6, 4, bias=False)
        self.register_buffer("bias", torch.zeros(4))

    def forward(self, x):
        x = (x * 2.5 + 0.3) / 1.7 - self.shift
        x = 1.0 - torch.clamp(x, -1.5, 1.5)
        y = (x.reshape(-1, 2, 3) * self.field + self.field).flatten(1)
        a, b = torch.split(-y, 3, dim=1)
        y = torch.cat([b, a ** 2, x[:, 1].unsqueeze(1)], dim=1)[:, 1:]
        y = F.softplus(y) * torch.sigmoid(y) - x
        return F.selu(self.linear(y) + self.bias) + F.celu(y[:, 2:6], 0.5)


class WrittenOut(nn.Module):
    """GELU by its two formulas, which exporters write out."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 10), nn.Linear(10, 4)

    def forward(self, x):
        return F.gelu(self.second(F.gelu(self.first(x))), approximate="tanh")


def sklearn_case(name, model, x, y):
    rows = x[:N + 4]
    model.fit(x, y)
    proto = to_onnx(model, x[:1])
    del proto.metadata_props[:]
    file = Path(record.path(LIB, name + ".onnx"))
    onnx.save(proto, str(file))
    own = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)
    own = own if own.ndim == 2 else own[:, None]
    classes = [str(c) for c in getattr(model, "classes_", [])]
    result = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"]).run(None, {"X": rows})[-1]
    runtime = np.array([list(r.values()) for r in result]) if isinstance(result, list) else result
    check(name, runtime, own)
    record.write(LIB, name, body(model=file.name, source="skl2onnx.to_onnx", classes=classes, shape=[x.shape[1]],
                                 operators=sorted({n.op_type for n in proto.graph.node}), inputs=numbers(rows), outputs=own))
    print(f"{name:24s}", file.stat().st_size)


def description():
    """One network in every form of weights."""
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
            self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2)
            self.shortcut = nn.Sequential(nn.Conv2d(4, 8, 1, stride=2, bias=False), nn.BatchNorm2d(8))

        def forward(self, x):
            return F.relu(self.conv2(F.relu(self.bn1(self.conv1(x)))) + self.shortcut(x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.block = nn.Conv2d(3, 4, 3, padding="same"), Block()
            self.norm, self.fc = nn.LayerNorm(8, eps=1e-6), nn.Linear(8, 5)

        def forward(self, x):
            x = F.max_pool2d(F.gelu(self.stem(x)), 2)
            x = self.block(x).mean((2, 3))
            return self.fc(self.norm(x))

    net = seeded(Net())
    x = inputs(3, 8, 8)
    state = OrderedDict((k, v.clone()) for k, v in net.state_dict().items())
    wrapped = OrderedDict(("module." + k, v) for k, v in state.items())
    path = lambda name: record.path(LIB, name)
    y = truth(net, x)
    torch.save(state, path("described.pt"))
    torch.save({"epoch": 3, "best": 0.5, "args": ["a", None, True, -7, 2 ** 40], "state_dict": wrapped,
                "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}},
               path("described_checkpoint.pth"))
    torch.save({"state_dict": wrapped}, path("described_legacy.th"), _use_new_zipfile_serialization=False)
    torch.save(state, path("described_protocol4.pt"), pickle_protocol=4)
    save_file(state, path("described.safetensors"))
    for kind, dtype in [("half", torch.float16), ("bfloat", torch.bfloat16), ("double", torch.float64)]:
        torch.save({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}, path(f"described_{kind}.pt"))
    short = {}
    for kind, dtype in [("half", torch.float16), ("bfloat", torch.bfloat16)]:
        rounded = Net()
        rounded.load_state_dict({k: v.to(dtype).to(torch.float32) if v.is_floating_point() else v for k, v in state.items()})
        short[kind] = truth(rounded.eval(), x)
        save_file({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}, path(f"described_{kind}.safetensors"))
    shape = {"shape": [3, 8, 8], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}
    layers = [
        {"name": "stem", "kind": "convolution", "padding": "same"}, {"kind": "gelu"}, {"kind": "max-pool", "size": 2},
        {"name": "block", "kind": "residual",
         "layers": [{"name": "conv1", "kind": "convolution", "stride": 2, "padding": 1}, {"name": "bn1", "kind": "batch-norm"},
                    {"kind": "relu"}, {"name": "conv2", "kind": "convolution", "padding": 2, "dilation": 2, "groups": 2}],
         "shortcut": [{"kind": "convolution", "stride": 2}, {"kind": "batch-norm"}]},
        {"kind": "relu"}, {"kind": "global-average-pool"}, {"kind": "flatten"},
        {"name": "norm", "kind": "layer-norm", "epsilon": 1e-6}, {"name": "fc", "kind": "linear"},
    ]
    text = {"schema": "xai/network/1", "name": "a residual network", "input": shape, "outputs": list("abcde"),
            "weights": {"file": "described.pt", "rename": {"module.": ""}}, "layers": layers}
    Path(path("described.net.json")).write_text(json.dumps(text, indent=1) + "\n")
    record.write(LIB, "described", body(model="described.net.json", source="torch.save, safetensors.torch.save_file", shape=[3, 8, 8],
                                        inputs=numbers(x), outputs=y, half=short["half"], bfloat=short["bfloat"]))


def views():
    """Tensors that are views of storages, of every kind of number."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    tensors = OrderedDict(
        whole=base, transposed=base.t(), part=base[1:3, ::2], widened=base[:, :1].expand(4, 3), scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3), double=torch.tensor([0.1, -1e300 / 1e299], dtype=torch.float64),
        half=torch.tensor([65504.0, 6e-8, -0.0, 1.0], dtype=torch.float16), bfloat=torch.tensor([3.0e38, -0.1], dtype=torch.bfloat16),
        long=torch.tensor([-3, 70000]), int=torch.tensor([-3, 70000], dtype=torch.int32), short=torch.tensor([-3, 300], dtype=torch.int16),
        char=torch.tensor([-3, 127], dtype=torch.int8), byte=torch.tensor([3, 200], dtype=torch.uint8), bool=torch.tensor([True, False]),
        parameter=nn.Parameter(torch.tensor([0.5])))
    torch.save(tensors, record.path(LIB, "views.pt"))
    torch.save(tensors, record.path(LIB, "views_legacy.pt"), _use_new_zipfile_serialization=False)
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, record.path(LIB, "views.safetensors"))
    values = {k: {"shape": list(v.shape), "values": numbers(v.detach().to(torch.float32).numpy())} for k, v in tensors.items()}
    record.write(LIB, "views", body(model="views.pt", tensors=values))
    torch.save(nn.Linear(2, 1), record.path(LIB, "module.pt"))
    torch.jit.save(torch.jit.script(nn.Linear(2, 1)), record.path(LIB, "script.pt"))
    torch.save({"a": {"w": torch.ones(1)}, "b": {"w": torch.ones(2)}}, record.path(LIB, "two.pt"))


def refused():
    """Graphs that cannot be served, each with the words that the error must say."""
    from onnx import TensorProto, helper, numpy_helper
    cases = []
    w = numpy_helper.from_array(np.ones((4, 4), dtype=np.float32), "w")

    def add(words, nodes, *, shape=("n", 4), kind=TensorProto.FLOAT, outputs=("y",), more=(), inputs=("x",)):
        infos = [helper.make_tensor_value_info(name, kind, list(shape)) for name in inputs]
        outs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(nodes, "g", infos, outs, [w, *more])
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        cases.append({"words": words, "bytes": proto.SerializeToString().hex()})

    node = helper.make_node
    places = numpy_helper.from_array(np.array([1, 0]), "p")
    add(["LSTM", "recurrent"], [node("LSTM", ["x", "w", "w"], ["y"], name="recurrent", hidden_size=4)])
    add(["Erf", "curve"], [node("Erf", ["x"], ["y"], name="curve")])
    add(["MatMul", "attention"], [node("Relu", ["x"], ["a"]), node("MatMul", ["x", "a"], ["y"])])
    add(["Transpose", "samples"], [node("Transpose", ["x"], ["y"], perm=[1, 0])])
    add(["Transpose", "samples"], [node("Transpose", ["x"], ["y"])])
    add(["Flatten", "axis 0"], [node("Flatten", ["x"], ["y"], axis=0)])
    add(["Concat", "samples"], [node("Concat", ["x", "x"], ["y"], axis=0)])
    add(["Softmax", "samples"], [node("Softmax", ["x"], ["y"], axis=0)])
    add(["Gather", "samples"], [node("Gather", ["x", "p"], ["y"], axis=0)], more=[places])
    add(["Gather", "one place"], [node("Gather", ["x", "p"], ["y"], axis=1)], more=[places])
    add(["BatchNormalization", "training"], [node("BatchNormalization", ["x", "w", "w", "w", "w"], ["y"], training_mode=1)])
    add(["Gemm", "table"], [node("Gemm", ["x", "w"], ["y"], transA=1)])
    add(["outputs", "y, z"], [node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["z"])], outputs=("y", "z"))
    add(["element type 7"], [node("Relu", ["x"], ["y"])], kind=TensorProto.INT64)
    add(["open axis"], [node("Relu", ["x"], ["y"])], shape=("n", "m"))
    add(["several inputs"], [node("Add", ["x", "z"], ["y"])], inputs=("x", "z"))
    add(["nothing before it makes"], [node("Add", ["x", "absent"], ["y"])])
    add(["made twice"], [node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["y"])])
    add(["nothing makes"], [node("Relu", ["x"], ["z"])])
    add(["auto_pad", "FULL"], [node("MaxPool", ["x"], ["y"], kernel_shape=[2], auto_pad="FULL")], shape=("n", 1, 4))
    add(["divides by zero"], [node("Div", ["x", "o"], ["y"])], more=[numpy_helper.from_array(np.zeros(1, dtype=np.float32), "o")])
    add(["Pow"], [node("Pow", ["x", "h"], ["y"])], more=[numpy_helper.from_array(np.array(0.5, dtype=np.float32), "h")])
    add(["layer shared", "4"], [node("Conv", ["x", "k"], ["y"], name="shared")], shape=("n", 3, 4),
        more=[numpy_helper.from_array(np.ones((2, 4, 2), dtype=np.float32), "k")])
    add(["com.example"], [node("Relu", ["x"], ["y"], domain="com.example")])
    record.write(LIB, "refused", body(cases=cases))


def shared(folder):
    """The two networks of the shared data: outputs for pixels made by a formula, and accuracies."""
    session = ort.InferenceSession(str(folder / "models/mnist-cnn.onnx"), providers=["CPUExecutionProvider"])
    grid = lambda n, c, r, w: np.array([(i * 37 + i // 7 * 11) % 256 for i in range(n * c * r * w)], dtype=np.float32).reshape(n, c, r, w)
    x = grid(4, 1, 28, 28)
    mnist = np.concatenate([session.run(None, {session.get_inputs()[0].name: row[None]})[0] for row in x])

    class Block(nn.Module):
        def __init__(self, n_in, n_out, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
            self.conv2, self.bn2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)
            self.grows, self.pad = n_in != n_out, n_out // 4

        def forward(self, x):
            short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad)) if self.grows else x
            return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + short)

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            stage = lambda a, b, s: nn.Sequential(Block(a, b, s), Block(b, b, 1), Block(b, b, 1))
            self.layer1, self.layer2, self.layer3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
            self.linear = nn.Linear(64, 10)

        def forward(self, x):
            x = F.relu(self.bn1(self.conv1(x)))
            x = self.layer3(self.layer2(self.layer1(x)))
            return self.linear(x.mean((2, 3)))

    net = ResNet()
    state = torch.load(folder / "models/resnet20-cifar10.th", map_location="cpu")["state_dict"]
    net.load_state_dict({k.removeprefix("module."): v for k, v in state.items()})
    net = net.eval().double()
    mean, std = np.array([0.485, 0.456, 0.406]).reshape(3, 1, 1), np.array([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    run = lambda pixels: net(torch.tensor((pixels / 255.0 - mean) / std)).detach().numpy()
    from PIL import Image
    classes = sorted(p.name for p in (folder / "images/cifar10").iterdir())
    right, predicted = 0, []
    for label, name in enumerate(classes):
        files = sorted((folder / "images/cifar10" / name).iterdir())
        images = np.stack([np.asarray(Image.open(f).convert("RGB"), dtype=np.float64).transpose(2, 0, 1) for f in files])
        best = run(images).argmax(1)
        predicted.append([int(b) for b in best])
        right += int((best == label).sum())
    record.write(LIB, "shared", body(classes=classes, mnist_outputs=mnist, resnet_outputs=run(grid(4, 3, 32, 32).astype(np.float64)),
                                     resnet_right=right, resnet_predicted=predicted,
                                     note="pixel i of all is (37 i + 11 (i // 7)) mod 256; mnist-cnn by onnxruntime in f32, eats 0 to 255"))
    print("ResNet-20:", right, "of", 10 * len(classes))


def main(folder):
    onnx_case("torch_mlp", nn.Sequential(nn.Linear(6, 12), nn.GELU(), nn.Dropout(0.5), nn.Linear(12, 3), nn.Softmax(dim=1)), [6])
    onnx_case("torch_written_out", WrittenOut(), [6], opset=11)
    onnx_case("torch_gelu", WrittenOut(), [6], opset=20)
    onnx_case("torch_cnn", Cnn(), [2, 18, 18])
    onnx_case("torch_cnn_folded", Cnn(), [2, 18, 18], opset=13, fold=True)
    onnx_case("torch_series", Series(), [3, 14])
    onnx_case("torch_residual", Residual(), [3, 8, 8], fold=True)
    onnx_case("torch_arithmetic", Arithmetic(), [6], opset=13)
    onnx_case("torch_outside", nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2)), [6], external=True)
    random = np.random.default_rng(record.SEED)
    x = random.normal(size=(80, 4)).astype(np.float32)
    two, three = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(int), np.digitize(x[:, 0] + x[:, 1], [-0.5, 0.5])
    sklearn_case("sklearn_binary", MLPClassifier((8, 5), max_iter=60, random_state=0), x, two)
    sklearn_case("sklearn_names", MLPClassifier((8,), activation="logistic", max_iter=60, random_state=0), x, np.array(["no", "yes"])[two])
    sklearn_case("sklearn_three", make_pipeline(StandardScaler(), MLPClassifier((8,), activation="tanh", max_iter=60, random_state=0)), x, three)
    sklearn_case("sklearn_regressor", MLPRegressor(hidden_layer_sizes=(8,), max_iter=60, random_state=0), x, x[:, 0] - 2 * x[:, 1])
    description()
    views()
    refused()
    if folder:
        shared(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
