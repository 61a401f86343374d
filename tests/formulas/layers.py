"""Calls of whole layers, for the rules of `explorer.formulas.layers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from tests.formulas.oracle import Case, Ran, case, stand_in

IMAGE = (2, 4, 6, 5)
mean, var = torch.tensor([0.1, -0.2, 0.3, 0.0]).double(), torch.tensor([1.0, 0.5, 2.0, 1.5]).double()
hidden = torch.tensor([[True, False, True, True]] * 3)
GEOMETRIES: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"stride": (2, 1), "padding": (0, 2)},
    {"dilation": 2},
    {"stride": 2, "padding": 1, "dilation": (1, 2)},
]


def transposed(**options: Any) -> Any:
    return lambda x, w, b: F.conv_transpose2d(x, w, b, **options)


def norm(*, training: bool) -> Any:
    return lambda x, w, b: F.batch_norm(x, mean.clone(), var.clone(), w, b, training)


def attention(**options: Any) -> Any:
    return lambda q, k, v: torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, **options)[0]


CASES: list[Case] = [
    *[case("convolution", lambda x, w, b, way=way: F.conv2d(x, w, b, **way), IMAGE, (3, 4, 3, 2), (3,)) for way in GEOMETRIES],
    case("convolution", F.conv2d, IMAGE, (3, 4, 3, 2)),
    case("convolution", lambda x, w: F.conv2d(x, w, groups=2), IMAGE, (6, 2, 3, 2)),
    case("convolution", lambda x, w: F.conv2d(x, w, groups=4, padding=1), IMAGE, (4, 1, 3, 3)),
    case("convolution", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1), (2, 3, 7), (4, 3, 3), (4,)),
    case("convolution", F.conv3d, (1, 2, 4, 4, 3), (2, 2, 2, 3, 2), (2,)),
    *[case("convolution_transposed", transposed(**way), IMAGE, (4, 3, 3, 2), (3,)) for way in GEOMETRIES],
    case("convolution_transposed", transposed(stride=2, output_padding=1), IMAGE, (4, 3, 3, 2), (3,)),
    case("convolution_transposed", lambda x, w: F.conv_transpose2d(x, w, groups=2), IMAGE, (4, 3, 3, 2)),
    case("convolution_transposed", lambda x, w: F.conv_transpose1d(x, w, stride=3), (2, 3, 4), (3, 2, 4)),
    *[case("batch_norm", norm(training=True), shape, (4,), (4,)) for shape in (IMAGE, (3, 4), (2, 4, 5))],
    case("batch_norm", lambda x: F.batch_norm(x, None, None, training=True), IMAGE),
    case("batch_norm", lambda x: F.batch_norm(x, None, None, training=True, eps=0.1), IMAGE),
    *[case("batch_norm_eval", norm(training=False), shape, (4,), (4,)) for shape in (IMAGE, (3, 4), (2, 4, 5))],
    case("batch_norm_eval", lambda x: F.batch_norm(x, mean, var, eps=0.1), IMAGE),
    case("layer_norm", lambda x, w, b: F.layer_norm(x, (4,), w, b), (2, 3, 4), (4,), (4,)),
    case("layer_norm", lambda x, w, b: F.layer_norm(x, (3, 4), w, b), (2, 3, 4), (3, 4), (3, 4)),
    case("layer_norm", lambda x: F.layer_norm(x, (4,)), (2, 3, 4)),
    case("layer_norm", lambda x, w: F.layer_norm(x, (4,), w, eps=0.1), (2, 3, 4), (4,)),
    case("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), IMAGE, (4,), (4,)),
    case("group_norm", lambda x: F.group_norm(x, 4), (2, 4, 5)),
    case("max_pool", lambda x: F.max_pool2d(x, 2), IMAGE),
    case("max_pool", lambda x: F.max_pool2d(x, 3, 1, 1), IMAGE),
    case("max_pool", lambda x: F.max_pool2d(x, (2, 3), dilation=2), (4, 6, 5)),
    case("max_pool", lambda x: F.max_pool3d(x, 2, 1), (1, 2, 3, 4, 3)),
    *[case("avg_pool", lambda x, way=way: F.avg_pool2d(x, **way), IMAGE) for way in (
        {"kernel_size": 2}, {"kernel_size": 3, "stride": 1, "padding": 1}, {"kernel_size": (2, 3), "ceil_mode": True},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}, {"kernel_size": 2, "divisor_override": 3},
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    )],
    *[case("adaptive_pool", lambda x, size=size: torch.ops.aten._adaptive_avg_pool2d(x, size), IMAGE) for size in (
        (1, 1), (2, 3), (6, 5), (4, 4),
    )],
    case("upsample", lambda x: F.interpolate(x, scale_factor=2, recompute_scale_factor=False), (2, 3, 4, 5)),
    case("upsample", lambda x: F.interpolate(x, size=(7, 3)), (2, 3, 4, 5)),
    case("dropout", lambda x: torch.native_dropout(x, 0.3, True)[0], IMAGE),
    # torch takes queries whose heads lie between the words, as a model's do, but no other order of memory
    *[case("attention", attention(**way), (2, 2, 3, 4), (2, 2, 4, 4), (2, 2, 4, 4), contiguous=True) for way in (
        {}, {"scale": 0.3}, {"attn_mask": torch.where(hidden, 0.0, -torch.inf).double()},
    )],
    case("attention", lambda *qkv: attention()(*(one.transpose(1, 2) for one in qkv)), (2, 3, 2, 4), (2, 4, 2, 4), (2, 4, 2, 4),
         contiguous=True),
    case("attention", attention(is_causal=True), (2, 2, 4, 3), (2, 2, 4, 3), (2, 2, 4, 3), contiguous=True),
]  # fmt: skip


# --- ops that torch computes here by other ops: their rule is held to the gradients of those -------------------------------


def rms_norm(weighted: bool, over: tuple[int, ...]) -> Ran:
    """What _fused_rms_norm would be given and give, from the ops that it stands for elsewhere."""
    torch.manual_seed(3)
    x = torch.randn(2, 3, 4).double().requires_grad_()
    w = torch.randn(over).double().requires_grad_() if weighted else None
    scale = (x.detach().square().mean([*range(-len(over), 0)], keepdim=True) + 1e-6).rsqrt()
    y = F.rms_norm(x, over, w, 1e-6)
    inputs = {"input": x} | ({} if w is None else {"weight": w})
    plain = {"normalized_shape": over, "eps": 1e-6} | ({"weight": None} if w is None else {})
    return stand_in("FusedRmsNormBackward0", inputs, plain, [y, scale], [y])


def lstm(*, reverse: bool, biased: bool = True) -> Ran:
    """What mkldnn_rnn_layer would be given and give, from nn.LSTM in float64."""
    torch.manual_seed(4)
    whole = torch.nn.LSTM(3, 2, bias=biased, bidirectional=True).double()
    x, h, c = (torch.randn(shape).double().requires_grad_() for shape in ((4, 2, 3), (2, 2, 2), (2, 2, 2)))
    y, (hy, cy) = whole(x, (h, c))
    way, suffix = (1, "_reverse") if reverse else (0, "")
    weights = [
        getattr(whole, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if hasattr(whole, f"{name}_l0")
    ]
    weights += [torch.zeros(8).double()] * (4 - len(weights))
    inputs = {"input": x, **{f"weight{k}": one for k, one in enumerate(weights)}, "hx_": h, "cx_": c}
    plain = {
        "reverse": reverse,
        "mode": 2,
        "hidden_size": 2,
        "num_layers": 1,
        "has_biases": biased,
        "bidirectional": False,
        "batch_first": False,
    }
    outputs = [y[..., 2 * way : 2 * way + 2], hy[way], cy[way]]
    ran = stand_in("MkldnnRnnLayerBackward0", inputs, plain, outputs, outputs)
    for name in ("hx_", "cx_"):  # one direction's part of both
        ran.inputs[name] = ran.inputs[name][way]
        ran.expected[name, None] = ran.expected[name, None][way]
    return ran


STAND_INS: list[Callable[[], Ran]] = [
    lambda: rms_norm(True, (4,)),
    lambda: rms_norm(True, (3, 4)),
    lambda: rms_norm(False, (4,)),
    lambda: lstm(reverse=False),
    lambda: lstm(reverse=True),
    lambda: lstm(reverse=False, biased=False),
]
