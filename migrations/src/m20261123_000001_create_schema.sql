-- Global tables: few, and named. Ids are hyphenated UUIDs, instants microseconds since 1970.
CREATE TABLE tenants (
  id TEXT NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  tagged_user BIGINT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  created BIGINT NOT NULL,
  last_sign_in BIGINT
);

-- Secrets that the server itself needs, sealed.
CREATE TABLE secrets (
  name TEXT NOT NULL PRIMARY KEY,
  sealed TEXT NOT NULL
);

-- The last number given out, by name; numbers are never reused.
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('id', 0), ('ipv4', 0);

-- What is found without knowing its tenant: node keys, auth keys and invitations by hash.
CREATE TABLE directory (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  item TEXT NOT NULL,
  PRIMARY KEY (kind, value)
);

-- Every address ever given out; a released one rests for a day.
CREATE TABLE addresses (
  ipv4 TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  node_id BIGINT NOT NULL,
  released BIGINT
);
CREATE INDEX addresses_released ON addresses (released);

CREATE TABLE sessions (
  id_hash TEXT NOT NULL PRIMARY KEY,
  account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
  data TEXT NOT NULL,
  created BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id);

-- One-time links to set the server up or to sign in.
CREATE TABLE links (
  token_hash TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
  tenant_id TEXT REFERENCES tenants (id),
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used BIGINT
);

-- Tables of tenants: every key starts with the tenant, every reference stays inside it.
CREATE TABLE users (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id BIGINT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  role TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, account_id)
);
CREATE INDEX users_account ON users (account_id);

CREATE TABLE auth_keys (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  prefix TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  user_id BIGINT NOT NULL,
  reusable BOOLEAN NOT NULL,
  ephemeral BOOLEAN NOT NULL,
  preapproved BOOLEAN NOT NULL,
  tags TEXT NOT NULL,
  uses BIGINT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  revoked BIGINT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE nodes (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id BIGINT NOT NULL,
  stable_id TEXT NOT NULL,
  name TEXT NOT NULL,
  machine_key TEXT NOT NULL,
  node_key TEXT NOT NULL,
  user_id BIGINT,
  tags TEXT NOT NULL,
  ipv4 TEXT NOT NULL,
  ipv6 TEXT NOT NULL,
  key_expiry BIGINT,
  approved BOOLEAN NOT NULL,
  ephemeral BOOLEAN NOT NULL,
  joined_by TEXT NOT NULL,
  created BIGINT NOT NULL,
  capability BIGINT NOT NULL,
  hostinfo TEXT NOT NULL,
  endpoints TEXT NOT NULL,
  disco_key TEXT NOT NULL,
  home_relay BIGINT NOT NULL,
  last_seen BIGINT,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX nodes_machine ON nodes (tenant_id, machine_key);
CREATE INDEX nodes_user ON nodes (tenant_id, user_id);

CREATE TABLE policy_revisions (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  number BIGINT NOT NULL,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  document TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, number)
);

CREATE TABLE invites (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  invited_by TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used BIGINT,
  PRIMARY KEY (tenant_id, id)
);

-- The audit log: a chain per tenant, each record bound to the one before it.
CREATE TABLE audit (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  seq BIGINT NOT NULL,
  id TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  event TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);
