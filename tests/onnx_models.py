"""ONNX files as model repositories publish them, exported here; and crafted ones."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

HIDDEN = 16


def export_onnx(
    folder: Path,
    file: str = "onnx/model.onnx",
    *,
    output: str = "last_hidden_state",
    external: bool = False,
    weights: str = "",
) -> Path:
    """Write the ONNX file of a sentence-transformers model into its folder; return its path.

    With `weights`, an output of that name beside the other gives the weight of each token, as
    published exports of bge-m3 have it.
    """
    import torch
    from transformers import AutoModel

    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask"]
    if model.config.type_vocab_size > 1:
        names.append("token_type_ids")

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

            self.layer = torch.nn.Linear(model.config.hidden_size, 1)
            if weights:
                state = torch.load(folder / "sparse_linear.pt", weights_only=True)
                self.layer.load_state_dict(state)

        def forward(self, *values: Any) -> Any:
            found = self.model(**dict(zip(names, values, strict=True))).last_hidden_state
            return (found, torch.relu(self.layer(found))) if weights else found

    ids = torch.ones(2, 7, dtype=torch.long)
    outputs = [output, weights] if weights else [output]
    axes = {name: {0: "texts", 1: "tokens"} for name in (*names, *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Hidden(),
            tuple(ids if name != "token_type_ids" else ids * 0 for name in names),
            str(path),
            input_names=names,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    if external:
        keep_apart(path)
    return path


def keep_apart(path: Path) -> None:
    """Put the weights of an ONNX file into a file beside it, as those over 2 GB have them."""
    import onnx

    model = onnx.load(path)
    path.unlink()
    onnx.save_model(
        model,
        path,
        save_as_external_data=True,
        location=f"{path.name}_data",
        size_threshold=64,
        convert_attribute=True,
    )


def quantise(path: Path, to: Path) -> None:
    """Write a variant of an ONNX file whose weights are 8-bit integers."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(path, to, weight_type=QuantType.QInt8)


def crafted(
    path: Path,
    *,
    inputs: tuple[str, ...] = ("input_ids",),
    output: str = "last_hidden_state",
    rank: int = 3,
    domain: str = "",
    location: str = "",
    length: int = 4 * HIDDEN,
) -> Path:
    """Write a small ONNX file by hand, whose tensor may be said to be in any file."""
    from onnx import TensorProto, helper

    path.parent.mkdir(parents=True, exist_ok=True)
    tensor = helper.make_tensor("table", TensorProto.FLOAT, [HIDDEN], [0.5] * HIDDEN)
    if location:
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", str(length))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    shapes: dict[int, list[str | int | None]] = {
        2: ["texts", HIDDEN],
        3: ["texts", "tokens", HIDDEN],
    }
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["cast", "last"], ["wide"]),
        helper.make_node("Mul", ["wide", "table"], ["tokens_out"], domain=domain),
    ]
    if rank == 3:
        nodes.append(helper.make_node("Identity", ["tokens_out"], [output]))
    else:
        nodes.append(helper.make_node("ReduceMean", ["tokens_out"], [output], axes=[1], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "crafted",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["texts", "tokens"]) for n in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shapes[rank])],
        [tensor, helper.make_tensor("last", TensorProto.INT64, [1], [2])],
    )
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
