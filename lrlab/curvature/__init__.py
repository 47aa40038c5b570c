"""Curvature of the loss: sharpness, and where it makes a rate unstable."""
