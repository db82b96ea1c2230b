"""The embedded AWS: own CloudFormation in front of moto, real databases, real jobs and pages."""
