"""Programs that were written after the thresholds were set: they say how well the findings do on what they were not made for."""

from __future__ import annotations

from typing import Any

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from tests.findings.faults import fault


class Autoencoder(nn.Module):
    """Its code is detached where only the loss should have been."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 3))
        self.decoder = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 12))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        code = self.encoder(x)
        return self.decoder(code.detach()), code  # <- code_detached_in_training


@fault("detached", starves="encoder.0.weight", number=2)
def code_detached_in_training() -> Any:
    model = Autoencoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(3):
        x = torch.randn(32, 12)
        again, _ = model(x)
        loss = F.mse_loss(again, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@fault("detached", starves="maker.weight")
def generator_step_with_a_detach() -> Any:
    maker, judge = nn.Linear(4, 8), nn.Linear(8, 1)
    of_maker = torch.optim.Adam(maker.parameters())
    fake = torch.tanh(maker(torch.randn(16, 4)))
    loss = F.softplus(-judge(fake.detach())).mean()  # <- generator_step_with_a_detach
    of_maker.zero_grad()
    loss.backward()
    of_maker.step()


@fault("detached", starves="rates")
def simulation_in_numpy() -> Any:
    rates, offset = torch.rand(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    state = numpy.ones(4)
    for _ in range(3):
        state = state * numpy.exp(-rates.detach().numpy())  # <- simulation_in_numpy
    return F.mse_loss(torch.from_numpy(state).float() + offset, torch.full((4,), 0.3))


@fault("integer_cut", starves="centers")
def hard_assignment_to_clusters() -> Any:
    centers, values = nn.Parameter(torch.randn(5, 2)), nn.Parameter(torch.randn(5))
    nearest = torch.cdist(torch.randn(40, 2), centers).argmin(dim=1)  # <- hard_assignment_to_clusters
    return F.mse_loss(values[nearest], torch.randn(40))


@fault("unused_parameter", line=False, says="value_head")
def second_head_forgotten() -> Any:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.policy_head, self.value_head = nn.Linear(6, 16), nn.Linear(16, 3), nn.Linear(16, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.policy_head(F.elu(self.body(x)))

    network = Network()
    return F.cross_entropy(network(torch.randn(8, 6)), torch.randint(3, (8,)))


@fault("accumulated_gradient", number=3, starves="lstm.weight_ih_l0")
def zero_grad_before_the_loop() -> Any:
    lstm, head = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
    optimizer = torch.optim.RMSprop([*lstm.parameters(), *head.parameters()], lr=1e-3)
    optimizer.zero_grad()
    for _ in range(4):
        output, _ = lstm(torch.randn(4, 7, 3))
        F.mse_loss(head(output[:, -1]), torch.randn(4, 1)).backward()  # <- zero_grad_before_the_loop
        optimizer.step()


@fault("vanishing_gradient", line=False)
def deep_tanh_with_small_weights() -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(24, 24) for _ in range(14)])
            for layer in self.layers:
                nn.init.uniform_(layer.weight, -0.08, 0.08)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = torch.tanh(layer(x))
            return x.sum(-1)

    return F.mse_loss(Net()(torch.randn(10, 24)), torch.randn(10)) * 1000


@fault("exploding_gradient", line=False)
def deep_convolutions_with_large_weights() -> Any:
    model = nn.Sequential(*[layer for _ in range(10) for layer in (nn.Conv2d(6, 6, 3, padding=1), nn.ReLU())])
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.8)
    return model(torch.randn(2, 6, 8, 8)).mean()


@fault("exploding_gradient", line=False)
def rnn_module_with_large_weights() -> Any:
    model = nn.RNN(4, 16, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        model.weight_hh_l0.copy_(torch.eye(16) * 2.0)
        model.weight_ih_l0.abs_()
    output, _ = model(torch.rand(2, 40, 4))
    return output[:, -1].mean()


@fault("dead_units")
def relu_after_a_normalisation_pushed_down() -> Any:
    model = nn.Sequential(nn.Conv2d(3, 12, 3, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 36, 4))
    nn.init.constant_(model[1].bias, -12.0)
    return F.cross_entropy(model(torch.randn(6, 3, 8, 8)), torch.randint(4, (6,)))  # <- relu_after_a_normalisation_pushed_down


@fault("vanishing_gradient", says="saturated")
def data_without_normalisation() -> Any:
    model = nn.Sequential(nn.Linear(5, 16), nn.Sigmoid(), nn.Linear(16, 1))
    x = torch.rand(32, 5) * 20000 + 30000
    return F.mse_loss(model(x), torch.randn(32, 1))  # <- data_without_normalisation


@fault("nan_forward", severity="error", says="mean over no element")
def every_target_ignored() -> Any:
    model = nn.Linear(4, 3)
    targets = torch.full((6,), -100)
    return F.cross_entropy(model(torch.randn(6, 4)), targets)  # <- every_target_ignored


@fault("nan_gradient", severity="error")
def distance_matrix_by_hand() -> Any:
    points = torch.randn(5, 2, requires_grad=True)
    differences = points[:, None] - points[None]
    distances = differences.pow(2).sum(-1).sqrt()  # <- distance_matrix_by_hand
    return distances.sum()


@fault("user_error", severity="error", says="data type")
def labels_as_floats() -> Any:
    model = nn.Linear(4, 3)
    return F.cross_entropy(model(torch.randn(8, 4)), torch.randint(3, (8, 1)).float().squeeze(1))  # <- labels_as_floats


@fault("user_error", severity="error", says="index")
def word_outside_the_vocabulary() -> Any:
    table = nn.Embedding(20, 4)
    return table(torch.tensor([[1, 5, 20]])).mean()  # <- word_outside_the_vocabulary


@fault("stale_saved_tensor", severity="error")
def normalised_in_place() -> Any:
    layer = nn.Linear(4, 4)
    hidden = torch.softmax(layer(torch.randn(3, 4)), -1)
    hidden /= hidden.sum(-1, keepdim=True)  # <- normalised_in_place
    return hidden.square().sum()


@fault("freed_graph", severity="error", number=2)
def penalty_after_the_loss() -> Any:
    judge, x = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)), torch.randn(4, 3, requires_grad=True)
    score = judge(x).sum()
    score.backward()
    (slope,) = torch.autograd.grad(score, x)  # <- penalty_after_the_loss
    return slope.square().sum()


@fault("inf_gradient", severity="error")
def angle_between_equal_vectors() -> Any:
    a = torch.tensor([[1.0, 0.0]], requires_grad=True)
    cosine = (a * torch.tensor([[1.0, 0.0]])).sum(-1)
    return torch.acos(cosine).sum()  # <- angle_between_equal_vectors


@fault("replaced_gradient", says="module 1 replaced", line=False)
def module_hook_that_scales() -> Any:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    model[1].register_full_backward_hook(lambda module, sent, received: tuple(None if one is None else 0.01 * one for one in sent))
    return model(torch.randn(5, 3)).abs().mean()


@fault("detached", says="plain number", starves="temperature")
def common_number_put_back() -> Any:
    logits, temperature = torch.randn(5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    scaled = logits / temperature.item()  # <- common_number_put_back
    return -torch.log_softmax(scaled, 0)[2]


@fault("detached", severity="info", says="new tensor")
def smoothed_by_numpy() -> Any:
    raw = nn.Linear(8, 8)(torch.randn(8))
    smooth = torch.from_numpy(numpy.convolve(raw.detach().numpy(), numpy.ones(3) / 3, "same")).float()  # <- smoothed_by_numpy
    return smooth.square().sum() + 0.01 * raw.abs().sum()
