"""The Batch job: an S3 object becomes checked rows in both databases."""
