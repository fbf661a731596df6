"""What a model's image tower runs in: torch on a CPU, torch on CUDA, OpenVINO. `choice` says which."""
