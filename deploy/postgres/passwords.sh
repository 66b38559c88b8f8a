#!/bin/sh
# Run once by the image of PostgreSQL when it makes its cluster: the roles that Opora works and reports under, each with
# its password. What they may do is granted by `opora db roles --apply`, after every migration.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set app="$POSTGRES_APP_PASSWORD" --set reader="$POSTGRES_READER_PASSWORD" <<'SQL'
CREATE ROLE opora_app LOGIN PASSWORD :'app';
CREATE ROLE opora_reader LOGIN PASSWORD :'reader';
SQL
