"""Models that are as they should be, at their usual initialisation: nothing about them is above an info."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

HEALTHY: list[Callable[[], Any]] = []


def healthy(program: Callable[[], Any]) -> Callable[[], Any]:
    """Puts a program into the table."""
    HEALTHY.append(program)
    return program


class Residual(nn.Module):
    """Two convolutions with batch norm, and what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm_one, self.norm_two = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.norm_two(self.two(F.relu(self.norm_one(self.one(x))))))


@healthy
def deep_residual_network() -> Any:
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *[Residual(16) for _ in range(25)],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )
    return F.cross_entropy(model(torch.randn(8, 3, 16, 16)), torch.randint(10, (8,)))


@healthy
def residual_network_with_zero_init() -> Any:
    blocks = [Residual(8) for _ in range(10)]
    for block in blocks:
        nn.init.zeros_(block.norm_two.weight)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), *blocks, nn.Flatten(), nn.LazyLinear(5))
    return F.cross_entropy(model(torch.randn(4, 3, 10, 10)), torch.randint(5, (4,)))


@healthy
def lstm_of_100_steps() -> Any:
    model, head = nn.LSTM(8, 32, num_layers=2, batch_first=True), nn.Linear(32, 4)
    output, _ = model(torch.randn(4, 100, 8))
    return F.cross_entropy(head(output[:, -1]), torch.randint(4, (4,)))


@healthy
def lstm_cells_of_100_steps() -> Any:
    cell, head = nn.LSTMCell(8, 16), nn.Linear(16, 1)
    hidden, state = torch.zeros(4, 16), torch.zeros(4, 16)
    for x in torch.randn(100, 4, 8):
        hidden, state = cell(x, (hidden, state))
    return head(hidden).square().mean()


@healthy
def gru_language_model() -> Any:
    embedding, gru, head = nn.Embedding(50, 16), nn.GRU(16, 32, batch_first=True), nn.Linear(32, 50)
    words = torch.randint(50, (4, 20))
    output, _ = gru(embedding(words[:, :-1]))
    return F.cross_entropy(head(output).flatten(0, 1), words[:, 1:].flatten())


class Attention(nn.Module):
    """A block of a transformer, norm first."""

    def __init__(self, width: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norm_one, self.norm_two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm_one(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if self.causal:
            scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        return x + self.mlp(self.norm_two(x))


class GPT(nn.Module):
    """Twelve blocks, the embedding tied to the head."""

    def __init__(self, width: int = 32, words: int = 60, layers: int = 12) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(64, width)
        self.blocks = nn.ModuleList([Attention(width, 4, causal=True) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        self.head.weight = self.words.weight

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        x = self.words(words) + self.places(torch.arange(words.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@healthy
def gpt_of_12_layers() -> Any:
    model, words = GPT(), torch.randint(60, (2, 17))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(words[:, :-1]).flatten(0, 1), words[:, 1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


class ViT(nn.Module):
    """Patches, a class token, six blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, 32, 4, stride=4), nn.Parameter(torch.zeros(1, 1, 32))
        self.places = nn.Parameter(torch.randn(1, 17, 32) * 0.02)
        self.blocks = nn.Sequential(*[Attention(32, 4, causal=False) for _ in range(6)])
        self.head = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.blocks(x)[:, 0])


@healthy
def vision_transformer() -> Any:
    return F.cross_entropy(ViT()(torch.randn(4, 3, 16, 16)), torch.randint(10, (4,)))


@healthy
def torch_transformer() -> Any:
    model = nn.Transformer(32, 4, 3, 3, 64, batch_first=True)
    return model(torch.randn(2, 9, 32), torch.randn(2, 7, 32)).square().mean()


class UNet(nn.Module):
    """Down, up, and across; the last convolution begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in ((3, 8), (8, 16), (16, 32))])
        self.up = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in ((48, 16), (24, 8))])
        self.norms = nn.ModuleList([nn.GroupNorm(4, width) for width in (8, 16, 32)])
        self.last = nn.Conv2d(8, 3, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for layer, norm in zip(self.down, self.norms, strict=True):
            x = F.silu(norm(layer(x)))
            kept.append(x)
            x = F.avg_pool2d(x, 2) if layer is not self.down[-1] else x
        for layer, other in zip(self.up, (kept[1], kept[0]), strict=True):
            x = F.silu(layer(torch.cat([F.interpolate(x, scale_factor=2.0), other], 1)))
        return self.last(x)


@healthy
def diffusion_unet_that_begins_at_zero() -> Any:
    return F.mse_loss(UNet()(torch.randn(2, 3, 16, 16)), torch.randn(2, 3, 16, 16))


def generator() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(16, 32, 4), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip


def critic() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 4))


@healthy
def adversarial_training() -> Any:
    maker, judge = generator(), critic()
    of_maker, of_judge = torch.optim.Adam(maker.parameters(), 2e-4), torch.optim.Adam(judge.parameters(), 2e-4)
    for _ in range(2):
        real, fake = torch.randn(8, 3, 16, 16), maker(torch.randn(8, 16, 1, 1))
        of_judge.zero_grad()
        loss = F.softplus(-judge(real)).mean() + F.softplus(judge(fake.detach())).mean()
        loss.backward()
        of_judge.step()
        of_maker.zero_grad()
        F.softplus(-judge(fake)).mean().backward()
        of_maker.step()


@healthy
def adversarial_training_in_two_backwards() -> Any:
    maker, judge = generator(), critic()
    of_maker, of_judge = torch.optim.RMSprop(maker.parameters()), torch.optim.RMSprop(judge.parameters())
    for _ in range(2):
        of_judge.zero_grad()
        judge(torch.randn(8, 3, 16, 16)).mean().backward()
        fake = maker(torch.randn(8, 16, 1, 1))
        (-judge(fake.detach()).mean()).backward()
        of_judge.step()
        of_maker.zero_grad()
        judge(fake).mean().backward()
        of_maker.step()


class VAE(nn.Module):
    """An encoder to a mean and a logarithm of the variance."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 8))
        self.decoder = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 20))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean, logarithm = self.encoder(x).chunk(2, -1)
        again = self.decoder(mean + torch.randn_like(mean) * (logarithm / 2).exp())
        return F.mse_loss(again, x) - 0.5 * (1 + logarithm - mean**2 - logarithm.exp()).mean()


@healthy
def variational_autoencoder() -> Any:
    return VAE()(torch.randn(16, 20))


@healthy
def actor_and_critic() -> Any:
    body, actor, judge = nn.Sequential(nn.Linear(4, 32), nn.Tanh()), nn.Linear(32, 2), nn.Linear(32, 1)
    optimizer = torch.optim.Adam([*body.parameters(), *actor.parameters(), *judge.parameters()])
    for _ in range(2):
        seen = torch.randn(32, 4)
        with torch.no_grad():
            actions = torch.distributions.Categorical(logits=actor(body(seen))).sample()
        hidden = body(seen)
        policy, value = torch.distributions.Categorical(logits=actor(hidden)), judge(hidden).squeeze(-1)
        returns = torch.randn(32)
        advantage = returns - value.detach()
        loss = -(policy.log_prob(actions) * advantage).mean() + F.mse_loss(value, returns) - 0.01 * policy.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        del loss


@healthy
def q_learning_with_a_target_network() -> Any:
    online, target = (nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2)) for _ in range(2))
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters())
    for _ in range(2):
        now, then, action = torch.randn(16, 4), torch.randn(16, 4), torch.randint(2, (16, 1))
        wanted = torch.randn(16) + 0.99 * target(then).max(1).values.detach()
        optimizer.zero_grad()
        F.smooth_l1_loss(online(now).gather(1, action).squeeze(1), wanted).backward()
        optimizer.step()


@healthy
def q_learning_with_a_copied_network() -> Any:
    model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    target = copy.deepcopy(model)
    now, later, actions, rewards = torch.randn(32, 4), torch.randn(32, 4), torch.randint(0, 2, (32, 1)), torch.randn(32, 1)
    with torch.no_grad():
        wanted = rewards + 0.99 * target(later).max(1, keepdim=True).values
    return F.smooth_l1_loss(model(now).gather(1, actions), wanted)


def mlp(depth: int, activation: str) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(8, 32)]
    kinds: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
    for _ in range(depth - 1):
        layers += [kinds[activation](), nn.Linear(32, 32)]
    layers += [kinds[activation](), nn.Linear(32, 1)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            if activation == "tanh":
                nn.init.orthogonal_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def mlps(depth: int, activation: str) -> None:
    def program() -> Any:
        return F.mse_loss(mlp(depth, activation)(torch.randn(64, 8)), torch.randn(64, 1))

    program.__name__ = f"mlp_{activation}_{depth}"
    HEALTHY.append(program)


for chosen in ("relu", "tanh", "gelu"):
    for number in (1, 3, 10, 30):
        mlps(number, chosen)
mlps(100, "relu")
mlps(100, "tanh")


@healthy
def xor() -> Any:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    x, y = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
    return F.mse_loss(model(x), y)


@healthy
def one_sample() -> Any:
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    return F.cross_entropy(model(torch.randn(1, 10)), torch.tensor([1]))


@healthy
def without_normalisation() -> Any:
    layers = [nn.Linear(32, 32) for _ in range(60)]
    h = torch.randn(16, 32)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight)
        h = (h + 0.3 * layer(F.relu(h))) / math.sqrt(1 + 0.3**2)
    return F.mse_loss(h, torch.randn(16, 32))


@healthy
def wide_plain_network_at_default() -> Any:
    model = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
    return F.cross_entropy(model(torch.randn(64, 20)), torch.randint(10, (64,)))


@healthy
def vgg_at_default() -> Any:
    layers: list[nn.Module] = []
    for a, b, pool in ((3, 16, 0), (16, 16, 1), (16, 32, 0), (32, 32, 1), (32, 64, 0), (64, 64, 1)):
        layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), *([nn.MaxPool2d(2)] if pool else [])]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 10))
    return F.cross_entropy(model(torch.randn(8, 3, 16, 16)), torch.randint(10, (8,)))


@healthy
def lenet_with_sigmoids() -> Any:
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return F.cross_entropy(model(torch.randn(16, 1, 28, 28)), torch.randint(10, (16,)))
