"""ONNX files with operators that the toolkit's own engine refuses, and what onnxruntime says of them.

Run with the environment of requirements-networks.txt. Attention over the halves of a row, a GRU over a series whose file
fixes one sample a run, attention between the channels of an image. onnx's own reference implementation, which shares no
code with the runtime, must agree.
"""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import record

LIB, SCRIPT = "onnx-any", "onnx_any_cases.py"
TOLERANCE = {"output": 1e-5, "relative_to": "max(1, largest |value|)", "why": "both run in f32, in another order"}
N = 19
random = np.random.default_rng(record.SEED)


def weights(name, *shape):
    values = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return numpy_helper.from_array(values.astype(np.float32), name)


def whole(name, *numbers):
    return numpy_helper.from_array(np.array(numbers, dtype=np.int64), name)


def file(name, nodes, constants, shape, samples="n"):
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [samples, *shape])
    found = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [samples, 2])
    graph = helper.make_graph(nodes, name, [given], [found], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="by hand")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, record.path(LIB, f"{name}.onnx"))
    x = random.standard_normal((N, *shape)).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString())
    plain = ReferenceEvaluator(model)
    parts = [x[i:i + 1] for i in range(N)] if samples == 1 else [x]
    scores = np.concatenate([session.run(None, {"x": part})[0] for part in parts])
    again = np.concatenate([plain.run(None, {"x": part})[0] for part in parts])
    gap = float(np.abs(scores - again).max())
    assert gap < 1e-5, (name, gap)
    about = record.about(SCRIPT, ["onnx", "onnxruntime", "numpy"], {}, record.SEED, TOLERANCE, checks={"gap_to_onnx_reference": gap})
    numbers = [float(str(v)) for v in x.ravel()]
    record.write(LIB, name, {"about": about, "model": f"{name}.onnx", "shape": list(shape), "inputs": numbers, "outputs": scores})
    print(name, gap)


node = helper.make_node
file("table", [
    node("Gemm", ["x", "w1", "b1"], ["h"], transB=1), node("Reshape", ["h", "halves"], ["q"]),
    node("Transpose", ["q"], ["k"], perm=[0, 2, 1]), node("MatMul", ["q", "k"], ["s"]), node("Softmax", ["s"], ["a"], axis=-1),
    node("MatMul", ["a", "q"], ["v"]), node("Reshape", ["v", "flat"], ["f"]), node("Gemm", ["f", "w2", "b2"], ["scores"], transB=1),
], [weights("w1", 8, 4), weights("b1", 8), whole("halves", -1, 2, 4), whole("flat", -1, 8), weights("w2", 2, 8), weights("b2", 2)], (4,))
file("series", [
    node("Transpose", ["x"], ["t"], perm=[2, 0, 1]), node("GRU", ["t", "w", "r", "b"], ["", "last"], hidden_size=5, linear_before_reset=1),
    node("Squeeze", ["last", "first"], ["h"]), node("Gemm", ["h", "w2", "b2"], ["scores"], transB=1),
], [weights("w", 1, 15, 2), weights("r", 1, 15, 5), weights("b", 1, 30), whole("first", 0), weights("w2", 2, 5), weights("b2", 2)], (2, 6), samples=1)
file("images", [
    node("Conv", ["x", "k", "kb"], ["c"], pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1]), node("Relu", ["c"], ["r"]), node("Reshape", ["r", "places"], ["q"]),
    node("Transpose", ["q"], ["p"], perm=[0, 2, 1]), node("MatMul", ["q", "p"], ["s"]), node("Reshape", ["s", "flat"], ["f"]),
    node("Gemm", ["f", "w2", "b2"], ["scores"], transB=1),
], [weights("k", 3, 1, 3, 3), weights("kb", 3), whole("places", -1, 3, 36), whole("flat", -1, 9), weights("w2", 2, 9), weights("b2", 2)], (1, 6, 6))
