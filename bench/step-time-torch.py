"""The models of step-time.mjs in PyTorch: python3 step-time-torch.py mlp,cnn,lstm 32,100,256 REPEATS. Writes JSON."""
import json
import sys
import time

import torch
from torch import nn


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 32, batch_first=True)
        self.output = nn.Linear(32, 10)

    def forward(self, x):
        return self.output(self.lstm(x)[0][:, -1])


def make(name):
    if name == "mlp":
        return nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 10)), (784,)
    if name == "lstm":
        return Lstm(), (28, 28)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 64), nn.ReLU(), nn.Linear(64, 10)), (1, 28, 28)


def measure(name, batch_size, repeats):
    """The faster of one thread and all: on a busy machine threads that wait for each other lose by a factor."""
    threads = torch.get_num_threads()
    found = []
    for count in {1, threads}:
        torch.set_num_threads(count)
        found.append({**measure_here(name, batch_size, repeats), "threads": count})
    torch.set_num_threads(threads)
    return min(found, key=lambda times: times["median"])


def measure_here(name, batch_size, repeats):
    torch.manual_seed(1)
    model, shape = make(name)
    xs, ys = torch.rand(8192, *shape), torch.randint(0, 10, (8192,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def turn(steps):
        started = time.perf_counter()
        for _ in range(steps):
            rows = torch.randint(0, 8192, (batch_size,))
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xs[rows]), ys[rows])
            loss.backward()
            optimizer.step()
        return 1000 * (time.perf_counter() - started) / steps

    turn(20)
    steps = max(6, min(100, round(250 / turn(6))))
    times = sorted(turn(steps) for _ in range(repeats))
    at = lambda share: times[round(share * (repeats - 1))]
    return {"median": at(0.5), "low": at(0.25), "high": at(0.75)}


models, sizes, repeats = sys.argv[1].split(","), [int(size) for size in sys.argv[2].split(",")], int(sys.argv[3])
rows = [{"model": m, "batchSize": b, **measure(m, b, repeats)} for m in models for b in sizes]
print(json.dumps({"version": torch.__version__, "rows": rows}))
