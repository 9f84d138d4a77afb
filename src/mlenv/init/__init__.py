"""What ``mlenv init`` writes into a repository: configuration, hook and CI step, as small edits."""
