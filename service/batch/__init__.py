"""Batch: a file or folder of responses in, one coded file out, on this machine or on Dask; nothing is kept besides."""
