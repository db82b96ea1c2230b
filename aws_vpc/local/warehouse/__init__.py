"""The warehouse: a wire server that speaks Redshift's SQL to clients and PostgreSQL's to its own server."""
