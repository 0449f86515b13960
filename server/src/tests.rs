//! Suites that span the server.

mod audit_trail;
mod authz_matrix;
mod documents;
mod endpoint_coverage;
mod foreign_sites;
mod panics;
mod routes;
mod secrets;
mod tenant_isolation;
