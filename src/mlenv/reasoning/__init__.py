"""What a project's declarations come to on a machine: which versions, chosen by whom, and why."""
