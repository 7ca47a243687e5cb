"""Core ML's models: the LSTM layers of a network and of a program."""
