"""What declarations come to on a machine, against records made for these tests."""
