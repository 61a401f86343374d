"""The operations of a trace are those that torch's own counter counts while the same program runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import explorer
from explorer.flops import count_flops
from tests.dummy import dummy_trace

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
nn, F = torch.nn, torch.nn.functional


def products() -> Any:
    """One of each kind of product, and factors that need no gradient."""
    a, b = torch.randn(3, 4, requires_grad=True), torch.randn(4, 5, requires_grad=True)
    fixed, bias = torch.randn(5, 6), torch.randn(6, requires_grad=True)
    left, right = torch.randn(2, 3, 4, requires_grad=True), torch.randn(2, 4, 5)
    first = torch.addmm(bias, a @ b, fixed).sum()
    return first + torch.bmm(left, right).sum() + torch.baddbmm(torch.randn(2, 3, 5), left, right).sum()


def convolutions() -> Any:
    """Strides, padding, a transposed one, one and three dimensions, and one without a batch."""
    x = nn.Conv2d(3, 8, 3, stride=2, padding=1)(torch.randn(2, 3, 16, 16))
    y = nn.ConvTranspose2d(8, 4, 3, stride=2)(x).mean()
    line = nn.Conv1d(2, 3, 5, bias=False)(torch.randn(4, 2, 20)).square().mean()
    return y + line + nn.Conv3d(1, 2, 2)(torch.randn(1, 1, 5, 5, 5)).mean()


def attention() -> Any:
    """Plain and fused attention in the product's own models."""
    from explorer.capture.programs.gpt import GPTModel
    from explorer.capture.programs.llama import LLAMA_CONFIG_70B, LlamaModel

    sizes = {"vocab_size": 23, "context_length": 12, "emb_dim": 16, "n_heads": 4, "n_layers": 2}
    tokens = torch.randint(23, (2, 12))
    gpt = GPTModel({**sizes, "drop_rate": 0.0, "qkv_bias": True}, tie_weights=True)
    llama = LlamaModel({**LLAMA_CONFIG_70B, **sizes, "n_kv_groups": 2, "hidden_dim": 24, "dtype": torch.float32})
    return sum(F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten()) for model in (gpt, llama))


@pytest.mark.parametrize("program", [products, convolutions, attention], ids=lambda program: program.__name__)
def test_the_counts_are_those_of_torch(program: Callable[[], Any]) -> None:
    """Forward and backward, each in all; fused attention is counted by torch's rules, although torch leaves out that of the CPU."""
    from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

    aten = torch.ops.aten
    rules = {
        aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v),
        aten._scaled_dot_product_flash_attention_for_cpu_backward: lambda g, q, k, v, *_, **__: sdpa_backward_flop_count(g, q, k, v),
    }
    with FlopCounterMode(display=False, custom_mapping=rules) as counter:
        loss = program()
        forward = counter.get_total_flops()
        loss.backward()
    with explorer.record() as recording:
        program().backward()
    found = count_flops(recording.trace)
    assert forward > 0
    assert (found.forward, found.backward, found.unknown) == (forward, counter.get_total_flops() - forward, ())


def test_groups_are_counted_as_what_they_cost() -> None:
    """A convolution in groups costs as much backward per factor as forward; torch's counter takes the weight's for that of one group."""
    with explorer.record() as recording:
        nn.Conv2d(8, 8, 3, groups=4)(torch.randn(1, 8, 10, 10, requires_grad=True)).sum().backward()
    found = count_flops(recording.trace)
    one = 2 * 8 * 8 * 8 * 2 * 3 * 3  # places, filters, numbers in each
    assert (found.forward, found.backward) == (one, 2 * one)


def test_what_is_not_counted_is_named() -> None:
    """A recurrent layer is one op of which no rule tells what it costs: the trace says so instead of giving a number."""
    with explorer.record() as recording:
        nn.LSTM(3, 4)(torch.randn(5, 2, 3))[0].sum().backward()
    found = count_flops(recording.trace)
    assert (found.forward, found.nodes, found.unknown) == (0, {}, ("mkldnn_rnn_layer",))


def test_shapes_that_fit_no_rule_are_passed_over() -> None:
    """A trace from a file may claim anything: nothing is counted, and nothing fails."""
    trace = dummy_trace()
    ops = [node for node in trace.nodes if not node.is_leaf]
    for op in ("mm", "convolution", "_scaled_dot_product_flash_attention_for_cpu", "linear", "addmm"):
        changed = tuple(replace(node, op=op) if node is ops[0] else node for node in trace.nodes)
        assert all(count >= 0 for count in (count_flops(replace(trace, nodes=changed)).forward,))
