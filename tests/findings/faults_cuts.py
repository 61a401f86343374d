"""Programs with a cut, an unused parameter or a gradient that adds up. Each is wrong on purpose, at the line that bears its name."""

from __future__ import annotations

import warnings
from typing import Any

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.faults import fault


@fault("detached", starves="w_left")
def detached_tensor() -> Any:
    w_left, w_right = torch.tensor(1.5, requires_grad=True), torch.tensor(-0.7, requires_grad=True)
    left = torch.tanh(w_left * 0.5).detach()  # <- detached_tensor
    return (left + torch.tanh(w_right * 0.5) - 1) ** 2


class Adapter(nn.Module):
    """Two layers with a `.data` between them, in a module."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(6, 3), nn.Linear(3, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(self.down(x)).data  # <- data_in_a_module
        return x + self.up(hidden)


@fault("detached", starves="down.weight")
def data_in_a_module() -> Any:
    model = Adapter()
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(8, 6)).pow(2).mean().backward()
        optimizer.step()


@fault("detached", starves="encoder.weight")
def numpy_round_trip() -> Any:
    encoder, decoder = nn.Linear(4, 4), nn.Linear(4, 1)
    hidden = torch.relu(encoder(torch.randn(8, 4)))
    scaled = numpy.clip(hidden.detach().numpy(), 0, 0.9)  # <- numpy_round_trip
    return decoder(torch.from_numpy(scaled)).mean()


@fault("detached", starves="w")
def plain_numpy_round_trip() -> Any:
    w, v = torch.randn(5, requires_grad=True), torch.randn(5, requires_grad=True)
    hidden = w.sin()
    back = torch.from_numpy(hidden.detach().numpy())  # <- plain_numpy_round_trip
    return (back * v).sum()


@fault("detached", starves="w")
def rebuilt_from_a_list() -> Any:
    w, v = torch.randn(5, requires_grad=True), torch.randn(5, requires_grad=True)
    hidden = w.cos()
    values = hidden.tolist()
    again = torch.tensor(values)  # <- rebuilt_from_a_list
    return (again * v).sum()


@fault("detached", starves="w")
def tensor_of_a_tensor() -> Any:
    w, v = torch.randn(4, 4, requires_grad=True), torch.randn(4, requires_grad=True)
    logits = w @ torch.ones(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        probabilities = torch.softmax(torch.tensor(logits), -1)  # <- tensor_of_a_tensor
    return (probabilities * v).sum()


@fault("detached", starves="scale")
def number_put_back() -> Any:
    scale, w = torch.tensor(0.37, requires_grad=True), torch.randn(3, requires_grad=True)
    factor = F.softplus(scale).item()  # <- number_put_back
    return (w * factor).pow(2).sum()


@fault("detached", starves="temperature")
def float_in_a_loss() -> Any:
    temperature = nn.Parameter(torch.tensor(1.3))
    head = nn.Linear(5, 3)
    logits = head(torch.randn(16, 5))
    logits = logits / float(temperature.exp())  # <- float_in_a_loss
    return F.cross_entropy(logits, torch.randint(3, (16,)))


@fault("detached", starves="a")
def losses_put_in_a_list() -> Any:
    a, b = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    first, second = (a.sin() ** 2).mean(), (b.cos() ** 2).mean()
    losses = torch.tensor([first, second], requires_grad=True)  # <- losses_put_in_a_list
    return losses.sum()


@fault("integer_cut", starves="encoder.weight")
def cast_to_long() -> Any:
    encoder, table = nn.Linear(3, 1), nn.Embedding(10, 4)
    code = (torch.sigmoid(encoder(torch.randn(6, 3))) * 9).long().squeeze(1)  # <- cast_to_long
    return table(code).pow(2).mean()


@fault("integer_cut", starves="policy.weight")
def argmax_to_one_hot() -> Any:
    policy, value = nn.Linear(4, 3), nn.Linear(3, 1)
    action = policy(torch.randn(8, 4)).argmax(dim=-1)  # <- argmax_to_one_hot
    return value(F.one_hot(action, 3).float()).mean()


@fault("integer_cut", starves="weight")
def accuracy_beside_a_regularizer() -> Any:
    model, bias = nn.Linear(4, 1), torch.zeros(1, requires_grad=True)
    predicted = (model(torch.randn(8, 4)) > 0).float()  # <- accuracy_beside_a_regularizer
    return F.mse_loss(predicted + bias, torch.ones(8, 1))


@fault("integer_cut", starves="encoder.weight")
def rounded_on_the_way() -> Any:
    encoder, decoder = nn.Linear(4, 4), nn.Linear(4, 4)
    x = torch.randn(16, 4)
    code = torch.round(encoder(x) * 4) / 4  # <- rounded_on_the_way
    return F.mse_loss(decoder(code), x)


@fault("integer_cut", starves="w")
def sign_of_weights() -> Any:
    w = torch.randn(6, 3, requires_grad=True)
    gain = torch.ones(3, requires_grad=True)
    binary = w.sign()  # <- sign_of_weights
    return ((torch.randn(10, 6) @ binary) * gain).square().mean()


@fault("no_grad", severity="info", starves="encoder.0.weight")
def no_grad_encoder() -> Any:
    encoder, head = nn.Sequential(nn.Linear(4, 8), nn.Tanh()), nn.Linear(8, 2)
    with torch.no_grad():
        features = encoder(torch.randn(16, 4))  # <- no_grad_encoder
    return F.cross_entropy(head(features), torch.randint(2, (16,)))


class Forgetful(nn.Module):
    """A layer that is made and never called."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.third(torch.relu(self.first(x)))


@fault("unused_parameter", line=False, says="second")
def layer_never_called() -> Any:
    model = Forgetful()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        F.mse_loss(model(torch.randn(32, 4)), torch.randn(32, 1)).backward()
        optimizer.step()


class Overwritten(nn.Module):
    """The result of a layer is overwritten by a typing error."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(self.one(x))  # noqa: F841  # <- result_never_used
        return self.two(x)


@fault("unused_parameter", starves="one.weight", line=False)
def result_never_used() -> Any:
    model = Overwritten()
    return model(torch.randn(16, 4)).square().mean()


@fault("accumulated_gradient", number=2)
def no_zero_grad_in_a_loop() -> Any:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        loss = model(torch.randn(16, 3)).square().mean()
        loss.backward()  # <- no_zero_grad_in_a_loop
        optimizer.step()


@fault("accumulated_gradient", number=3)
def no_zero_by_hand() -> Any:
    w = torch.randn(3, requires_grad=True)
    for _ in range(3):
        (w * torch.randn(3)).sum().square().backward()  # <- no_zero_by_hand
        with torch.no_grad():
            w -= 0.01 * w.grad


@fault("accumulated_gradient", number=2)
def zero_grad_of_another_optimizer() -> Any:
    one, two = nn.Linear(3, 3), nn.Linear(3, 1)
    first, second = torch.optim.Adam(one.parameters()), torch.optim.Adam(two.parameters())
    for _ in range(2):
        first.zero_grad()
        two(torch.tanh(one(torch.randn(16, 3)))).mean().backward()  # <- zero_grad_of_another_optimizer
        first.step()
        second.step()
