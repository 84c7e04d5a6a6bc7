"""Ablation margins in 3D: pure values and functions, without files, clocks or networks."""
