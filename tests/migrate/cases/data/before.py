from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.nn import LSTMCell


class Windows(Dataset):
    def __init__(self, rows, size):
        self.rows = rows
        self.size = size

    def __getitem__(self, index):
        return self.rows[index : index + self.size], index

    def __len__(self):
        return len(self.rows) - self.size + 1


def joined(samples):
    return sum(rows.sum(0) for rows, _ in samples)


def build():
    return LSTMCell(10, 16)


def run(model, x, h, c):
    found = []
    loader = DataLoader(TensorDataset(x, h, c), batch_size=2, num_workers=0)
    for i, (rows, state, memory) in enumerate(loader):
        found.append(model(rows, (state, memory))[0] * (i + len(loader) + len(loader.dataset)))
    last, place = next(iter(DataLoader(Windows(x, 3), 3, drop_last=True)))
    for batch in DataLoader(Windows(x, 2), batch_size=3, collate_fn=joined, shuffle=False):
        found.append(batch)
    padded = pad_sequence([x[:4], h[1:3, :10]], batch_first=True, padding_value=0.5)
    return found, last, place * 2.0, padded
