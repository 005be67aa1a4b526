#!/bin/sh
# What Spilo does to a new cluster, and at every promotion: its own roles have the rights that it says, whatever they were given meanwhile, and every
# database that lets anyone in, template1 too, has extensions that can't be created where they aren't preloaded. Of both, what Debian's packages
# have; Spilo makes more. It waits for no standby.
export PGOPTIONS='-c synchronous_commit=local'
role() { # NAME RIGHTS
  cat <<SQL
do \$\$ begin create role $1; exception when duplicate_object then null; end \$\$;
alter role $1 with $2 nologin nocreaterole nosuperuser noreplication inherit;
SQL
}
{
  role admin createdb
  role cron_admin nocreatedb
  role zalandos nocreatedb
  role robot_zmon nocreatedb
  echo 'grant cron_admin to admin;'
  psql -XAtq -d postgres -c 'select quote_ident(datname) from pg_database where datallowconn' |
    while read -r name; do
      printf '\\connect %s\n' "$name"
      for extension in pg_stat_statements pg_stat_kcache set_user; do
        echo "create extension if not exists $extension schema public;"
      done
      echo 'grant execute on function public.set_user(text) to admin;'
    done
} | psql -Xq -v ON_ERROR_STOP=1 -d postgres
