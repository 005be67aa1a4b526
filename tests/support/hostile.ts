/** Texts that mean something to a shell, to SQL, to YAML, to an INI file, to Go's templates or to Kubernetes. */
export const hostileTexts: readonly string[] = [
  "x'; ALTER ROLE app SUPERUSER; --",
  'x"; ALTER ROLE app SUPERUSER; --',
  "x\\'; SELECT 1; --",
  "$(touch /tmp/pwned)",
  "`touch /tmp/pwned`",
  "x; touch /tmp/pwned",
  "x\nlisten_addr = *\n",
  "x\n[users]\nevil = pool_mode=session",
  "x: { evil: true }",
  "x\n  evil: true\n---\nkind: Pod",
  "$(PGPASSWORD)",
  "{{ .evil }}",
  "$$; ALTER ROLE app SUPERUSER; $$",
  "%include /etc/passwd",
  "x\u0000y",
];
