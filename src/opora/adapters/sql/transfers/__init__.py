"""SQL of imports and exports of numbers."""
