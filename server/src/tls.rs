//! Certificates: files, ACME, the local CA.
