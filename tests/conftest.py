"""Makes `builders` importable from every folder of tests (pytest puts a conftest's folder on the path)."""
