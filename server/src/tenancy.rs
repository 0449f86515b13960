//! Live tenants.
