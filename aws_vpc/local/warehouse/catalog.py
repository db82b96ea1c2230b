"""What a new warehouse database gets before its first user: Redshift's views and functions.

The driver's own helpers read the views; version() and getdate() answer as a cluster does.
"""

from __future__ import annotations

VERSION = (
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), "
    "Redshift 1.0.78890"
)

_VIEWS = {
    "svv_all_tables": """
        SELECT table_catalog::varchar AS database_name, table_schema::varchar AS schema_name,
        table_name::varchar,
        CASE table_type WHEN 'BASE TABLE' THEN 'TABLE' ELSE table_type END::varchar AS table_type,
        NULL::varchar AS table_acl, NULL::varchar AS remarks, NULL::varchar AS owner
        FROM information_schema.tables""",
    "svv_tables": """
        SELECT table_catalog::varchar, table_schema::varchar, table_name::varchar, table_type::varchar,
        NULL::varchar AS remarks FROM information_schema.tables""",
    "svv_all_columns": """
        SELECT table_catalog::varchar AS database_name, table_schema::varchar AS schema_name,
        table_name::varchar,
        column_name::varchar, ordinal_position::int, column_default::varchar, is_nullable::varchar,
        data_type::varchar, character_maximum_length::int, numeric_precision::int, numeric_scale::int,
        NULL::varchar AS remarks FROM information_schema.columns""",
    "svv_columns": """
        SELECT table_catalog::varchar, table_schema::varchar, table_name::varchar, column_name::varchar,
        ordinal_position::int, column_default::varchar, is_nullable::varchar, data_type::varchar,
        character_maximum_length::int, numeric_precision::int, numeric_precision_radix::int,
        numeric_scale::int, datetime_precision::int, NULL::varchar AS interval_type,
        NULL::varchar AS interval_precision,
        NULL::varchar AS character_set_catalog, NULL::varchar AS character_set_schema,
        NULL::varchar AS character_set_name, NULL::varchar AS collation_catalog,
        NULL::varchar AS collation_schema, NULL::varchar AS collation_name, NULL::varchar AS domain_name,
        NULL::varchar AS remarks FROM information_schema.columns""",
    "svv_all_schemas": """
        SELECT current_database()::varchar AS database_name, nspname::varchar AS schema_name,
        nspowner::int AS schema_owner, 'local'::varchar AS schema_type, NULL::varchar AS schema_acl,
        NULL::varchar AS source_database, NULL::varchar AS schema_option FROM pg_namespace""",
    "svv_redshift_databases": """
        SELECT datname::varchar AS database_name, datdba::int AS database_owner,
        'local'::varchar AS database_type, NULL::varchar AS database_acl,
        NULL::varchar AS database_options FROM pg_database""",
    "svv_external_schemas": """
        SELECT NULL::int AS esoid, NULL::int AS eskind, NULL::varchar AS schemaname, NULL::int AS esowner,
        NULL::varchar AS databasename, NULL::varchar AS esoptions WHERE false""",
}

_SQL = "LANGUAGE sql PARALLEL SAFE"
_FUNCTIONS = (
    f"version() RETURNS text {_SQL} STABLE AS $$SELECT '{VERSION}'::text$$",
    f"getdate() RETURNS timestamp {_SQL} STABLE AS $$SELECT statement_timestamp()::timestamp(0)$$",
    f"len(text) RETURNS int {_SQL} IMMUTABLE STRICT AS $$SELECT length($1)$$",
    "nvl(anycompatible, anycompatible) RETURNS anycompatible "
    f"{_SQL} IMMUTABLE AS $$SELECT coalesce($1, $2)$$",
)


def statements() -> list[str]:
    """The SQL for a superuser, in the first database and in template1, from which all others are made."""
    made = [f"CREATE OR REPLACE VIEW pg_catalog.{name} AS {query}" for name, query in _VIEWS.items()]
    grants = [f"GRANT SELECT ON pg_catalog.{name} TO PUBLIC" for name in _VIEWS]
    functions = [f"CREATE OR REPLACE FUNCTION pg_catalog.{text}" for text in _FUNCTIONS]
    return ["SET allow_system_table_mods = on", *made, *grants, *functions]
