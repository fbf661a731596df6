"""The built-in model `mini`: an open_clip model folder that travels with the package. MODEL_CARD.md describes it."""
