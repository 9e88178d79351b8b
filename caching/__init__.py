"""Generic HTTP caching on Twisted: policies, conditional requests, shared computations. Nothing of ours."""
