"""The loop that turns recurring failures into proven improvements."""
