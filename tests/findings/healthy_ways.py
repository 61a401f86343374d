"""Ways of training that use cuts, frozen parts, tied weights and sums of gradients as they are meant."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from tests.findings.healthy_models import healthy


def body() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))


@healthy
def siamese() -> Any:
    model = body()
    a, b, c = (model(torch.randn(16, 8)) for _ in range(3))
    return F.triplet_margin_loss(a, b, c) + F.relu(0.5 - (a * b).sum(-1)).mean()


@healthy
def stopped_gradient_on_one_side() -> Any:
    model, predictor = body(), nn.Linear(16, 16)
    one, two = model(torch.randn(16, 8)), model(torch.randn(16, 8))
    near = F.cosine_similarity(predictor(one), two.detach()) + F.cosine_similarity(predictor(two), one.detach())
    return -near.mean()


@healthy
def averaged_teacher() -> Any:
    student = body()
    teacher = copy.deepcopy(student)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(16, 8)
        optimizer.zero_grad()
        F.mse_loss(student(x), teacher(x).detach()).backward()
        optimizer.step()
        with torch.no_grad():
            for mine, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
                mine.lerp_(theirs, 0.01)


@healthy
def frozen_backbone() -> Any:
    backbone, head = body().requires_grad_(False), nn.Linear(16, 3)
    optimizer = torch.optim.Adam(head.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        F.cross_entropy(head(backbone(torch.randn(16, 8))), torch.randint(3, (16,))).backward()
        optimizer.step()


@healthy
def backbone_under_no_grad() -> Any:
    backbone, head = body(), nn.Linear(16, 3)
    with torch.no_grad():
        features = backbone(torch.randn(16, 8))
    return F.cross_entropy(head(features), torch.randint(3, (16,)))


@healthy
def several_tasks() -> Any:
    trunk, heads = body(), nn.ModuleDict({"class": nn.Linear(16, 3), "value": nn.Linear(16, 1)})
    hidden = F.relu(trunk(torch.randn(16, 8)))
    return F.cross_entropy(heads["class"](hidden), torch.randint(3, (16,))) + F.mse_loss(heads["value"](hidden), torch.randn(16, 1))


@healthy
def losses_with_a_backward_each() -> Any:
    one, two = body(), body()
    optimizer = torch.optim.Adam([*one.parameters(), *two.parameters()])
    x = torch.randn(16, 8)
    for _ in range(2):
        first, second = one(x).square().mean(), two(x).square().mean()
        optimizer.zero_grad()
        first.backward()
        second.backward()
        optimizer.step()


@healthy
def batches_accumulated() -> Any:
    model = body()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for number in range(8):
        (model(torch.randn(16, 8)).square().mean() / 4).backward()
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()


@healthy
def gradients_zeroed_in_place() -> Any:
    model = body()
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(3):
        optimizer.zero_grad(set_to_none=False)
        model(torch.randn(16, 8)).square().mean().backward()
        optimizer.step()


class Experts(nn.Module):
    """Each sample goes to the best two of four experts."""

    def __init__(self) -> None:
        super().__init__()
        self.router, self.experts = nn.Linear(8, 8), nn.ModuleList([nn.Linear(8, 8) for _ in range(8)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, chosen = self.router(x).softmax(-1).topk(2)
        output = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows, places = torch.where(chosen == number)
            if len(rows):
                output = output.index_add(0, rows, expert(x[rows]) * weight[rows, places, None])
        return output


@healthy
def mixture_of_experts() -> Any:
    return Experts()(torch.randn(3, 8)).square().mean()


class LoRA(nn.Module):
    """A frozen layer and a low-rank change of it that begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(8, 8).requires_grad_(False)
        self.a, self.b = nn.Parameter(torch.randn(2, 8)), nn.Parameter(torch.zeros(8, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + x @ self.a.t() @ self.b.t()


@healthy
def low_rank_adapter() -> Any:
    return nn.Sequential(LoRA(), nn.ReLU(), LoRA())(torch.randn(16, 8)).square().mean()


@healthy
def mixed_precision() -> Any:
    model = body()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(torch.randn(32, 8)).square().mean()
        loss.backward()
        optimizer.step()


@healthy
def half_precision() -> Any:
    model = body().half()
    return (model(torch.randn(32, 8, dtype=torch.float16)).float().square().mean()) * 1024


class Round(torch.autograd.Function):
    """Rounds forward, and lets the gradient through."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient


@healthy
def quantised_with_straight_through() -> Any:
    encoder, decoder = nn.Linear(8, 4), nn.Linear(4, 8)
    hidden = encoder(torch.randn(16, 8))
    return decoder(Round.apply(hidden * 4) / 4).square().mean() + decoder(hidden + (hidden.round() - hidden).detach()).mean()


@healthy
def codebook() -> Any:
    encoder, decoder, codes = nn.Linear(8, 4), nn.Linear(4, 8), nn.Embedding(16, 4)
    x = torch.randn(32, 8)
    hidden = encoder(x)
    nearest = codes(torch.cdist(hidden, codes.weight).argmin(-1))
    again = decoder(hidden + (nearest - hidden).detach())
    return F.mse_loss(again, x) + F.mse_loss(nearest, hidden.detach()) + 0.25 * F.mse_loss(hidden, nearest.detach())


@healthy
def contrastive_with_temperature() -> Any:
    image, text, scale = body(), body(), nn.Parameter(torch.tensor(2.659))
    one, two = F.normalize(image(torch.randn(16, 8)), dim=-1), F.normalize(text(torch.randn(16, 8)), dim=-1)
    scores, labels = scale.exp() * one @ two.t(), torch.arange(16)
    return (F.cross_entropy(scores, labels) + F.cross_entropy(scores.t(), labels)) / 2


@healthy
def functional_call() -> Any:
    model = body()
    fast = {name: value.detach().clone().requires_grad_() for name, value in model.named_parameters()}
    loss = torch.func.functional_call(model, fast, (torch.randn(16, 8),)).square().mean()
    gradients = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
    faster = {name: value - 0.1 * gradient for (name, value), gradient in zip(fast.items(), gradients, strict=True)}
    return torch.func.functional_call(model, faster, (torch.randn(16, 8),)).square().mean()


@healthy
def checkpointed() -> Any:
    blocks = [nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(4)]
    h = torch.randn(16, 8)
    for block in blocks:
        h = checkpoint(block, h, use_reentrant=False)
    return h.square().mean()


@healthy
def skip_gram() -> Any:
    inner, outer = nn.Embedding(100, 8, sparse=True), nn.Embedding(100, 8, sparse=True)
    near, far = torch.randint(100, (2, 16)), torch.randint(100, (16, 5))
    word = inner(near[0])
    score = (word * outer(near[1])).sum(-1)
    others = (outer(far) @ word.unsqueeze(-1)).squeeze(-1)
    return -F.logsigmoid(score).mean() - F.logsigmoid(-others).mean()


@healthy
def truncated_recurrence() -> Any:
    cell, head, hidden = nn.GRUCell(4, 16), nn.Linear(16, 1), torch.zeros(2, 16)
    optimizer = torch.optim.Adam([*cell.parameters(), *head.parameters()])
    for _ in range(3):
        hidden = hidden.detach()
        for x in torch.randn(10, 2, 4):
            hidden = cell(x, hidden)
        optimizer.zero_grad()
        head(hidden).square().mean().backward()
        optimizer.step()


@healthy
def gated_by_hand_over_a_long_sequence() -> Any:
    update, new, head = nn.Linear(12, 8), nn.Linear(12, 8), nn.Linear(8, 1)
    hidden = torch.zeros(2, 8)
    for x in torch.randn(60, 2, 4):
        both = torch.cat([x, hidden], dim=1)
        gate = torch.sigmoid(update(both))
        hidden = (1 - gate) * hidden + gate * torch.tanh(new(both))
    return head(hidden).square().mean()


@healthy
def plain_rnn_with_a_loss_at_each_step() -> Any:
    model, head = nn.RNN(3, 16, batch_first=True), nn.Linear(16, 2)
    outputs, _ = model(torch.randn(4, 60, 3))
    return F.cross_entropy(head(outputs).flatten(0, 1), torch.randint(2, (240,)))


@healthy
def support_vectors() -> Any:
    model, labels = nn.Linear(4, 1), torch.randint(2, (64,)) * 2.0 - 1
    with torch.no_grad():
        model.bias.fill_(0.0)
    scores = model(torch.randn(64, 4)).squeeze(1) + 20 * labels
    return F.relu(1 - labels * scores).mean() + 0.01 * model.weight.square().sum()


@healthy
def measured_on_the_way() -> Any:
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters())
    history = []
    for _ in range(2):
        x, y = torch.randn(16, 8), torch.randint(3, (16,))
        scores = model(x)
        loss = F.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append((loss.item(), (scores.argmax(-1) == y).float().mean().item(), scores.detach().numpy().mean()))


@healthy
def lbfgs() -> Any:
    model, x = body(), torch.randn(16, 8)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)


@healthy
def clamped_and_dropped_layers() -> Any:
    layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(6)])
    h = torch.randn(16, 8)
    for number, layer in enumerate(layers):
        if number != 3:
            h = h + F.relu6(layer(h))
    return h.clamp(-100, 100).square().mean()


@healthy
def module_hooks_that_only_look() -> Any:
    seen: list[float] = []
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    for layer in model:
        layer.register_full_backward_hook(lambda module, sent, received: seen.append(float(received[0].norm())))
    return model(torch.randn(5, 3)).square().mean()
