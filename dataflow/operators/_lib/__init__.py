"""What operators of several domains share."""
