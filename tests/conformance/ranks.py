"""A training on several processes, for torchrun: DDP or FSDP2 over gloo. Arguments: the folder of the run, and which of both."""

import sys

import torch
import torch.distributed as dist
from torch import nn

import explorer


def main(folder: str, kind: str) -> None:
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    torch.manual_seed(0)
    model: nn.Module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    if kind == "ddp":
        model = nn.parallel.DistributedDataParallel(model)
    else:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        fully_shard(model, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(100 + rank)
    with explorer.watch(model, optimizer, run=folder, every=1, steps=6, record_first=kind == "ddp") as run:
        for _ in range(6):
            x = torch.randn(8, 4)
            optimizer.zero_grad()
            loss = (model(x) - x[:, :2]).square().mean()
            loss.backward()
            optimizer.step()
            run.step(loss=loss)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
