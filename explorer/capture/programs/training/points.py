"""Two classes of points in a plane, and a network of three layers that learns to tell them apart: two moons, or two spirals."""

import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from explorer.capture.programs.training.choices import clip, make_optimizer, make_schedule


class PointNet(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.Tanh(), nn.Dropout(dropout),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, points):
        return self.layers(points).squeeze(-1)


def moons(count, noise, generator):
    """Two half circles that reach into each other."""
    angle = math.pi * torch.rand(count, generator=generator)
    upper = torch.stack([angle.cos(), angle.sin()], dim=1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
    return with_labels(upper, lower, noise, generator)


def spirals(count, noise, generator):
    """Two arms that turn around each other one and a half times."""
    turn = 0.25 + 2.75 * torch.rand(count, generator=generator).sqrt()
    arm = torch.stack([turn * (math.pi * turn).cos(), turn * (math.pi * turn).sin()], dim=1) / 2
    return with_labels(arm, -arm, noise, generator)


def with_labels(first, second, noise, generator):
    points = torch.cat([first, second])
    points += noise * torch.randn(points.shape, generator=generator)
    return points, torch.cat([torch.zeros(len(first)), torch.ones(len(second))])


def surface(model, points, size=40):
    """How likely the second class is on a grid of places around the points, as JSON."""
    low, high = points.amin(0) - 0.5, points.amax(0) + 0.5
    across = torch.linspace(low[0].item(), high[0].item(), size)
    down = torch.linspace(low[1].item(), high[1].item(), size)
    grid = torch.cartesian_prod(down, across).flip(1).to(points)
    model.eval()
    with torch.no_grad():
        likely = torch.sigmoid(model(grid)).reshape(size, size).float().cpu()
    model.train()
    table = [[round(value, 2) for value in row] for row in likely.tolist()]
    return json.dumps({"x": [low[0].item(), high[0].item()], "y": [low[1].item(), high[1].item()], "likely": table})


def train(*, run, device="cpu", dtype=torch.float32, seed=0, steps=1000, shape="moons", count=200, noise=0.1, width=32,
          optimizer="adam", learning_rate=0.01, schedule="constant", batch_size=64, weight_decay=0.0, dropout=0.0, clip_norm=0.0,
          show_every=50):  # fmt: skip
    torch.manual_seed(seed)
    make = {"moons": moons, "spirals": spirals}[shape]
    points, labels = make(count, noise, torch.Generator().manual_seed(seed))
    others, other_labels = make(count, noise, torch.Generator().manual_seed(seed + 1))
    model = PointNet(width, dropout).to(device, dtype)
    stepper = make_optimizer(model, optimizer=optimizer, learning_rate=learning_rate, weight_decay=weight_decay)
    rates = make_schedule(stepper, schedule=schedule, steps=steps)
    places, classes = points.to(device, dtype), labels.to(device, dtype)

    run.register(model, stepper, rates=rates)
    for step in range(run.start + 1, steps + 1):
        some = torch.randint(len(points), (batch_size,))
        stepper.zero_grad()
        scores = model(places[some])
        loss = F.binary_cross_entropy_with_logits(scores, classes[some])
        loss.backward()
        clip(model, clip_norm)
        stepper.step()
        rates.step()
        metrics = {"loss": loss, "accuracy": ((scores > 0) == (classes[some] > 0.5)).float().mean()}
        if step == 1:
            metrics["points"] = json.dumps(
                {"points": [[round(v, 3) for v in p] for p in points.tolist()], "classes": labels.int().tolist()}
            )
        if step == 1 or step % show_every == 0 or step == steps:
            metrics |= validate(model, others.to(places), other_labels.to(places))
            metrics["surface"] = surface(model, places)
        yield metrics


def validate(model, points, labels):
    model.eval()
    with torch.no_grad():
        scores = model(points)
        loss = F.binary_cross_entropy_with_logits(scores, labels)
    model.train()
    return {"validation_loss": loss, "validation_accuracy": ((scores > 0) == (labels > 0.5)).float().mean()}
