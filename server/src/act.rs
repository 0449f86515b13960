//! Acts of people: each checks, writes rows and audit in one transaction, then tells the live tenant.
