"""The checks: one file per topic, each rule one function beside its explanation."""
