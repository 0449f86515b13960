//! `local_api`
