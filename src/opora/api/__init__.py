"""The HTTP edge: what a request passes on its way in, and every answer on its way out."""
