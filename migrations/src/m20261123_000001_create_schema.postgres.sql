DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'warren_app') THEN
    BEGIN
      CREATE ROLE warren_app NOLOGIN NOBYPASSRLS NOSUPERUSER;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END IF;
END $$;
DO $$ BEGIN EXECUTE format('GRANT warren_app TO %I', current_user); END $$;

DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO warren_app', current_schema()); END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, accounts, secrets, counters, directory, addresses,
  sessions, links, users, auth_keys, nodes, policy_revisions, invites TO warren_app;
GRANT SELECT, INSERT ON audit TO warren_app;

DO $$ DECLARE t TEXT; BEGIN
  FOREACH t IN ARRAY ARRAY['users', 'auth_keys', 'nodes', 'policy_revisions', 'invites', 'audit'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format(
      'CREATE POLICY tenant_wall ON %I USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))'
      ' WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), ''''))', t);
  END LOOP;
END $$;
