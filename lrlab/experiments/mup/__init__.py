"""What the notebook `mup` needs: a network of any width, and how much its parts move."""
