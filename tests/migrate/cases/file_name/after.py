"""Trains, and saves best.pt"""

import argparse
import glob
import os

from onecell.mindspore import LSTMCell

cell = LSTMCell(10, 16)
parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", default="best.ckpt")
folder = "runs"
number = 3
found = glob.glob("runs/*.ckpt")
last = os.path.join(folder, f"{number}.ckpt")
url = "https://example.org/resnet.pth"
if last.endswith((".ckpt", ".ckpt")):
    print("%s/%d.ckpt" % (folder, number))
