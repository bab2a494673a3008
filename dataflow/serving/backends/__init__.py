"""Back ends: each only knows how to answer one request (or a batch); the engine does the rest."""
