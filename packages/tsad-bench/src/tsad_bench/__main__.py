"""``python -m tsad_bench`` is the command `tsad-bench`."""

from tsad_bench.cli import main

main()
