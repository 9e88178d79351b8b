"""The figures we hold ourselves to, each printed beside its bar: ``python -m benchmarks --help``.

A figure is a module with a ``FIGURE``. It says in its docstring what is measured and how, takes several runs,
with its peer's in between, and yields rows; ratios are taken run by run, and what is printed is their median
with the lowest and highest. Machines are shared, so a ratio within one run says more than a time.

Peers are installed into environments of their own below ``~/.cache/cheeseshop-bench``
(``CHEESESHOP_BENCH_CACHE`` names another folder), by pip as it is configured here. Every row is also appended
to ``benchmarks/results/<figure>.jsonl``.
"""
