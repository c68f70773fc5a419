"""What is measured: traces, costs, comparisons, records of runs, time on the clock."""
