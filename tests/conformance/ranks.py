"""A training on several processes, for torchrun: DDP or FSDP2 over gloo. Arguments: the folder of the run, which of both, how many steps.

Told more steps than it can do, it goes on until it is asked to stop; rank 1 then takes its time.
"""

import sys
import time

import torch
import torch.distributed as dist
from torch import nn

import explorer


def main(folder: str, kind: str, count: str = "6") -> None:
    dist.init_process_group("gloo")
    rank, steps = dist.get_rank(), int(count)
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
    every = 1 if steps < 100 else None
    with explorer.watch(model, optimizer, run=folder, every=every, steps=steps, record_first=kind == "ddp") as run:
        for _ in range(steps):
            x = torch.randn(8, 4)
            optimizer.zero_grad()
            loss = (model(x) - x[:, :2]).square().mean()
            if steps > 100 and rank == 1:
                time.sleep(0.02)
            loss.backward()
            optimizer.step()
            run.step(loss=loss)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
