"""ONNX: models, their graphs, and the tensors in them."""
