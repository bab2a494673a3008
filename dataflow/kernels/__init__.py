"""Text kernels: compiled by numba, over the UTF-8 bytes of a whole column, without the GIL."""
