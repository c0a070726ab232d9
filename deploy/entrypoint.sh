#!/bin/sh
# What is secret comes as a file; the database driver takes its password from PGPASSWORD.
set -eu
if [ -n "${EXPERT_POOL_DATABASE_PASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$EXPERT_POOL_DATABASE_PASSWORD_FILE")
    export PGPASSWORD
fi
exec expert-pool "$@"
