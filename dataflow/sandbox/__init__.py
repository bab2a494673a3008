"""Model-written programs run here, apart from the machine."""
