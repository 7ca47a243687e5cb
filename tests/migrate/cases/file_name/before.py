"""Trains, and saves best.pt"""

import argparse
import glob
import os

from torch import nn

cell = nn.LSTMCell(10, 16)
parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", default="best.pth.tar")
folder = "runs"
number = 3
found = glob.glob("runs/*.pth")
last = os.path.join(folder, f"{number}.pt")
url = "https://example.org/resnet.pth"
if last.endswith((".pt", ".pth")):
    print("%s/%d.pt" % (folder, number))
