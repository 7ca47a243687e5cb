"""TensorFlow's checkpoints: an index in a sorted table (`.index`), and tensors in `.data` files."""
