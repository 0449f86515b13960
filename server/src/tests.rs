//! Suites that span the server.

mod documents;
