"""OpenVINO: a graph in XML (`.xml`), and the constants of it in a file beside (`.bin`)."""
