"""What the python tests share: processes, waiting, a volume with its Redis, trees, records, object stores, counting."""
