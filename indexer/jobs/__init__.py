"""Long work that is written down in the catalog: seen, paused, resumed and cancelled from anywhere."""
