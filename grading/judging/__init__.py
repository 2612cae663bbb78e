"""Arrays become a verdict, which is put on file; many at once by a pool or a Dask cluster."""
