"""Train the reader with torch.nn.LSTMCell, as one would without ever having heard of onecell."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from digits import load
from reader import Reader

EPOCHS = 40
BATCH = 64


def train(reader: Reader) -> float:
    """Train in place; return the accuracy on the test images."""
    training, test = load()
    images, labels = torch.from_numpy(training.images), torch.from_numpy(training.labels)
    optimizer = torch.optim.Adam(reader.parameters())
    steps = EPOCHS * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(reader(images[:, chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        right = reader(torch.from_numpy(test.images)).argmax(1) == torch.from_numpy(test.labels)
    return float(right.float().mean())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path, help="where to save the state_dict")
    options = arguments.parse_args()
    torch.manual_seed(1)
    trained = Reader()
    accuracy = train(trained)
    torch.save(trained.state_dict(), options.out)
    print(f"trained with torch.nn.LSTMCell: {accuracy:.1%} of the test images right")
